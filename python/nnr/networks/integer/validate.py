"""Checks that an integer network is one that docs/integer.md defines."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..layers import Concat, Crop, DepthToSpace, Layer, Pads, Slice, SpaceToDepth
from . import bounds
from .layers import (
    INT16,
    UINT8,
    Convolution,
    Epilogue,
    IntegerAdd,
    IntegerConv,
    IntegerDepthwiseConv,
    IntegerGraph,
    IntegerMul,
    IntegerPad,
    IntegerRescale,
    IntegerValue,
    IntegerWinograd,
    moved_channels,
)

MAX_CHANNELS = 1 << 16
# Margins make a picture larger than any that comes in, so they have a limit of their own.
MAX_MARGIN = 1024
MAX_STRIDE = 16
_MOVING = (Concat, Slice, Crop, DepthToSpace, SpaceToDepth, IntegerPad)


def validate(graph: IntegerGraph) -> None:
    """Check shapes, types and every bound, so that the network runs on any picture.

    Raises
    ------
    ValueError
        The network is none that docs/integer.md defines; the message names value or layer.
    """
    if len(graph.values) != len(graph.layers) + 1:
        raise ValueError(
            f"a network of {len(graph.layers)} layers has {len(graph.layers) + 1} values, "
            f"got {len(graph.values)}"
        )
    if not 0 <= graph.output < len(graph.values):
        raise ValueError(f"output must be 0 to {len(graph.layers)}, got {graph.output}")
    for index, value in enumerate(graph.values):
        _check_value(f"value {index}", value)
    for index, layer in enumerate(graph.layers):
        LayerCheck(graph, index, layer).run()


def _check_value(name: str, value: IntegerValue) -> None:
    if not 1 <= value.channels <= MAX_CHANNELS:
        raise ValueError(f"{name}: channels must be 1 to {MAX_CHANNELS}, got {value.channels}")
    if value.dtype not in (UINT8, INT16):
        raise ValueError(f"{name}: dtype must be uint8 or int16, got {value.dtype}")
    if value.scales.dtype != np.float64 or value.scales.shape != (value.channels,):
        raise ValueError(f"{name}: scales must be {value.channels} numbers of float64")
    if not (np.isfinite(value.scales) & (value.scales > 0)).all():
        raise ValueError(f"{name}: scales must be positive and finite")
    if value.zeros.dtype != value.dtype or value.zeros.shape != (value.channels,):
        raise ValueError(f"{name}: zeros must be {value.channels} numbers of {value.dtype}")
    if value.dtype == INT16 and value.zeros.any():
        raise ValueError(f"{name}: zeros must be 0 for int16")


class LayerCheck:
    """One layer and the values around it."""

    def __init__(self, graph: IntegerGraph, index: int, layer: Layer) -> None:
        self._name = f"layer {index} {layer.name!r} ({type(layer).__name__})"
        self._layer = layer
        counts = {IntegerAdd: (2, 2), IntegerMul: (2, 2), Concat: (1, MAX_CHANNELS)}
        low, high = counts.get(type(layer), (1, 1))
        if isinstance(layer, Convolution):
            low = high = 1 + (layer.epilogue.addend_multipliers is not None)
        if not low <= len(layer.inputs) <= high:
            self._fail(f"must have {low} inputs, got {len(layer.inputs)}")
        if not all(0 <= i <= index for i in layer.inputs):
            self._fail(f"inputs must be values before it, 0 to {index}, got {layer.inputs}")
        self._inputs = [graph.values[i] for i in layer.inputs]
        self._value = graph.values[index + 1]

    def run(self) -> None:
        """Raise ``ValueError`` for what is wrong with it."""
        match self._layer:
            case IntegerConv() | IntegerDepthwiseConv() | IntegerWinograd():
                self._check_convolution(self._layer)
            case IntegerRescale():
                self._check_same_channels()
                self._check_numbers("multipliers", self._layer.multipliers)
                self._check_numbers("negative_multipliers", self._layer.negative_multipliers)
                self._check_numbers("offsets", self._layer.offsets)
                self._check_clamp(self._layer.lo, self._layer.hi)
            case IntegerAdd():
                self._check_same_channels()
                self._check_numbers("first_multipliers", self._layer.first_multipliers)
                self._check_numbers("second_multipliers", self._layer.second_multipliers)
                self._check_clamp(self._layer.lo, self._layer.hi)
            case IntegerMul():
                self._check_same_channels()
                self._check_numbers("multipliers", self._layer.multipliers)
                self._check_clamp(self._layer.lo, self._layer.hi)
            case _ if isinstance(self._layer, _MOVING):
                self._check_extents()
                self._check_moved()
            case _:
                self._fail("no layer of an integer network")

    def _fail(self, why: str) -> NoReturn:
        raise ValueError(f"{self._name}: {why}")

    def _check_numbers(self, name: str, array: NDArray[Any], dtype: Any = np.int32) -> None:
        if array.dtype != dtype or array.shape != (self._value.channels,):
            self._fail(
                f"{name} must be {self._value.channels} numbers of {np.dtype(dtype)}, "
                f"got {array.dtype} of shape {array.shape}"
            )
        # So that two products of it and 16 bits fit into 48.
        if array.dtype == np.int32 and array.min() == np.iinfo(np.int32).min:
            self._fail(f"{name} must be above -2^31")

    def _check_same_channels(self) -> None:
        channels = [value.channels for value in (*self._inputs, self._value)]
        if len(set(channels)) > 1:
            self._fail(f"inputs and output must have equal channels, got {channels}")

    def _check_clamp(self, lo: int, hi: int) -> None:
        lowest, highest = self._value.limits
        if not lowest <= lo <= hi <= highest:
            self._fail(f"lo <= hi must lie in {lowest} to {highest}, got {lo} and {hi}")

    def _check_margins(self, name: str, margins: Pads, limits: tuple[int, int]) -> None:
        highest = [limits[i % 2] for i in range(4)]
        if len(margins) != 4 or not all(
            0 <= m <= most for m, most in zip(margins, highest, strict=True)
        ):
            self._fail(f"{name} must be four numbers of 0 to {limits}, got {margins}")

    def _check_convolution(self, layer: Convolution) -> None:
        if layer.weights.dtype != np.int16:
            self._fail(f"weights must be int16, got {layer.weights.dtype}")
        self._check_weight_shape(layer)
        kernel = (3, 3) if isinstance(layer, IntegerWinograd) else layer.weights.shape[-2:]
        self._check_margins("pads", layer.pads, (kernel[0] - 1, kernel[1] - 1))
        self._check_epilogue(layer.epilogue)
        if isinstance(layer, IntegerWinograd):
            self._check_winograd(layer)
            return
        if len(layer.stride) != 2 or not all(1 <= s <= MAX_STRIDE for s in layer.stride):
            self._fail(f"strides must be 1 to {MAX_STRIDE}, got {layer.stride}")
        if self._inputs[0].dtype == UINT8 and np.abs(layer.weights + 0.5).max() > 128:
            self._fail("weights for an input of uint8 must be -128 to 127")
        sums = bounds.largest_sums(layer.weights, layer.epilogue.bias, self._inputs[0])
        self._check_bound("sum", sums)

    def _check_weight_shape(self, layer: Convolution) -> None:
        outs, ins = self._value.channels, self._inputs[0].channels
        shape = layer.weights.shape
        match layer:
            case IntegerWinograd():
                fits, wanted = shape == (6, 6, outs, ins), f"(6, 6, {outs}, {ins})"
            case IntegerDepthwiseConv():
                fits = len(shape) == 3 and shape[0] == outs == ins
                wanted = f"({outs}, rows, columns) with {outs} input channels"
            case IntegerConv():
                fits, wanted = len(shape) == 4 and shape[:2] == (outs, ins), f"({outs}, {ins}, ...)"
        if not fits or 0 in shape:
            self._fail(f"weights must have shape {wanted}, got {shape} and {ins} input channels")

    def _check_epilogue(self, epilogue: Epilogue) -> None:
        self._check_numbers("bias", epilogue.bias)
        self._check_numbers("multipliers", epilogue.multipliers)
        self._check_numbers("negative_multipliers", epilogue.negative_multipliers)
        self._check_clamp(epilogue.lo, epilogue.hi)
        if epilogue.addend_multipliers is not None:
            if self._inputs[1].channels != self._value.channels:
                self._fail(f"the addend must have {self._value.channels} channels")
            self._check_numbers("addend_multipliers", epilogue.addend_multipliers)
            largest = bounds.largest_addends(epilogue.addend_multipliers, self._inputs[1])
            self._check_bound("addend", largest)

    def _check_winograd(self, layer: IntegerWinograd) -> None:
        if self._inputs[0].dtype != UINT8:
            self._fail(f"its input must be uint8, got {self._inputs[0].dtype}")
        if layer.shifts.dtype != np.uint8 or layer.shifts.shape != (6, 6):
            self._fail(f"shifts must be (6, 6) of uint8, got {layer.shifts.shape}")
        if layer.shifts.min() < 1 or layer.shifts.max() > bounds.LARGEST_SHIFT:
            self._fail(f"shifts must be 1 to {bounds.LARGEST_SHIFT}")
        if len(layer.phase) != 2 or not all(0 <= phase <= 3 for phase in layer.phase):
            self._fail(f"phase must be two numbers of 0 to 3, got {layer.phase}")
        products = bounds.largest_products(layer.weights, layer.shifts, self._inputs[0])
        self._check_bound("sum of products", products)
        outputs = bounds.largest_outputs(products, layer.shifts, layer.epilogue.bias)
        self._check_bound("sum", outputs)

    def _check_bound(self, name: str, largest: NDArray[np.int64]) -> None:
        if largest.max() >= bounds.LIMIT:
            self._fail(f"a {name} may reach {largest.max()}, beyond 32 bits")

    def _check_extents(self) -> None:
        layer, channels = self._layer, self._inputs[0].channels
        match layer:
            case Slice() if not 0 <= layer.first < layer.last <= channels:
                self._fail(f"channels {layer.first} to {layer.last} of {channels}")
            case Crop():
                self._check_margins("margins", layer.margins, (MAX_MARGIN, MAX_MARGIN))
            case DepthToSpace() if layer.block < 1 or channels % layer.block**2:
                self._fail(f"blocks of {layer.block} do not fit {channels} channels")
            case DepthToSpace() if layer.mode not in ("DCR", "CRD"):
                self._fail(f"mode must be DCR or CRD, got {layer.mode!r}")
            case SpaceToDepth() if not 1 <= layer.block <= MAX_CHANNELS:
                self._fail(f"block must be 1 to {MAX_CHANNELS}, got {layer.block}")
            case IntegerPad():
                self._check_margins("pads", layer.pads, (MAX_MARGIN, MAX_MARGIN))
                if layer.mode not in ("constant", "edge", "reflect"):
                    self._fail(f"mode must be constant, edge or reflect, got {layer.mode!r}")
                self._check_numbers("fills", layer.fills, np.int16)
                lo, hi = self._value.limits
                if layer.fills.min() < lo or layer.fills.max() > hi:
                    self._fail(f"fills must be {lo} to {hi}")

    def _check_moved(self) -> None:
        """The integers mean the same before and after."""
        inputs, value = self._inputs, self._value
        wanted = self._moved_count()
        if value.channels != wanted:
            self._fail(f"its output must have {wanted} channels, got {value.channels}")
        if any(source.dtype != value.dtype for source in inputs):
            self._fail("inputs and output must have equal dtypes")
        moved = moved_channels(self._layer, [source.channels for source in inputs]) or []
        for channel, sources in enumerate(moved):
            for index, c in sources:
                if (
                    inputs[index].zeros[c] != value.zeros[channel]
                    or inputs[index].scales[c] != value.scales[channel]
                ):
                    self._fail(f"scale or zero of channel {channel} changes")

    def _moved_count(self) -> int:
        """How many channels come out, before anything of that size is made."""
        match self._layer:
            case Concat():
                return sum(source.channels for source in self._inputs)
            case Slice():
                return self._layer.last - self._layer.first
            case DepthToSpace():
                return self._inputs[0].channels // self._layer.block**2
            case SpaceToDepth():
                return self._inputs[0].channels * self._layer.block**2
            case _:
                return self._inputs[0].channels
