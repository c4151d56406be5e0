from __future__ import annotations

import pytest

from . import contestants, peers
from .cases import COMPARED, SIZES, WIDTHS, Case, Work


@pytest.mark.parametrize("size", ["4 KB", "256 KB"])
@pytest.mark.parametrize("work", [*COMPARED, *WIDTHS], ids=lambda work: work.title)
def test_contestants_agree_with_the_reference(work: Work, size: str) -> None:
    case = Case(work, SIZES[size])
    for contestant in [*contestants.WORKS[work.kind](case), *peers.contestants(case)]:
        contestant.check(contestant.run())
