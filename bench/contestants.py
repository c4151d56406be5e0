"""One library's way to do a kind of work, and nnr's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

import nnr

from .cases import HI, LO, Case, reused

Output = Literal["", "new", "reused"]


@dataclass(frozen=True)
class Contestant:
    """A call that does a case's work, and a check of what it returned."""

    library: str
    call: str  # as the report shows it
    run: Callable[[], object]
    check: Callable[[Any], None]
    output: Output = ""  # does it allocate its result, or is it given the memory?
    note: str = ""  # why its result may differ from the reference's
    passes: int = 1  # how many times one call does the work


Factory = Callable[[Case], list[Contestant]]

NAME = "nnr"


def _range(case: Case) -> list[Contestant]:
    run = partial(nnr.minmax, case.values, threads=1)
    return [Contestant(NAME, "minmax", run, case.equal())]


def _quantize(case: Case) -> list[Contestant]:
    new = partial(nnr.quantize, case.values, lo=LO, hi=HI, threads=1)
    return _into_reused_or_new(case, new, "quantize(lo, hi, out)", "quantize(lo, hi)")


def _quantize_whole(case: Case) -> list[Contestant]:
    new = partial(nnr.quantize, case.values, case.work.bits, threads=1)
    return _into_reused_or_new(case, new, "quantize(out)", "quantize")


def _into_reused_or_new(
    case: Case, quantize: Callable[..., nnr.QuantizedArray], *calls: str
) -> list[Contestant]:
    def packed(quantized: nnr.QuantizedArray) -> Any:
        return quantized.packed

    into = partial(quantize, out=reused(case.expected.size, np.uint8))
    return [
        Contestant(NAME, calls[0], into, case.equal(packed), "reused"),
        Contestant(NAME, calls[1], quantize, case.equal(packed), "new"),
    ]


def _dequantize(case: Case) -> list[Contestant]:
    quantized, check = case.quantized, case.equal()
    into = partial(nnr.dequantize, quantized, out=reused(case.count, case.dtype), threads=1)
    return [
        Contestant(NAME, "dequantize(out)", into, check, "reused"),
        Contestant(NAME, "dequantize", partial(nnr.dequantize, quantized, threads=1), check, "new"),
    ]


def _pack(case: Case) -> list[Contestant]:
    out = reused(case.packed.size, case.packed.dtype)
    run = partial(nnr.pack, case.codes, case.work.bits, out=out, threads=1)
    return [Contestant(NAME, "pack(out)", run, case.equal(), "reused")]


def _unpack(case: Case) -> list[Contestant]:
    out = reused(case.count, case.codes.dtype)
    run = partial(nnr.unpack, case.packed, case.work.bits, case.count, out=out, threads=1)
    return [Contestant(NAME, "unpack(out)", run, case.equal(), "reused")]


# The first of each reuses its result where there is one to reuse.
WORKS: dict[str, Factory] = {
    "range": _range,
    "quantize": _quantize,
    "quantize-whole": _quantize_whole,
    "dequantize": _dequantize,
    "pack": _pack,
    "unpack": _unpack,
}
