"""The NumPy twins of `nnr.quantize` and `nnr.dequantize`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .._arguments import (
    as_float_array,
    as_float_arrays,
    channel_layout,
    check_axis,
    check_bits,
    check_out,
    check_threads,
    packed_size,
)
from .._ranges import RangeLike, check_range, check_representable, steps
from .bitpack import pack, unpack
from .minmax import as_channels, channel_ranges

if TYPE_CHECKING:
    from ..quantized_array import QuantizedArray


def quantize(
    array: object,
    bits: SupportsIndex = 8,
    *,
    lo: RangeLike | None = None,
    hi: RangeLike | None = None,
    axis: SupportsIndex | None = None,
    out: NDArray[np.uint8] | None = None,
    threads: SupportsIndex | None = None,
) -> QuantizedArray:
    """See `nnr.quantize`; *threads* is checked and otherwise without meaning."""
    from ..quantized_array import QuantizedArray

    values = as_float_array(array)
    width = check_bits(bits)
    channel_axis = check_axis(axis, values.ndim)
    check_threads(threads)
    if out is not None:
        check_out(out, (packed_size(values.size, width),), np.dtype(np.uint8), values)
    layout = channel_layout(values.shape, channel_axis)
    if lo is None and hi is None:
        low, high = channel_ranges(values, channel_axis)
        check_representable(low, high, width, channel_axis)
    else:
        low, high = check_range(lo, hi, layout[1], width, channel_axis)
    x = as_channels(values, channel_axis)
    low_column, high_column = low[:, None], high[:, None]
    step = steps(low, high, width)[:, None].astype(np.float64)
    inv_step = np.divide(1, step, out=np.zeros_like(step), where=step > 0).astype(np.float32)
    with np.errstate(over="ignore", under="ignore"):  # far outside a known range, then clipped
        level = np.rint((x - low_column) * inv_step)
    codes = np.clip(level, 0, (1 << width) - 1).astype(np.uint16)
    clipped = int(np.count_nonzero((x < low_column) | (x > high_column)))
    packed = pack(codes, width, out=out)
    return QuantizedArray(
        packed, width, values.shape, values.dtype, low, high, axis=channel_axis, clipped=clipped
    )


def quantize_many(
    arrays: Mapping[str, object],
    bits: SupportsIndex = 8,
    *,
    axis: SupportsIndex | None = None,
    threads: SupportsIndex | None = None,
) -> dict[str, QuantizedArray]:
    """See `nnr.quantize_many`; *threads* is checked, and errors of values name no tensor."""
    values = zip(arrays, as_float_arrays(arrays), strict=True)
    return {name: quantize(array, bits, axis=axis, threads=threads) for name, array in values}


def dequantize(
    quantized: QuantizedArray,
    *,
    out: NDArray[Any] | None = None,
    dtype: DTypeLike | None = None,
    threads: SupportsIndex | None = None,
) -> NDArray[Any]:
    """See `nnr.dequantize`; *threads* is checked and otherwise without meaning."""
    from ..quantize import output_array

    check_threads(threads)
    out = output_array(quantized, out, dtype)
    low, high = quantized.channel_lo[:, None], quantized.channel_hi[:, None]
    step = steps(low, high, quantized.bits)
    codes = unpack(quantized.packed, quantized.bits, quantized.size)
    layout = channel_layout(quantized.shape, quantized.axis)
    with np.errstate(over="ignore", under="ignore"):
        x = low + codes.reshape(layout).astype(np.float32) * step
        out[...] = x.astype(out.dtype).reshape(quantized.shape)
    return out
