"""The README: its examples and its commands run."""

from __future__ import annotations

import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nnr
from nnr.video import open_sequence, write_y4m

ROOT = Path(__file__).resolve().parents[1]
block = runpy.run_path(str(ROOT / ".ci" / "readme.py"))["block"]
NNR = [sys.executable, "-W", "error", "-c", "from nnr.cli import main; main()"]


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["example", "filter"])
def test_python_blocks_run(name: str, tmp_path: Path) -> None:
    run([sys.executable, "-W", "error", "-c", block(name)], tmp_path)


def test_example_is_ten_lines() -> None:
    assert len(block("example").strip().splitlines()) <= 10


@pytest.mark.parametrize("name", ["evaluate", "test"])
def test_commands_are_one_line_to_paste(name: str) -> None:
    assert len(block(name).strip().splitlines()) == 1


def test_commands_run(tmp_path: Path) -> None:
    shutil.copy(nnr.networks.POSTFILTER, tmp_path / "model.onnx")
    (tmp_path / "ctc").mkdir()
    grey = bytes([128]) * (64 * 48 * 3 // 2)
    (tmp_path / "ctc" / "Grey_64x48_50.yuv").write_bytes(grey)
    write_y4m(tmp_path / "decoded.y4m", open_sequence(tmp_path / "ctc" / "Grey_64x48_50.yuv"))
    lines = block("commands").strip().splitlines()
    assert len(lines) == 6
    for line in lines:
        program, *arguments = shlex.split(line, comments=True)
        assert program == "nnr"
        extra = ["--cache", "cache"] if arguments[0] == "evaluate" else []
        run([*NNR, *arguments, *extra], tmp_path)
    assert (tmp_path / "results.json").exists()
