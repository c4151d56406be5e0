from __future__ import annotations

import pytest

from . import roofline


@pytest.mark.timed
def test_loops_do_all_of_their_passes() -> None:
    roofline.check()
