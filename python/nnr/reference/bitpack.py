"""The NumPy twins of `nnr.pack` and `nnr.unpack`."""

from __future__ import annotations

from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from .._arguments import (
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
    """See `nnr.pack`; *threads* is checked and otherwise without meaning."""
    width = check_bits(bits)
    flat = check_codes(codes, width).reshape(-1)
    check_threads(threads)
    if flat.size and flat.max() >> width:
        raise_code_too_large(flat, width)
    matrix = flat.astype(np.uint16)[:, None] >> np.arange(width, dtype=np.uint16) & 1
    packed = np.packbits(matrix.astype(np.uint8), bitorder="little")
    if out is None:
        return packed
    check_out(out, (packed_size(flat.size, width),), np.dtype(np.uint8), flat)
    out[:] = packed
    return out


def unpack(
    packed: object,
    bits: SupportsIndex,
    count: SupportsIndex,
    *,
    out: Codes | None = None,
    threads: SupportsIndex | None = None,
) -> Codes:
    """See `nnr.unpack`; *threads* is checked and otherwise without meaning."""
    width = check_bits(bits)
    length = check_count(count)
    data = check_packed(packed, length, width)
    check_threads(threads)
    matrix = np.unpackbits(data, count=length * width, bitorder="little").reshape(length, width)
    weights = 1 << np.arange(width, dtype=np.uint32)
    if out is None:
        codes: Codes = np.empty(length, code_dtype(width))
    else:
        check_out(out, (length,), code_dtype(width), data)
        codes = out
    codes[:] = matrix @ weights
    return codes
