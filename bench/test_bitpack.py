from __future__ import annotations

from collections.abc import Callable

from .cases import WIDTHS, Case
from .conftest import cases
from .contestants import WORKS, Contestant

Timed = Callable[[Contestant, Case], None]


@cases(WIDTHS, ["256 KB"])
def test_every_width(case: Case, time_and_check: Timed) -> None:
    [pack_or_unpack] = WORKS[case.work.kind](case)
    time_and_check(pack_or_unpack, case)


@cases([work for work in WIDTHS if work.bits in (4, 8, 12)], ["4 KB", "4 MB", "64 MB"])
def test_other_sizes(case: Case, time_and_check: Timed) -> None:
    [pack_or_unpack] = WORKS[case.work.kind](case)
    time_and_check(pack_or_unpack, case)
