"""Chooses what the integers of every value stand for.

Layers that move integers tie scales together: what comes out has the scale of what went in. Tied
channels form a class, whose range holds those of all its members.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers import Layer, Pad
from .grouping import Moving, Step
from .layers import UINT8, Float64Array, IntegerPad, IntegerValue, moved_channels
from .ranges import ChannelStatistics, Ranges, best_ranges

_UINT8_STEPS = 255
# Twice the range that the pictures for calibration need.
_INT16_STEPS = 16383
# A channel that is (nearly) always 0 gets this part of the largest scale of its value, so that it
# neither divides by zero nor makes the weights that read it vanish beside others.
_SMALLEST_SCALE = 2.0**-12
# A scale that is grown stays this much smaller than the largest of its value: it adds little noise.
_GROWN = 8


class Classes:
    """Channels of values that have one scale and one zero, as sets that can be joined."""

    def __init__(self, channels: Sequence[int]) -> None:
        self._starts = np.concatenate([[0], np.cumsum(channels)])
        self._parents = list(range(int(self._starts[-1])))

    def find(self, value: int, channel: int) -> int:
        """The number of a channel's class."""
        return self._root(int(self._starts[value]) + channel)

    def join(self, first: tuple[int, int], second: tuple[int, int]) -> None:
        """Make two channels of one class."""
        self._parents[self.find(*first)] = self.find(*second)

    def of_value(self, value: int) -> list[int]:
        """The class of each channel of a value."""
        count = int(self._starts[value + 1] - self._starts[value])
        return [self.find(value, c) for c in range(count)]

    def _root(self, item: int) -> int:
        while self._parents[item] != item:
            self._parents[item] = self._parents[self._parents[item]]
            item = self._parents[item]
        return item


def tied_channels(steps: Sequence[Step], channels: Sequence[int]) -> Classes:
    """The classes of a network's channels."""
    classes = Classes(channels)
    for step in steps:
        for channel, sources in enumerate(_moved(step.head, channels)):
            for index, c in sources:
                classes.join((step.value, channel), (step.head.inputs[index], c))
        if step.clips and not isinstance(step.head, Moving):
            for c in range(1, channels[step.value]):
                classes.join((step.value, c), (step.value, 0))
    return classes


def _moved(layer: Layer, channels: Sequence[int]) -> list[list[tuple[int, int]]]:
    counts = [channels[i] for i in layer.inputs]
    if isinstance(layer, Pad):
        fills = np.zeros(counts[0], np.int16)
        layer = IntegerPad(layer.name, layer.inputs, layer.pads, layer.mode, fills)
    return moved_channels(layer, counts) or []


@dataclass
class _ClassRange:
    lo: float = 0.0
    hi: float = 0.0

    def extend(self, lo: float, hi: float) -> None:
        self.lo, self.hi = min(self.lo, lo), max(self.hi, hi)


class Scales:
    """The `IntegerValue` of each value of a float network.

    Parameters
    ----------
    steps : sequence of Step
    channels : sequence of int
        Of every value of the float network.
    ranges : Ranges
        Of every value of the float network.
    dtypes : dict
        What `choose_dtypes` says.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        channels: Sequence[int],
        ranges: Ranges,
        dtypes: dict[int, Any],
    ) -> None:
        self.classes = tied_channels(steps, channels)
        self._dtypes = dtypes
        self._ranges: dict[int, _ClassRange] = {}
        self._sources: dict[int, set[int]] = {}
        self._forced: dict[int, float] = {}
        self._extend(0, ranges[0])
        for step in steps:
            if not isinstance(step.head, Moving):
                self._extend(step.value, ranges[step.value])
            elif isinstance(step.head, Pad) and step.head.mode == "constant":
                for c in range(channels[step.value]):
                    self._range(step.value, c).extend(step.head.value, step.head.value)

    def force(self, value: int, scales: Float64Array) -> bool:
        """Give a value of int16 these scales; False if other values are tied to it, or channels.

        Values that layers move from it are not in the way.
        """
        wanted: dict[int, float] = {}
        for key, scale in zip(self.classes.of_value(value), scales, strict=True):
            if self._sources[key] != {value} or wanted.setdefault(key, scale) != scale:
                return False
        self._forced.update(wanted)
        return True

    def grow(self, value: int, needed: Float64Array) -> None:
        """Enlarge scales of a value to those needed, where that costs next to nothing.

        Only of channels to which no other value is tied, and those of 8 bits not beyond a part of
        the largest. In 16 bits, what is needed is the precision of the sum.
        """
        chosen = self.value(value)
        is_uint8 = chosen.dtype == UINT8
        steps = _UINT8_STEPS if is_uint8 else _INT16_STEPS
        most = chosen.scales.max() / _GROWN if is_uint8 else np.inf
        for c, key in enumerate(self.classes.of_value(value)):
            free = self._sources[key] == {value} and key not in self._forced
            if free and chosen.scales[c] < needed[c] <= most:
                found = self._ranges[key]
                found.extend(0.0, found.lo + needed[c] * (1 + 2.0**-20) * steps)

    def value(self, value: int) -> IntegerValue:
        """Scales and zeros of one value, by the classes of its channels."""
        keys = self.classes.of_value(value)
        ends = np.array([[self._ranges[key].lo, self._ranges[key].hi] for key in keys])
        chosen = value_of(ends, self._dtypes[value])
        scales = [self._forced.get(key, chosen.scales[c]) for c, key in enumerate(keys)]
        return replace(chosen, scales=np.array(scales, np.float64))

    def _range(self, value: int, channel: int) -> _ClassRange:
        return self._ranges.setdefault(self.classes.find(value, channel), _ClassRange())

    def _extend(self, value: int, statistics: ChannelStatistics) -> None:
        if self._dtypes[value] == UINT8:
            ends = best_ranges(statistics, _UINT8_STEPS)
        else:
            ends = np.stack([statistics.minimum, statistics.maximum], axis=1)
        # A class may have channels of several values, whose smallest scales must then agree.
        widest = float((ends[:, 1].clip(0) - ends[:, 0].clip(None, 0)).max()) or 1.0
        for c, (lo, hi) in enumerate(ends):
            self._range(value, c).extend(lo, max(hi, lo + widest * _SMALLEST_SCALE))
            self._sources.setdefault(self.classes.find(value, c), set()).add(value)


def value_of(ends: Float64Array, dtype: np.dtype[Any]) -> IntegerValue:
    """Scales and zeros for ranges of shape (channels, 2), each of which holds 0."""
    lows, highs = ends[:, 0], ends[:, 1]
    if dtype == UINT8:
        scales = (highs - lows) / _UINT8_STEPS
        zeros: NDArray[Any] = np.rint(-lows / scales).astype(np.uint8)
    else:
        scales = np.maximum(-lows, highs) / _INT16_STEPS
        zeros = np.zeros(len(ends), np.int16)
    return IntegerValue(len(ends), np.dtype(dtype), scales, zeros)
