"""Compiles a float network to integers; docs/integer.md defines what the result computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..layers import (
    Add,
    Affine,
    Clip,
    Conv,
    DepthwiseConv,
    Float32Array,
    Graph,
    Layer,
    Mul,
    Pad,
    Slope,
)
from . import epilogues
from .dtypes import choose_dtypes, residual_starts
from .grouping import Moving, Step, group, value_channels
from .layers import (
    INT16,
    UINT8,
    Epilogue,
    Float64Array,
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
from .ranges import ChannelStatistics, Ranges
from .scales import Scales, value_of
from .validate import validate
from .weights import Folded, RoundedWeights, round_direct, round_winograd

# Below it, transforming costs more than it saves.
_WINOGRAD_CHANNELS = 16
# Less is not worth a layer of its own.
_SMALLEST_SPREADING = 4


@dataclass(frozen=True)
class OutputFormat:
    """What the integers of an output are: their scale, and the range that they are clamped to."""

    scale: float
    lo: int
    hi: int


def compile_graph(
    graph: Graph,
    ranges: Ranges,
    *,
    activation_bits: int = 8,
    input_scales: Sequence[float] | None = None,
    output: OutputFormat | None = None,
    phases: Mapping[int, tuple[int, int]] | None = None,
) -> IntegerGraph:
    """Make the integer network of a float network.

    Parameters
    ----------
    graph : Graph
        The float network.
    ranges : Ranges
        What its values hold; see `observe_ranges`.
    activation_bits : {8, 16}
        Bits of the values between convolutions.
    input_scales : sequence of float, optional
        What 1 stands for in each channel of the input; by default by *ranges*.
    output : OutputFormat, optional
        By default by *ranges*.
    phases : mapping of int to (int, int), optional
        The row and the column, modulo 4, at which the blocks of a 3x3 convolution begin, by the
        number of the float value that the convolution gives, activation included; by default 0.

    Raises
    ------
    ValueError
        An argument is out of its range.
    """
    if activation_bits not in (8, 16):
        raise ValueError(f"activation_bits must be 8 or 16, got {activation_bits}")
    if input_scales is not None and len(input_scales) != graph.in_channels:
        raise ValueError(
            f"input_scales must be {graph.in_channels} numbers, got {len(input_scales)}"
        )
    if len(ranges) != len(graph.layers) + 1:
        raise ValueError(
            f"ranges must be those of {len(graph.layers) + 1} values, got {len(ranges)}"
        )
    compiler = _Compiler(graph, ranges, activation_bits, phases or {})
    compiled = compiler.run(input_scales, output)
    validate(compiled)
    return compiled


class _Compiler:
    def __init__(
        self,
        graph: Graph,
        ranges: Ranges,
        activation_bits: int,
        phases: Mapping[int, tuple[int, int]],
    ) -> None:
        self._graph = graph
        self._ranges = ranges
        self._phases = phases
        self._steps = group(graph)
        dtypes = choose_dtypes(self._steps, graph.output, activation_bits)
        self._scales = Scales(self._steps, value_channels(graph), ranges, dtypes)
        self._starts = residual_starts(self._steps, dtypes)
        self._values: list[IntegerValue] = []
        self._layers: list[Layer] = []
        # The integer value of each float value that a step gives.
        self._places: dict[int, int] = {}
        # The copies of 8 bits that convolutions read of values that additions read with 16.
        self._copies: dict[int, int] = {}
        self._clamps: dict[int, tuple[int, int]] = {}

    def run(
        self, input_scales: Sequence[float] | None, output: OutputFormat | None
    ) -> IntegerGraph:
        self._begin(input_scales)
        direct = output is not None and self._force_output(output)
        for step in self._steps:
            place = self._places[step.value] = self._step(step)
            if step.value in self._starts:
                copy = self._scales.value(step.value)
                self._copies[step.value] = self._rescale(step.head.name, place, copy)
        place = self._places[self._graph.output]
        if output is not None and not direct:
            scales = np.full(self._values[place].channels, output.scale)
            place = self._rescale("output", place, _int16(scales), (output.lo, output.hi))
        return IntegerGraph(tuple(self._values), tuple(self._layers), place)

    def _begin(self, input_scales: Sequence[float] | None) -> None:
        self._places[0] = 0
        if input_scales is None:
            self._values.append(self._scales.value(0))
            return
        scales = np.array(input_scales, np.float64)
        self._values.append(_int16(scales))
        factors = _spreading(scales, self._ranges[0])
        forced = self._scales.force(0, scales / factors)
        if not forced or (factors > 1).any():
            self._places[0] = self._rescale("input", 0, self._scales.value(0))

    def _force_output(self, output: OutputFormat) -> bool:
        """Whether the step that gives the output can do so in its format."""
        value = self._graph.output
        used = any(value in step.inputs for step in self._steps)
        step = next((step for step in self._steps if step.value == value), None)
        if used or step is None or isinstance(step.head, Moving):
            return False
        channels = self._scales.value(value).channels
        self._clamps[value] = output.lo, output.hi
        return self._scales.force(value, np.full(channels, output.scale))

    def _step(self, step: Step) -> int:
        match step.head:
            case Conv() | DepthwiseConv():
                return self._convolution(step, step.head)
            case Slope() | Affine() | Clip():
                return self._element(step, step.head)
            case Add() | Mul():
                return self._pair(step, step.head)
            case _:
                return self._move(step)

    def _append(self, layer: Layer, value: IntegerValue) -> int:
        self._layers.append(layer)
        self._values.append(value)
        return len(self._layers)

    def _source(self, value: int) -> int:
        """What a convolution reads of a value."""
        return self._copies.get(value, self._places[value])

    def _target(self, step: Step, needed: Float64Array) -> tuple[IntegerValue, tuple[int, int]]:
        """The value that a step gives, with the scales needed if it can have them, and its clamp."""
        if step.value in self._starts:
            value = self._wide(step, needed)
            return value, value.limits
        self._scales.grow(step.value, needed)
        value = self._scales.value(step.value)
        lo, hi = epilogues.clamp_of(value, step.lo, step.hi)
        lowest, highest = self._clamps.get(step.value, value.limits)
        lo = min(max(lo, lowest), highest)
        return value, (lo, max(lo, min(hi, highest)))

    def _wide(self, step: Step, needed: Float64Array) -> IntegerValue:
        """A value for what a step has before addend and clip, with at least these scales."""
        statistics = self._ranges[step.summed]
        ends = np.stack([statistics.minimum, statistics.maximum], axis=1)
        return _int16(np.maximum(value_of(ends, INT16).scales, needed))

    def _convolution(self, step: Step, head: Conv | DepthwiseConv) -> int:
        slopes = np.ones(1, np.float32) if step.slopes is None else step.slopes
        per_channel = epilogues.per_channel(slopes, len(head.weights))
        steepest = np.maximum(1.0, np.abs(per_channel))
        addend = None if step.addend is None else self._places[step.addend]
        wanted, _ = self._target(step, np.zeros(len(head.weights)))
        rounded = self._round(head, wanted, addend is not None)
        bits = epilogues.sum_bits(addend is not None)
        needed = epilogues.smallest_scales(rounded.units * steepest, bits)
        value, clamp = self._target(step, needed)
        addend_value = None if addend is None else self._values[addend]
        if (value.scales >= needed).all() and epilogues.reaches(value, addend_value):
            epilogue = epilogues.epilogue(rounded, per_channel, value, addend_value, clamp)
            return self._append(self._layer(step, head, rounded, addend, epilogue), value)
        needed = epilogues.smallest_scales(rounded.units * steepest, epilogues.HIGH_BITS)
        wide = self._wide(step, needed)
        rounded = self._round(head, wide, False)
        epilogue = epilogues.epilogue(rounded, per_channel, wide, None, wide.limits)
        place = self._append(self._layer(step, head, rounded, None, epilogue), wide)
        if addend is None:
            return self._rescale(head.name, place, value, clamp)
        return self._add(head.name, (place, addend), value, clamp)

    def _round(
        self, head: Conv | DepthwiseConv, value: IntegerValue, has_addend: bool
    ) -> RoundedWeights:
        source = self._values[self._source(head.inputs[0])]
        folded = _fold(head, source, self._ranges[head.inputs[0]].mean)
        if _is_winograd(head, source):
            return round_winograd(folded, epilogues.smallest_units(value, has_addend))
        return round_direct(folded)

    def _layer(
        self,
        step: Step,
        head: Conv | DepthwiseConv,
        rounded: RoundedWeights,
        addend: int | None,
        epilogue: Epilogue,
    ) -> Layer:
        place = self._source(head.inputs[0])
        inputs = (place,) if addend is None else (place, addend)
        weights = rounded.weights
        if rounded.shifts is not None:
            phase = self._phases.get(step.value, (0, 0))
            shifts = rounded.shifts
            return IntegerWinograd(head.name, inputs, weights, shifts, head.pads, phase, epilogue)
        if isinstance(head, DepthwiseConv):
            weights = weights[:, 0]
            return IntegerDepthwiseConv(
                head.name, inputs, weights, head.pads, head.stride, epilogue
            )
        return IntegerConv(head.name, inputs, weights, head.pads, head.stride, epilogue)

    def _element(self, step: Step, head: Slope | Affine | Clip) -> int:
        place = self._places[head.inputs[0]]
        source = self._values[place]
        positive, slopes, offsets = _element_of(head, source.channels)
        ratios = source.scales * positive * np.maximum(1.0, np.abs(slopes))
        needed = np.maximum(
            epilogues.smallest_scales(ratios, epilogues.RESCALE_BITS),
            epilogues.smallest_scales(offsets, epilogues.RESCALE_BITS),
        )
        value, clamp = self._target(step, needed)
        fits = bool((value.scales >= needed).all())
        target = value if fits else self._wide(step, needed)
        ratios = source.scales * positive / target.scales
        layer = IntegerRescale(
            head.name,
            (place,),
            epilogues.integers(ratios, epilogues.RESCALE_BITS),
            epilogues.integers(ratios * slopes, epilogues.RESCALE_BITS),
            epilogues.integers(offsets / target.scales, epilogues.RESCALE_BITS),
            *(clamp if fits else target.limits),
        )
        result = self._append(layer, target)
        return result if fits else self._rescale(head.name, result, value, clamp)

    def _pair(self, step: Step, head: Add | Mul) -> int:
        first, second = (self._places[i] for i in head.inputs)
        if isinstance(head, Add):
            value, clamp = self._target(step, np.zeros(self._values[first].channels))
            return self._add(head.name, (first, second), value, clamp)
        products = self._values[first].scales * self._values[second].scales
        needed = epilogues.smallest_scales(products, epilogues.MUL_BITS)
        value, clamp = self._target(step, needed)
        fits = bool((value.scales >= needed).all())
        target = value if fits else self._wide(step, needed)
        multipliers = epilogues.integers(products / target.scales, epilogues.MUL_BITS)
        limits = clamp if fits else target.limits
        result = self._append(IntegerMul(head.name, (first, second), multipliers, *limits), target)
        return result if fits else self._rescale(head.name, result, value, clamp)

    def _add(
        self, name: str, places: tuple[int, int], value: IntegerValue, clamp: tuple[int, int]
    ) -> int:
        first, second = (
            epilogues.integers(self._values[place].scales / value.scales, epilogues.RESCALE_BITS)
            for place in places
        )
        return self._append(IntegerAdd(name, places, first, second, *clamp), value)

    def _rescale(
        self, name: str, place: int, value: IntegerValue, clamp: tuple[int, int] | None = None
    ) -> int:
        ratios = self._values[place].scales / value.scales
        multipliers = epilogues.integers(ratios, epilogues.RESCALE_BITS)
        offsets = np.zeros(value.channels, np.int32)
        limits = value.limits if clamp is None else clamp
        layer = IntegerRescale(name, (place,), multipliers, multipliers, offsets, *limits)
        return self._append(layer, value)

    def _move(self, step: Step) -> int:
        value = self._scales.value(step.value)
        places = tuple(self._places[i] for i in step.head.inputs)
        layer = step.head
        if isinstance(layer, Pad):
            fill = layer.value if layer.mode == "constant" else 0.0
            fills = np.rint(fill / value.scales) + value.zeros
            fills = np.clip(fills, *value.limits).astype(np.int16)
            return self._append(
                IntegerPad(layer.name, places, layer.pads, layer.mode, fills), value
            )
        return self._append(replace(layer, inputs=places), value)


def _int16(scales: Float64Array) -> IntegerValue:
    return IntegerValue(len(scales), INT16, scales, np.zeros(len(scales), np.int16))


def _spreading(scales: Float64Array, statistics: ChannelStatistics) -> Float64Array:
    """Factors that make the integers of all channels of an input about as large.

    The sum of all weights of a convolution is bounded as if every integer could be the largest of
    16 bits. Where those of one channel (a QP) are far smaller than those of another (samples), the
    weights of the one would leave few bits for those of the other.
    """
    used = np.maximum(-statistics.minimum, statistics.maximum) / scales
    used = np.maximum(used, 1.0)
    factors = np.floor(np.minimum(used.max() / used, 32767 / 2 / used))
    return np.where(factors >= _SMALLEST_SPREADING, factors, 1.0)


def _is_winograd(head: Conv | DepthwiseConv, source: IntegerValue) -> bool:
    return (
        isinstance(head, Conv)
        and source.dtype == UINT8
        and head.weights.shape[2:] == (3, 3)
        and head.stride == (1, 1)
        and min(head.weights.shape[:2]) >= _WINOGRAD_CHANNELS
    )


def _fold(head: Conv | DepthwiseConv, source: IntegerValue, means: Float64Array) -> Folded:
    weights = head.weights.astype(np.float64)
    bias = np.zeros(len(weights)) if head.bias is None else head.bias.astype(np.float64)
    if isinstance(head, DepthwiseConv):
        weights = weights[:, None] * source.scales[:, None, None, None]
        axis = 1
    else:
        weights = weights * source.scales[:, None, None]
        axis = 0
    zeros = np.expand_dims(source.zeros.astype(np.float64), axis)
    return Folded(weights, bias, zeros, np.expand_dims(means / source.scales, axis), source)


def _element_of(
    head: Slope | Affine | Clip, channels: int
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Factors, factors of negative numbers beside them, and offsets, a channel."""

    def spread(numbers: Float32Array) -> Float64Array:
        return epilogues.per_channel(numbers, channels)

    ones, nothing = np.ones(channels), np.zeros(channels)
    match head:
        case Slope():
            return ones, spread(head.slopes), nothing
        case Affine():
            return spread(head.scales), ones, spread(head.offsets)
        case Clip():
            return ones, ones, nothing
