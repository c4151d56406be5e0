"""Beyond input and output, a call takes a few megabytes a thread, however large the image."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from network_models import (
    GraphMaker,
    as_model,
    codec_filter_7,
    half_size_filter,
    third_party_filter,
    u_net,
)

from nnr.networks import POSTFILTER, Network

A_THREAD = 8 << 20

# Prints by how much memory grows while a frame is filtered, at its highest, beyond the output. The
# kernel's own count, which begins anew before the call.
SCRIPT = """
import re, sys
from pathlib import Path
import numpy as np
from nnr.networks import PostFilter
from nnr.video import Frame

def status(key):
    found = re.search(key + r":\\s+(\\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024

path, height, width, threads = sys.argv[1], *map(int, sys.argv[2:])
post_filter = PostFilter.load(path)
def frame(height, width):
    chroma = np.ones((height // 2, width // 2), np.uint8)
    return Frame(np.ones((height, width), np.uint8), chroma, chroma.copy())

post_filter.apply_frame(frame(8, 8), qp=30, threads=threads)
given = frame(height, width)
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
filtered = post_filter.apply_frame(given, qp=30, threads=threads)
results = [new for old, new in zip(given.planes, filtered.planes) if new is not old]
print(status("VmHWM") - before - sum(plane.nbytes for plane in results))
"""
# What is freed goes back at once, so that it is not there to be used again, uncounted.
AT_ONCE = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}


def memory_of(model: Path, height: int, width: int, threads: int) -> int:
    command = [sys.executable, "-c", SCRIPT, *map(str, (model, height, width, threads))]
    environment = {**os.environ, **AT_ONCE}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return int(done.stdout)


def written(proto: onnx.ModelProto, folder: Path) -> Path:
    path = folder / "network.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def small() -> onnx.ModelProto:
    maker = GraphMaker(1)
    hidden = maker.same("Relu", maker.conv("x", 2, 3))
    maker.same("Add", "x", maker.conv(hidden, 1, 1))
    return maker.model()


needs_proc = pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="needs Linux's /proc"
)


@needs_proc
@pytest.mark.parametrize("threads", [1, 2])
def test_memory_of_the_bundled_filter(threads: int) -> None:
    assert memory_of(POSTFILTER, 1080, 1920, threads) < threads * A_THREAD


@needs_proc
@pytest.mark.parametrize("threads", [1, 2])
def test_memory_of_a_network_of_several_resolutions(tmp_path: Path, threads: int) -> None:
    path = written(u_net(16), tmp_path)
    assert memory_of(path, 1080, 1920, threads) < threads * A_THREAD


@needs_proc
def test_memory_does_not_grow_with_the_frame(tmp_path: Path) -> None:
    path = written(small(), tmp_path)
    assert memory_of(path, 4320, 7680, 2) < 2 * A_THREAD


NETWORKS = [
    codec_filter_7,
    lambda: half_size_filter(64),
    lambda: onnx.load(POSTFILTER),
    small,
    third_party_filter,
    lambda: u_net(32),
]


@pytest.mark.parametrize("make", NETWORKS)
def test_what_a_thread_works_in_is_small(make: Callable[[], onnx.ModelProto]) -> None:
    plan = Network.load(as_model(make())).plan
    for size in [(1080, 1920), (2160, 3840), (64, 20000), (20000, 64)]:
        for threads in (1, 2, 8):
            assert plan.explain(*size, threads, None)["arena_bytes"] < A_THREAD, (size, threads)
