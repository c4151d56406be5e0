"""The uniform scalar quantiser: floats to packed codes and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsIndex, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from . import _core
from ._arguments import (
    as_float_array,
    as_float_arrays,
    channel_layout,
    check_axis,
    check_bits,
    check_float_dtype,
    check_integer,
    check_out,
    check_threads,
    packed_size,
    raise_not_finite,
)
from ._ranges import (
    ChannelValues,
    RangeLike,
    as_float,
    channel_array,
    check_range,
    check_representable,
)
from .quantized_array import QuantizedArray

_NUMBERS = (float, int, np.floating)


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
    """Quantise a tensor uniformly to codes of *bits* bits.

    ``code = clip(rint((x - lo) / step), 0, 2**bits - 1)`` with ``step = (hi - lo) / (2**bits - 1)``,
    computed in float32, halves to even: the uniform quantiser with known minimum, maximum and
    number of bits. Every value within the range comes back to within half a step, up to the
    rounding of float32.

    Parameters
    ----------
    array : array-like of float16, bfloat16, float32 or float64
        Any shape and strides, 0-d and empty too; CPU tensors through DLPack. float64 is read as
        float32. Nothing is copied: what does not lie in C order is gathered a block at a time.
    bits : int
        1 to 16.
    lo, hi : float or array-like, optional
        A known range, both or neither; one number, or one a channel where *axis* is given. Values
        outside are clipped and counted. Without it the range is that of the values.
    axis : int, optional
        The channel axis: one range for each index along it. None is one range for the tensor.
    out : uint8 array of one dimension, optional
        What becomes the result's `packed`: ``ceil(array.size * bits / 8)`` bytes, C-contiguous.
    threads : int, optional
        None chooses; the result does not depend on it.

    Returns
    -------
    QuantizedArray

    Raises
    ------
    TypeError
        The array is not of floats, is masked or not in CPU memory, or *out* is no uint8 array.
    ValueError
        *bits*, *axis* or *threads* is outside its range, only one of *lo* and *hi* is given,
        ``lo >= hi``, the range is wider than float32, or a value is NaN or infinite (the message
        names the first such index); *out* has another size, is read-only, not C-contiguous, or
        shares a stretch of memory with the array. What *out* then holds is unspecified.

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
    if out is not None:
        check_out(out, (packed_size(values.size, width),), np.dtype(np.uint8), values)
    if lo is None and hi is None:
        return _quantize_searched([values], ["array"], width, channel_axis, out, workers)[0]

    low: ChannelValues
    high: ChannelValues
    if channel_axis is None and isinstance(lo, _NUMBERS) and isinstance(hi, _NUMBERS):
        low, high = as_float(lo), as_float(hi)
    else:
        low, high = _check_known(lo, hi, values, width, channel_axis)
    quantized, not_finite = _core.quantize(
        QuantizedArray, values, width, low, high, channel_axis, out, workers
    )
    if not_finite is not None:
        raise_not_finite(values, not_finite, "array")
    if quantized is None:  # the range is none, and the check says why
        _check_known(lo, hi, values, width, channel_axis)
    return cast("QuantizedArray", quantized)


def quantize_many(
    arrays: Mapping[str, object],
    bits: SupportsIndex = 8,
    *,
    axis: SupportsIndex | None = None,
    threads: SupportsIndex | None = None,
) -> dict[str, QuantizedArray]:
    """Quantise many tensors, such as a state dict, each over its own range; see `quantize`.

    One call of native code, so that small tensors cost what their values cost. Small tensors are
    dealt out to the threads, large ones are shared by them.

    Parameters
    ----------
    arrays : mapping of names to array-likes of float16, bfloat16, float32 or float64
    bits : int
        1 to 16.
    axis : int, optional
        The channel axis of every tensor. None is one range a tensor.
    threads : int, optional
        None chooses; the result does not depend on it.

    Returns
    -------
    dict of QuantizedArray
        The same names in the same order.

    Raises
    ------
    TypeError, ValueError
        As `quantize`; the message names the tensor.

    Examples
    --------
    >>> nnr.quantize_many({"weight": np.float32([[0, 1], [2, 3]]), "bias": np.float32([5])}, 2)
    ... # doctest: +NORMALIZE_WHITESPACE
    {'weight': QuantizedArray(shape=(2, 2), dtype=float32, bits=2, range 0 to 3, 16 -> 9 bytes),
     'bias': QuantizedArray(shape=(1,), dtype=float32, bits=2, range 5 to 5, 4 -> 9 bytes)}
    """
    width = check_bits(bits)
    workers = check_threads(threads)
    values = as_float_arrays(arrays)
    channel_axis = None
    if axis is not None:
        channel_axis = check_integer(axis, "axis")
        for name, array in zip(arrays, values, strict=True):
            check_axis(channel_axis, array.ndim, name)
    names = list(arrays)
    quantized = _quantize_searched(values, names, width, channel_axis, None, workers)
    return dict(zip(names, quantized, strict=True))


def _quantize_searched(
    arrays: list[NDArray[Any]],
    names: list[str],
    bits: int,
    axis: int | None,
    out: NDArray[np.uint8] | None,
    threads: int,
) -> list[QuantizedArray]:
    """Each over the range of its own values; *out* is for a single one."""
    quantized, failure = _core.quantize_many(QuantizedArray, arrays, bits, axis, out, threads)
    if failure is not None:
        index, lo, hi, not_finite = failure
        if not_finite is not None:
            raise_not_finite(arrays[index], not_finite, names[index])
        check_representable(channel_array(lo), channel_array(hi), bits, axis, names[index])
    return quantized


def _check_known(
    lo: RangeLike | None, hi: RangeLike | None, array: NDArray[Any], bits: int, axis: int | None
) -> tuple[ChannelValues, ChannelValues]:
    channels = channel_layout(array.shape, axis)[1]
    low, high = check_range(lo, hi, channels, bits, axis)
    return (low, high) if axis is not None else (float(low[0]), float(high[0]))


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

    Raises
    ------
    TypeError
        *quantized* is no QuantizedArray, or *out* or *dtype* not of floats.
    ValueError
        *out* has another shape, is read-only, not C-contiguous, or shares a stretch of memory with
        the codes.

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
    is_new = out is None
    out = output_array(quantized, out, dtype)
    _core.dequantize(
        quantized.packed,
        quantized.lo,
        quantized.hi,
        quantized.bits,
        quantized.axis,
        out,
        is_new,
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
