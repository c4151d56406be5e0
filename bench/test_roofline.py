from __future__ import annotations

from . import roofline


def test_loops_do_all_of_their_passes() -> None:
    roofline.check()
