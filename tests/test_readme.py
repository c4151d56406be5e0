"""The README: its examples and its commands run."""

from __future__ import annotations

import os
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from network_models import frame_filter
from video_frames import smooth_frame

from nnr.video import FrameFormat, open_sequence, write_png, write_y4m

ROOT = Path(__file__).resolve().parents[1]
block = runpy.run_path(str(ROOT / ".ci" / "readme.py"))["block"]
NNR = [sys.executable, "-W", "error", "-c", "from nnr.cli import main; main()"]


def run(command: list[str], folder: Path, **variables: str) -> None:
    environment = os.environ | variables
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["example", "filter", "autoencoder"])
def test_python_blocks_run(name: str, tmp_path: Path) -> None:
    run([sys.executable, "-W", "error", "-c", block(name)], tmp_path)


def test_example_is_ten_lines() -> None:
    assert len(block("example").strip().splitlines()) <= 10


@pytest.mark.parametrize("name", ["evaluate", "test"])
def test_commands_are_one_line_to_paste(name: str) -> None:
    assert len(block(name).strip().splitlines()) == 1


def test_commands_run(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(frame_filter().SerializeToString())
    (tmp_path / "photographs").mkdir()
    frame = smooth_frame(FrameFormat(64, 48))
    for path in ("photographs/one.png", "picture.png"):
        write_png(tmp_path / path, frame)
    (tmp_path / "ctc").mkdir()
    grey = bytes([128]) * (64 * 48 * 3 // 2)
    (tmp_path / "ctc" / "Grey_64x48_50.yuv").write_bytes(grey)
    write_y4m(tmp_path / "decoded.y4m", open_sequence(tmp_path / "ctc" / "Grey_64x48_50.yuv"))
    lines = block("commands").strip().splitlines()
    assert len(lines) == 9
    for line in lines:
        program, *arguments = shlex.split(line, comments=True)
        assert program == "nnr"
        run([*NNR, *arguments], tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert (tmp_path / "results.json").exists()
