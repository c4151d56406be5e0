"""The uniform scalar quantiser: floats to packed codes and back."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike, NDArray

from . import _core
from ._arguments import (
    as_float_array,
    channel_layout,
    check_axis,
    check_bits,
    check_float_dtype,
    check_out,
    check_threads,
    float_type_of,
    raise_not_finite,
)
from ._ranges import RangeLike, check_range, check_representable
from .minmax import channel_ranges
from .quantized_array import QuantizedArray


def quantize(
    array: object,
    bits: SupportsIndex = 8,
    *,
    lo: RangeLike | None = None,
    hi: RangeLike | None = None,
    axis: SupportsIndex | None = None,
    threads: SupportsIndex | None = None,
) -> QuantizedArray:
    """Quantise a tensor uniformly to codes of *bits* bits.

    ``code = clip(rint((x - lo) / step), 0, 2**bits - 1)`` with ``step = (hi - lo) / (2**bits - 1)``,
    computed in float32, halves to even: the uniform quantiser with known minimum, maximum and
    number of bits. Every value within the range comes back to within half a step.

    Parameters
    ----------
    array : array-like of float16, bfloat16, float32 or float64
        Any shape and strides, 0-d and empty too; CPU tensors through DLPack. float64 is read as
        float32.
    bits : int
        1 to 16.
    lo, hi : float or array-like, optional
        A known range, both or neither; one number, or one a channel where *axis* is given. Values
        outside are clipped and counted. Without it the range is that of the values.
    axis : int, optional
        The channel axis: one range for each index along it. None is one range for the tensor.
    threads : int, optional
        None chooses; the result does not depend on it.

    Returns
    -------
    QuantizedArray

    Raises
    ------
    TypeError
        The array is not of floats.
    ValueError
        *bits* is outside 1 to 16, ``lo >= hi``, the range is wider than float32, or a value is
        NaN or infinite; the message names the first such index.

    Examples
    --------
    >>> weights = np.random.default_rng(1).normal(size=(64, 64, 3, 3)).astype(np.float32)
    >>> q = nnr.quantize(weights, bits=8)
    >>> weights.nbytes, q.nbytes
    (147456, 36872)
    >>> bool(np.max(np.abs(q.dequantize() - weights)) <= q.step / 2 * 1.001)
    True
    """
    values = as_float_array(array)
    width = check_bits(bits)
    channel_axis = check_axis(axis, values.ndim)
    workers = check_threads(threads)
    layout = channel_layout(values.shape, channel_axis)
    if lo is None and hi is None:
        low, high = channel_ranges(values, channel_axis, workers)
        check_representable(low, high, width, channel_axis)
    else:
        low, high = check_range(lo, hi, layout[1], width, channel_axis)
    packed, clipped, not_finite = _core.quantize(
        values, float_type_of(values.dtype), layout, low, high, width, workers
    )
    if not_finite is not None:
        raise_not_finite(values, not_finite, "array")
    return QuantizedArray._from_quantizer(packed, width, values, channel_axis, (low, high), clipped)


def dequantize(
    quantized: QuantizedArray,
    *,
    out: NDArray[Any] | None = None,
    dtype: DTypeLike | None = None,
    threads: SupportsIndex | None = None,
) -> NDArray[Any]:
    """Turn codes back into values: ``x = lo + code * step`` in float32, then the dtype asked for.

    Parameters
    ----------
    quantized : QuantizedArray
    out : float array of the tensor's shape, optional
        C-contiguous; its dtype is the result's.
    dtype : float dtype, optional
        The tensor's original dtype by default.
    threads : int, optional
        None chooses; the result does not depend on it.

    Returns
    -------
    ndarray of the tensor's shape; *out* where it is given

    Examples
    --------
    >>> q = nnr.quantize(np.float32([[0, 1], [2, 3]]), bits=2)
    >>> nnr.dequantize(q, dtype=np.float64)
    array([[0., 1.],
           [2., 3.]])
    """
    if not isinstance(quantized, QuantizedArray):
        raise TypeError(f"quantized must be a QuantizedArray, got {type(quantized).__name__}")
    workers = check_threads(threads)
    out = output_array(quantized, out, dtype)
    layout = channel_layout(quantized.shape, quantized.axis)
    _core.dequantize(
        quantized.packed,
        quantized.channel_lo,
        quantized.channel_hi,
        quantized.bits,
        out,
        float_type_of(out.dtype),
        layout,
        workers,
    )
    return out


def output_array(
    quantized: QuantizedArray, out: NDArray[Any] | None, dtype: DTypeLike | None
) -> NDArray[Any]:
    """The array that a dequantisation fills: *out* if given and fit, otherwise a new one."""
    wanted = None if dtype is None else np.dtype(dtype)
    if out is None:
        wanted = quantized.dtype if wanted is None else wanted
        check_float_dtype(wanted, "dtype")
        return np.empty(quantized.shape, wanted)
    check_out(out, quantized.shape, wanted, quantized.packed)
    check_float_dtype(out.dtype, "out")
    return out
