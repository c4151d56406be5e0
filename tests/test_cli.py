"""The command itself: version, help, signals, closed streams."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nnr

NNR = [sys.executable, "-m", "nnr"]


def test_version() -> None:
    done = subprocess.run([*NNR, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"nnr {nnr.__version__}\n"


def test_short_help_lists_every_command() -> None:
    done = subprocess.run([*NNR, "-h"], capture_output=True, text=True, check=True)
    for command in ("compress", "decompress", "info", "verify", "filter", "evaluate"):
        assert command in done.stdout


def test_closed_standard_output(tmp_path: Path) -> None:
    command = [*NNR, "info", str(nnr.networks.POSTFILTER)]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr


def test_a_terminated_evaluation_leaves_nothing(tmp_path: Path) -> None:
    temporary, cache = tmp_path / "tmp", tmp_path / "cache"
    temporary.mkdir()
    process = subprocess.Popen(
        [*NNR, "evaluate", "--cache", str(cache)],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    # At the very moment when there is something to leave behind.
    deadline = time.monotonic() + 60
    while not any(temporary.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in messages
    assert list(temporary.iterdir()) == []
