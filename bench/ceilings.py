"""The time that a case cannot beat here: the same bytes moved and nothing computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import roofline
from .cases import Case, reused
from .timing import Timing

Stages = list[list[roofline.Loop]]


def stages(case: Case) -> Stages:
    """Passes over memory that the work needs one after the other, each with its alternatives."""
    match case.work.kind:
        case "range":
            return [[roofline.read(case.values)]]
        case "quantize":
            return [_to_codes(case)]
        case "quantize-whole":
            return [[roofline.read(case.values)], _to_codes(case)]
        case "dequantize":
            target = reused(case.count, case.dtype)
            return [roofline.moves(case.codes, target, f"1:{case.dtype.itemsize}")]
        case "pack":
            return [roofline.moves(case.codes, reused(case.packed.size, np.uint8), "2:1")]
        case "unpack":
            return [roofline.moves(case.packed, reused(case.count, np.uint8), "1:2")]


def seconds(of_stages: Stages, timings: Sequence[Timing]) -> float:
    """The sum of each stage's fastest alternative; *timings* are those of all loops in order."""
    remaining = iter(timings)
    return sum(min(next(remaining).minimum for _ in stage) for stage in of_stages)


def _to_codes(case: Case) -> list[Any]:
    codes = reused(case.count, np.uint8)
    return roofline.moves(case.values, codes, f"{case.dtype.itemsize}:1")
