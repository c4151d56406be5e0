from __future__ import annotations

from collections.abc import Callable

from .cases import DTYPES, Case, Work
from .conftest import cases
from .contestants import WORKS, Contestant

Timed = Callable[[Contestant, Case], None]


@cases([Work("quantize", dtype) for dtype in DTYPES])
def test_quantize_in_a_known_range(case: Case, time_and_check: Timed) -> None:
    into_reused_memory, _ = WORKS["quantize"](case)
    time_and_check(into_reused_memory, case)


@cases([Work("quantize-whole", bits=bits) for bits in (4, 8, 12)])
def test_quantize(case: Case, time_and_check: Timed) -> None:
    into_reused_memory, _ = WORKS["quantize-whole"](case)
    time_and_check(into_reused_memory, case)


@cases(
    [
        *(Work("dequantize", dtype) for dtype in DTYPES),
        *(Work("dequantize", bits=bits) for bits in (4, 12)),
    ]
)
def test_dequantize(case: Case, time_and_check: Timed) -> None:
    into_reused_memory, _ = WORKS["dequantize"](case)
    time_and_check(into_reused_memory, case)
