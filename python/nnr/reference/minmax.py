"""The NumPy twin of `nnr.minmax`."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from .._arguments import (
    as_float_array,
    channel_layout,
    check_axis,
    check_threads,
    raise_not_finite,
)
from .._ranges import Float32Array


def minmax(
    array: object, *, axis: SupportsIndex | None = None, threads: SupportsIndex | None = None
) -> tuple[float, float] | tuple[Float32Array, Float32Array]:
    """See `nnr.minmax`; *threads* is checked and otherwise without meaning."""
    values = as_float_array(array)
    channel_axis = check_axis(axis, values.ndim)
    check_threads(threads)
    if values.size == 0:
        raise ValueError(f"array of shape {values.shape} is empty and has no range")
    lo, hi = channel_ranges(values, channel_axis)
    return (lo, hi) if channel_axis is not None else (float(lo[0]), float(hi[0]))


def channel_ranges(array: NDArray[Any], axis: int | None) -> tuple[Float32Array, Float32Array]:
    channels = as_channels(array, axis)
    if array.size == 0:
        return np.zeros(channels.shape[1], np.float32), np.zeros(channels.shape[1], np.float32)
    # Adding +0 turns -0 into +0, so that the result does not depend on the order of the values.
    return channels.min(axis=(0, 2)) + np.float32(0), channels.max(axis=(0, 2)) + np.float32(0)


def as_channels(array: NDArray[Any], axis: int | None) -> Float32Array:
    """The values in float32 as (outer, channels, inner), all finite."""
    with np.errstate(over="ignore"):
        values = array.astype(np.float32)
    not_finite = np.flatnonzero(~np.isfinite(values))
    if not_finite.size:
        raise_not_finite(array, int(not_finite[0]), "array")
    return values.reshape(channel_layout(array.shape, axis))
