from __future__ import annotations

from collections.abc import Callable

from .cases import DTYPES, Case, Work
from .conftest import cases
from .contestants import WORKS, Contestant


@cases([Work("range", dtype) for dtype in DTYPES])
def test_minmax(case: Case, time_and_check: Callable[[Contestant, Case], None]) -> None:
    [minmax] = WORKS["range"](case)
    time_and_check(minmax, case)
