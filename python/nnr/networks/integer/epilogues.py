"""Multipliers between the integers of two values, and which scales they can reach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import bounds
from .layers import Epilogue, Float64Array, Int32Array, IntegerValue
from .weights import RoundedWeights

# What a multiplier of 1 stands for in each formula of docs/integer.md.
HIGH_BITS = 32
RESCALE_BITS = 16
MUL_BITS = 32
_LARGEST = float(bounds.LIMIT - 1)
# The smallest multiplier of a convolution that is wanted, which rounds to one part in 2^17.
_SMALLEST = 2.0**16


def smallest_scales(ratios: Float64Array, bits: int) -> Float64Array:
    """The smallest scales that ``ratio / scale * 2^bits`` can reach within 31 bits."""
    return np.abs(ratios) * (2.0**bits / (_LARGEST - 1))


def integers(ratios: Float64Array, bits: int) -> Int32Array:
    """``ratio * 2^bits``, rounded and saturated."""
    return np.clip(np.rint(ratios * 2.0**bits), -_LARGEST, _LARGEST).astype(np.int32)


def sum_bits(has_addend: bool) -> int:
    """The bits of a convolution's multipliers."""
    return HIGH_BITS + bounds.ADDEND_BITS * has_addend


def smallest_units(value: IntegerValue, has_addend: bool) -> Float64Array:
    """The smallest units of a sum for which multipliers are precise."""
    return value.scales * (_SMALLEST / 2.0 ** sum_bits(has_addend))


def reaches(value: IntegerValue, addend: IntegerValue | None) -> bool:
    """Whether the multipliers of an addend fit, if there is one."""
    if addend is None:
        return True
    multipliers = np.rint(addend.scales / value.scales * 2.0 ** (2 * bounds.ADDEND_BITS))
    if multipliers.max() > _LARGEST:
        return False
    largest = bounds.largest_addends(multipliers.astype(np.int64), addend)
    return bool(largest.max() < bounds.LIMIT)


def epilogue(
    rounded: RoundedWeights,
    slopes: Float64Array,
    value: IntegerValue,
    addend: IntegerValue | None,
    clamp: tuple[int, int],
) -> Epilogue:
    """From sums to a value that `reaches` accepts."""
    ratios, bits = rounded.units / value.scales, sum_bits(addend is not None)
    addend_multipliers = None
    if addend is not None:
        addend_multipliers = integers(addend.scales / value.scales, 2 * bounds.ADDEND_BITS)
    return Epilogue(
        rounded.bias,
        integers(ratios, bits),
        integers(ratios * slopes, bits),
        addend_multipliers,
        *clamp,
    )


def clamp_of(value: IntegerValue, lo: float, hi: float) -> tuple[int, int]:
    """The integers that two real bounds are; where one is finite, all channels have one scale."""
    integers_of = [np.rint(bound / value.scales[0]) + float(value.zeros[0]) for bound in (lo, hi)]
    ends = [int(np.clip(integer, *value.limits)) for integer in integers_of]
    return min(ends), ends[1]


def per_channel(numbers: NDArray[np.float32], channels: int) -> Float64Array:
    """One number for all channels, or one a channel, as one a channel."""
    return np.broadcast_to(numbers.astype(np.float64), (channels,)).copy()
