"""NumPy: what one writes without a library, as an expression and with the buffers reused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cases import LO, STEP, Case, reused
from ..contestants import Contestant, Factory

NAME = "numpy"
LEVELS = np.float32(255)


def version() -> str:
    return np.__version__


def _range(case: Case) -> list[Contestant]:
    values = case.values
    return [Contestant(NAME, "min, max", lambda: (values.min(), values.max()), case.equal())]


def _quantize(case: Case) -> list[Contestant]:
    return _quantizers(case, lambda _: (np.float32(LO), np.float32(1 / STEP)))


def _quantize_whole(case: Case) -> list[Contestant]:
    return _quantizers(case, _searched_range)


def _searched_range(values: NDArray[Any]) -> tuple[np.float32, np.float32]:
    lo, hi = values.min(), values.max()
    step = np.float32((np.float64(hi) - np.float64(lo)) / 255)
    return lo, np.float32(1 / np.float64(step))


def _quantizers(
    case: Case, range_of: Callable[[NDArray[Any]], tuple[np.float32, np.float32]]
) -> list[Contestant]:
    values = case.values
    levels = reused(case.count, np.float32)
    codes = reused(case.count, np.uint8)

    def expression() -> Any:
        lo, inverse = range_of(values)
        floats = values.astype(np.float32, copy=False)
        return np.clip(np.rint((floats - lo) * inverse), 0, LEVELS).astype(np.uint8)

    def with_buffers() -> NDArray[np.uint8]:
        lo, inverse = range_of(values)
        np.subtract(values, lo, out=levels, dtype=np.float32)
        np.multiply(levels, inverse, out=levels)
        np.rint(levels, out=levels)
        np.clip(levels, 0, LEVELS, out=levels)
        np.copyto(codes, levels, casting="unsafe")
        return codes

    return [
        Contestant(NAME, "expression", expression, case.equal(), "new"),
        Contestant(NAME, "expression(out)", with_buffers, case.equal(), "reused"),
    ]


def _dequantize(case: Case) -> list[Contestant]:
    codes = case.codes
    lo, step = np.float32(LO), np.float32(STEP)
    out = reused(case.count, case.dtype)
    floats = out if case.dtype == np.float32 else reused(case.count, np.float32)

    def expression() -> NDArray[Any]:
        return (codes * step + lo).astype(case.dtype, copy=False)

    def with_buffers() -> NDArray[Any]:
        np.multiply(codes, step, out=floats)
        np.add(floats, lo, out=floats)
        if floats is not out:
            np.copyto(out, floats, casting="unsafe")
        return out

    return [
        Contestant(NAME, "expression", expression, case.equal(), "new"),
        Contestant(NAME, "expression(out)", with_buffers, case.equal(), "reused"),
    ]


def _pack(case: Case) -> list[Contestant]:
    codes = case.codes
    if case.work.bits == 1:
        run = partial(np.packbits, codes, bitorder="little")
        return [Contestant(NAME, "packbits", run, case.equal(), "new")]
    if case.work.bits != 4:
        return []
    out = reused(case.packed.size, np.uint8)

    def shifts() -> NDArray[np.uint8]:
        np.left_shift(codes[1::2], 4, out=out)
        np.bitwise_or(out, codes[::2], out=out)
        return out

    return [Contestant(NAME, "shifts(out)", shifts, case.equal(), "reused")]


def _unpack(case: Case) -> list[Contestant]:
    packed = case.packed
    if case.work.bits == 1:
        run = partial(np.unpackbits, packed, count=case.count, bitorder="little")
        return [Contestant(NAME, "unpackbits", run, case.equal(), "new")]
    if case.work.bits != 4:
        return []
    out = reused(case.count, np.uint8)

    def shifts() -> NDArray[np.uint8]:
        np.bitwise_and(packed, 15, out=out[::2])
        np.right_shift(packed, 4, out=out[1::2])
        return out

    return [Contestant(NAME, "shifts(out)", shifts, case.equal(), "reused")]


WORKS: dict[str, Factory] = {
    "range": _range,
    "quantize": _quantize,
    "quantize-whole": _quantize_whole,
    "dequantize": _dequantize,
    "pack": _pack,
    "unpack": _unpack,
}
