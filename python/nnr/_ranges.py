"""The ranges of a quantiser, one a channel, and the steps that follow from them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core

Float32Array = NDArray[np.float32]
# One number for the whole tensor, or one value a channel.
ChannelValues = float | Float32Array
RangeLike = float | ArrayLike

FLOAT32_MAX = float(np.finfo(np.float32).max)


def as_float(number: float | np.floating[Any]) -> float:
    """An end of a range; infinite where it is an integer beyond every float."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def channel_array(values: ChannelValues) -> Float32Array:
    """One value a channel, also where there is one range for all."""
    return np.atleast_1d(np.asarray(values, np.float32))


def steps(lo: Float32Array, hi: Float32Array, bits: int) -> Float32Array:
    """The quantisation step of every channel.

    ``(hi - lo) / (2**bits - 1)`` in double, rounded to float32, and at least the smallest normal
    float32, so that its inverse is finite; 0 where ``lo == hi``.
    """
    width = hi.astype(np.float64) - lo.astype(np.float64)
    with np.errstate(under="ignore"):
        step = (width / ((1 << bits) - 1)).astype(np.float32)
    smallest = np.finfo(np.float32).smallest_normal
    return np.where(lo == hi, np.float32(0), np.maximum(step, smallest))


def check_range(
    lo: RangeLike | None, hi: RangeLike | None, channels: int, bits: int, axis: int | None
) -> tuple[Float32Array, Float32Array]:
    """A known range as one float32 value a channel each, with ``lo < hi``."""
    if lo is None or hi is None:
        raise ValueError("lo and hi are given together or not at all")
    low, high = (_range_array(value, channels, axis) for value in (lo, hi))
    is_below = low < high
    if not is_below.all():
        wrong = int(is_below.argmin())
        where = "" if axis is None else f" in channel {wrong}"
        raise ValueError(
            f"lo must be below hi (as float32), got lo={low[wrong]:g} hi={high[wrong]:g}{where}"
        )
    check_representable(low, high, bits, axis)
    return low, high


def _range_array(value: RangeLike, channels: int, axis: int | None) -> Float32Array:
    array = np.asarray(as_float(value) if isinstance(value, int) else value, np.float64)
    if array.ndim > 1 or (axis is None and array.ndim) or array.size not in (1, channels):
        wanted = "one number" if axis is None else f"one number or {channels}, one a channel"
        raise ValueError(f"lo and hi must be {wanted}, got shape {array.shape}")
    with np.errstate(over="ignore"):
        is_finite = np.isfinite(array.astype(np.float32)).all()
    if not is_finite:
        raise ValueError(f"lo and hi must be finite in float32, got {value!r}")
    return np.full(channels, array, np.float32)


def check_representable(
    lo: Float32Array, hi: Float32Array, bits: int, axis: int | None, name: str = "array"
) -> None:
    """Neither the width of a range nor its last code's value may overflow float32."""
    channel = _core.first_overflowing(lo, hi, bits)
    if channel is not None:
        where = "" if axis is None else f" of channel {channel}"
        raise ValueError(
            f"the range{where} of {name}, {lo[channel]:g} to {hi[channel]:g}, overflows float32; "
            "scale the values down"
        )
