"""How long each part of a run takes."""

from __future__ import annotations

from dataclasses import dataclass

from .cases import SIZES


@dataclass(frozen=True)
class Plan:
    sizes: tuple[str, ...]
    case_seconds: float  # one work on one size, all contestants together
    short_seconds: float  # one width, one level of one work, one loop's alternatives


FULL = Plan(tuple(SIZES), case_seconds=1.2, short_seconds=0.4)
QUICK = Plan(tuple(SIZES)[:-1], case_seconds=0.25, short_seconds=0.06)
