"""Tells an integer network to the native engine, one call a layer.

Its values are numbered as those of `IntegerGraph`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ... import _core
from ..layers import Concat, Crop, DepthToSpace, Layer, Slice, SpaceToDepth
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


def build_integer_plan(graph: IntegerGraph) -> _core.NetworkPlan:
    """The native plan of a graph."""
    builder = _core.IntegerNetworkBuilder(_value(graph.values[0]))
    for layer, value in zip(graph.layers, graph.values[1:], strict=True):
        if isinstance(layer, Convolution):
            _append_convolution(builder, layer, value)
        elif isinstance(layer, IntegerRescale | IntegerAdd | IntegerMul):
            _append_element(builder, layer, value)
        else:
            _append_moving(builder, layer)
    return builder.build(graph.output)


def _append_convolution(
    builder: _core.IntegerNetworkBuilder, layer: Convolution, value: IntegerValue
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
    builder: _core.IntegerNetworkBuilder,
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


def _append_moving(builder: _core.IntegerNetworkBuilder, layer: Layer) -> None:
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
    return ValueArguments(
        bool(value.dtype == np.uint8), np.ascontiguousarray(value.zeros, np.int16)
    )


def _epilogue(epilogue: Epilogue) -> EpilogueArguments:
    return EpilogueArguments(
        epilogue.bias,
        epilogue.multipliers,
        epilogue.negative_multipliers,
        epilogue.addend_multipliers,
        epilogue.lo,
        epilogue.hi,
    )
