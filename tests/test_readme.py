"""The README: its example runs, its commands are what they claim to be."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"


def block(name: str) -> str:
    pattern = rf"<!-- block: {name} -->\n```\w+\n(.*?)```"
    match = re.search(pattern, README.read_text(encoding="utf-8"), re.DOTALL)
    assert match, f"README.md has no block named {name}"
    return match.group(1)


def test_example_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block("example")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(block("example").strip().splitlines()) <= 10


@pytest.mark.parametrize("name", ["evaluate", "test"])
def test_commands_are_one_line_to_paste(name: str) -> None:
    assert len(block(name).strip().splitlines()) == 1


def test_every_command_named_exists() -> None:
    named = set(
        re.findall(r"^(?:\.venv/bin/)?nnr ([a-z]+)", README.read_text("utf-8"), re.MULTILINE)
    )
    help_text = subprocess.run(
        [sys.executable, "-c", "from nnr.cli import main; main()", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert named
    assert [name for name in named if name not in help_text] == []
