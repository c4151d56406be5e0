from __future__ import annotations

from . import memory

MEGABYTE = 1 << 20


def test_a_call_needs_less_than_a_megabyte_beside_its_result() -> None:
    spent = memory.measure()
    control = spent.pop(memory.CONTROL)
    assert 7 * MEGABYTE < control < 9 * MEGABYTE, "the method does not see what it should"
    assert max(spent.values()) < MEGABYTE, spent
