from __future__ import annotations

from pathlib import Path

import pytest

from . import report
from .plan import Plan

BRIEF = Plan(("4 KB", "256 KB"), case_seconds=0.01, short_seconds=0.01)


def test_update_replaces_what_lies_between_the_marks(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    begin, end = report.MARKS.begin, report.MARKS.end
    document.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    for _ in range(2):
        report.MARKS.replace(document, "new")
        assert document.read_text() == f"before\n{begin}\n\nnew\n\n{end}\nafter\n"


def test_update_wants_the_marks(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text("nothing to replace")
    with pytest.raises(SystemExit, match="must hold"):
        report.MARKS.replace(document, "new")


def test_everything_is_measured_and_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from . import picture

    results = report.measure(BRIEF) | {"command": "this test"}
    text = report.markdown(results)
    for work in ("range of float32", "unpack 4-bit codes", "dequantise to bfloat16"):
        assert f"| {work} |" in text
    drawn = tmp_path / "benchmarks.png"
    picture.draw(results["comparison"], drawn)
    assert drawn.stat().st_size
