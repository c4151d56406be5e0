from __future__ import annotations

import pytest

from . import threads


@pytest.mark.timed
@pytest.mark.skipif(threads.cores() < 2, reason="needs two cores")
def test_two_python_threads_work_side_by_side() -> None:
    ratios = threads.measure()
    assert max(ratios.values()) < 1.3, ratios
