"""What ``nnr filter`` says when it cannot go on, and while it works; what it leaves behind."""

from __future__ import annotations

import itertools
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from filter_cases import frames_of, names_in
from network_models import GraphMaker, residual_filter
from video_frames import smooth_frame

import nnr
from nnr.video import FrameFormat, write_png, write_y4m

pytest.importorskip("PIL")

NNR = [sys.executable, "-m", "nnr", "filter"]


@pytest.mark.usefixtures("filter_folder")
@pytest.mark.parametrize("target", ["out.y4m", "out.yuv", "out"])
def test_a_damaged_frame_leaves_nothing(nnr_command: Command, target: str) -> None:
    data = bytearray(Path("deep.y4m").read_bytes())
    data[-2:] = b"\xff\xff"
    Path("deep.y4m").write_bytes(data)
    before = names_in(".")
    done = nnr_command("filter", "deep.y4m", target, "--model", "filter.onnx")
    assert done.code == 1
    assert "frame 1 has a sample of 65535" in done.err
    assert names_in(".") == before


@pytest.mark.usefixtures("filter_folder")
def test_bad_models(nnr_command: Command) -> None:
    nnr.models.Model({"weight": np.ones((3, 3), np.float32)}).save("bare.safetensors")
    Path("three.onnx").write_bytes(residual_filter(inputs=3).SerializeToString())
    maker = GraphMaker(1)
    maker.same("Sigmoid", "x")
    Path("sigmoid.onnx").write_bytes(maker.model().SerializeToString())
    Path("damaged.onnx").write_bytes(b"\x08")
    messages = {
        "bare.safetensors": "bare.safetensors: the model has no topology",
        "three.onnx": "three.onnx: a post filter must have 1 or 2 input channels",
        "sigmoid.onnx": "sigmoid.onnx: node 'sigmoid0' (Sigmoid)",
        "damaged.onnx": "damaged.onnx",
    }
    for name, message in messages.items():
        done = nnr_command("filter", "in.y4m", "out.y4m", "--model", name)
        assert done.code == 1
        assert message in done.err
        assert not Path("out.y4m").exists()


@pytest.mark.usefixtures("filter_folder")
def test_pictures_of_several_sizes(nnr_command: Command) -> None:
    write_png("pictures/z.png", frames_of(1, FrameFormat(8, 8))[0])
    done = nnr_command("filter", "pictures", "out")
    assert done.code == 1
    assert "z.png is 8x8" in done.err


def at_once(*arguments: str) -> list[str]:
    """The command, with a progress bar that does not wait until the work has taken long."""
    program = "import nnr.cli, nnr.cli.output as o; o._QUIET_SECONDS = 0; nnr.cli.main()"
    return [sys.executable, "-c", program, "filter", *arguments]


@pytest.mark.usefixtures("filter_folder")
def test_a_terminal_shows_frames_a_second() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    command = at_once("in.y4m", "out.y4m", "--model", "filter.onnx")
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=theirs, check=True
    )
    os.close(theirs)
    shown = os.read(ours, 1 << 20).decode()
    os.close(ours)
    assert "filtering" in shown
    assert "/3" in shown
    assert "frames a second" in shown
    assert done.stdout.startswith(b"3 frames of 37x26 in ")


@pytest.mark.usefixtures("filter_folder")
def test_a_pipe_shows_no_bar() -> None:
    command = at_once("in.y4m", "out.y4m", "--model", "filter.onnx")
    assert subprocess.run(command, capture_output=True, check=True).stderr == b""


@pytest.mark.usefixtures("filter_folder")
@pytest.mark.parametrize("target", ["out.y4m", "out"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_nothing(target: str, number: signal.Signals) -> None:
    # More frames than can be filtered before the signal comes.
    frame = smooth_frame(FrameFormat(416, 240))
    write_y4m("long.y4m", itertools.repeat(frame, 300))
    before = names_in(".")
    process = subprocess.Popen(
        [*NNR, "long.y4m", target], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    # At the very moment when there is something to leave behind.
    deadline = time.monotonic() + 60
    while names_in(".") == before and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in messages
    assert names_in(".") == before
