"""Tells an integer network to the native engine, one call a layer.

The builder validates as it goes and refuses what docs/integer.md does not define; its values are
numbered as those of `IntegerGraph`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..layers import (
    Concat,
    Crop,
    DepthMode,
    DepthToSpace,
    Layer,
    PadMode,
    Pads,
    Slice,
    SpaceToDepth,
)
from .layers import (
    Convolution,
    Epilogue,
    Int16Array,
    Int32Array,
    IntegerAdd,
    IntegerConv,
    IntegerDepthwiseConv,
    IntegerGraph,
    IntegerMul,
    IntegerPad,
    IntegerRescale,
    IntegerValue,
    IntegerWinograd,
)

_Plan_co = TypeVar("_Plan_co", covariant=True)


class ValueArguments(NamedTuple):
    """A value: whether it is uint8 (else int16), and the zero of each channel."""

    is_uint8: bool
    zeros: Int16Array


class EpilogueArguments(NamedTuple):
    """An `Epilogue`, field by field."""

    bias: Int32Array
    multipliers: Int32Array
    negative_multipliers: Int32Array
    addend_multipliers: Int32Array | None
    lo: int
    hi: int


class IntegerBuilder(Protocol[_Plan_co]):
    """What the native builder has. Every call but `input` and `build` appends a layer."""

    def input(self, value: ValueArguments) -> None: ...
    def conv(
        self,
        name: str,
        input: int,  # noqa: A002
        addend: int | None,
        weights: Int16Array,
        pads: Pads,
        stride: tuple[int, int],
        epilogue: EpilogueArguments,
        value: ValueArguments,
    ) -> int: ...
    def depthwise_conv(
        self,
        name: str,
        input: int,  # noqa: A002
        addend: int | None,
        weights: Int16Array,
        pads: Pads,
        stride: tuple[int, int],
        epilogue: EpilogueArguments,
        value: ValueArguments,
    ) -> int: ...
    def winograd(
        self,
        name: str,
        input: int,  # noqa: A002
        addend: int | None,
        weights: Int16Array,
        shifts: NDArray[np.uint8],
        pads: Pads,
        phase: tuple[int, int],
        epilogue: EpilogueArguments,
        value: ValueArguments,
    ) -> int: ...
    def rescale(
        self,
        name: str,
        input: int,  # noqa: A002
        multipliers: Int32Array,
        negative_multipliers: Int32Array,
        offsets: Int32Array,
        clamp: tuple[int, int],
        value: ValueArguments,
    ) -> int: ...
    def add(
        self,
        name: str,
        first: int,
        second: int,
        first_multipliers: Int32Array,
        second_multipliers: Int32Array,
        clamp: tuple[int, int],
        value: ValueArguments,
    ) -> int: ...
    def mul(
        self,
        name: str,
        first: int,
        second: int,
        multipliers: Int32Array,
        clamp: tuple[int, int],
        value: ValueArguments,
    ) -> int: ...
    def concat(self, name: str, inputs: list[int]) -> int: ...
    def slice(self, name: str, input: int, first: int, last: int) -> int: ...  # noqa: A002
    def crop(self, name: str, input: int, margins: Pads) -> int: ...  # noqa: A002
    def depth_to_space(
        self,
        name: str,
        input: int,  # noqa: A002
        block: int,
        mode: DepthMode,
    ) -> int: ...
    def space_to_depth(self, name: str, input: int, block: int) -> int: ...  # noqa: A002
    def pad(
        self,
        name: str,
        input: int,  # noqa: A002
        pads: Pads,
        mode: PadMode,
        fills: Int16Array,
    ) -> int: ...
    def build(self, output: int) -> _Plan_co: ...


def build_integer_plan(graph: IntegerGraph, builder: IntegerBuilder[_Plan_co]) -> _Plan_co:
    """The native plan of a graph."""
    builder.input(_value(graph.values[0]))
    for layer, value in zip(graph.layers, graph.values[1:], strict=True):
        if isinstance(layer, Convolution):
            _append_convolution(builder, layer, value)
        elif isinstance(layer, IntegerRescale | IntegerAdd | IntegerMul):
            _append_element(builder, layer, value)
        else:
            _append_moving(builder, layer)
    return builder.build(graph.output)


def _append_convolution(
    builder: IntegerBuilder[Any], layer: Convolution, value: IntegerValue
) -> None:
    source = layer.inputs[0]
    addend = layer.inputs[1] if len(layer.inputs) > 1 else None
    epilogue = _epilogue(layer.epilogue)
    match layer:
        case IntegerWinograd():
            builder.winograd(
                layer.name,
                source,
                addend,
                layer.weights,
                layer.shifts,
                layer.pads,
                layer.phase,
                epilogue,
                _value(value),
            )
        case IntegerConv() | IntegerDepthwiseConv():
            is_depthwise = isinstance(layer, IntegerDepthwiseConv)
            append = builder.depthwise_conv if is_depthwise else builder.conv
            append(
                layer.name,
                source,
                addend,
                layer.weights,
                layer.pads,
                layer.stride,
                epilogue,
                _value(value),
            )


def _append_element(
    builder: IntegerBuilder[Any],
    layer: IntegerRescale | IntegerAdd | IntegerMul,
    value: IntegerValue,
) -> None:
    name, inputs, clamp = layer.name, layer.inputs, (layer.lo, layer.hi)
    match layer:
        case IntegerRescale():
            builder.rescale(
                name,
                inputs[0],
                layer.multipliers,
                layer.negative_multipliers,
                layer.offsets,
                clamp,
                _value(value),
            )
        case IntegerAdd():
            builder.add(
                name,
                inputs[0],
                inputs[1],
                layer.first_multipliers,
                layer.second_multipliers,
                clamp,
                _value(value),
            )
        case IntegerMul():
            builder.mul(name, inputs[0], inputs[1], layer.multipliers, clamp, _value(value))


def _append_moving(builder: IntegerBuilder[Any], layer: Layer) -> None:
    name, inputs = layer.name, layer.inputs
    match layer:
        case Concat():
            builder.concat(name, list(inputs))
        case Slice():
            builder.slice(name, inputs[0], layer.first, layer.last)
        case Crop():
            builder.crop(name, inputs[0], layer.margins)
        case DepthToSpace():
            builder.depth_to_space(name, inputs[0], layer.block, layer.mode)
        case SpaceToDepth():
            builder.space_to_depth(name, inputs[0], layer.block)
        case IntegerPad():
            builder.pad(name, inputs[0], layer.pads, layer.mode, layer.fills)
        case _:
            raise TypeError(f"not a layer: {layer!r}")


def _value(value: IntegerValue) -> ValueArguments:
    return ValueArguments(bool(value.dtype == np.uint8), value.zeros.astype(np.int16))


def _epilogue(epilogue: Epilogue) -> EpilogueArguments:
    return EpilogueArguments(
        epilogue.bias,
        epilogue.multipliers,
        epilogue.negative_multipliers,
        epilogue.addend_multipliers,
        epilogue.lo,
        epilogue.hi,
    )
