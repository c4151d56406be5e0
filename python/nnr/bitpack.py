"""Codes of 1 to 16 bits as one little-endian bit stream, and back."""

from __future__ import annotations

from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._arguments import (
    Codes,
    check_bits,
    check_codes,
    check_count,
    check_out,
    check_packed,
    check_threads,
    code_dtype,
    packed_size,
    raise_code_too_large,
)


def pack(
    codes: object,
    bits: SupportsIndex,
    *,
    out: NDArray[np.uint8] | None = None,
    threads: SupportsIndex | None = None,
) -> NDArray[np.uint8]:
    """Pack codes into ``ceil(count * bits / 8)`` bytes.

    Code *i* occupies bits ``i*bits`` to ``(i+1)*bits - 1`` of the stream, bit 0 being the least
    significant of byte 0; the last byte is filled with zeros.

    Parameters
    ----------
    codes : array-like of integers, any shape
        Each from 0 to ``2**bits - 1``; taken in C order. uint8 and uint16 of any strides are read
        where they are.
    bits : int
        1 to 16.
    out : uint8 array of the result's size, optional
    threads : int, optional
        None chooses; the result does not depend on it.

    Returns
    -------
    uint8 array of one dimension

    Raises
    ------
    ValueError
        A code or *bits* is outside its range, or *out* has another size, is read-only, not
        C-contiguous, or shares a stretch of memory with the codes.
    TypeError
        The codes are no integers or are masked, or *out* is no uint8 array.

    Examples
    --------
    >>> nnr.pack([1, 2, 3, 4], bits=4)
    array([33, 67], dtype=uint8)
    """
    width = check_bits(bits)
    checked = check_codes(codes, width)
    workers = check_threads(threads)
    size = packed_size(checked.size, width)
    if out is None:
        out = np.empty(size, np.uint8)
    else:
        check_out(out, (size,), code_dtype(8), checked)
    if not _core.pack(checked, width, out, workers):
        raise_code_too_large(checked, width)
    return out


def unpack(
    packed: object,
    bits: SupportsIndex,
    count: SupportsIndex,
    *,
    out: Codes | None = None,
    threads: SupportsIndex | None = None,
) -> Codes:
    """Unpack *count* codes of *bits* bits; the inverse of `pack`.

    Parameters
    ----------
    packed : uint8 array of one dimension, or bytes-like
        ``ceil(count * bits / 8)`` bytes.
    bits : int
        1 to 16.
    count : int
        How many codes there are.
    out : array of the result's shape and dtype, optional
    threads : int, optional
        None chooses; the result does not depend on it.

    Returns
    -------
    array of shape (count,)
        uint8 up to 8 bits, uint16 above.

    Raises
    ------
    ValueError
        *packed* has another size than *count* codes take, *bits* or *count* is outside its range,
        or *out* does not fit.
    TypeError
        *packed* is not of bytes, or *out* of another dtype.

    Examples
    --------
    >>> nnr.unpack(np.uint8([33, 67]), bits=4, count=4)
    array([1, 2, 3, 4], dtype=uint8)
    """
    width = check_bits(bits)
    length = check_count(count)
    data = check_packed(packed, length, width)
    workers = check_threads(threads)
    if out is None:
        codes: Codes = np.empty(length, code_dtype(width))
    else:
        check_out(out, (length,), code_dtype(width), data)
        codes = out
    _core.unpack(data, width, codes, workers)
    return codes
