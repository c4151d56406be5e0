from __future__ import annotations

import pytest

from .layouts import LAYOUTS, WORKS, LaidOut, Layout, contestants


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_contestants_agree_with_the_reference(layout: Layout) -> None:
    case = LaidOut(layout)
    for work in WORKS:
        for contestant in contestants(work, case):
            contestant.check(contestant.run())
