"""How much memory running a network needs beside the picture and its result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import nnr

from . import memory
from .comparison import progress
from .engines import CannotRunError, Job
from .networks import Size, half_size_filter, loaded

QP = 32
BIT_DEPTH = 10
SIZES: dict[str, Size] = {"1920x1080": (1080, 1920), "7680x4320": (4320, 7680)}
SMALL_SIZES: dict[str, Size] = {"416x240": (240, 416)}

Result = dict[str, Any]
Work = Callable[[], object]


def measure(sizes: dict[str, Size], threads: tuple[int, ...]) -> list[Result]:
    """By way, size and threads: bytes, or why there are none."""
    smallest = next(iter(sizes))
    cases = [
        (way, size, count)
        for way in WAYS
        for size in sizes
        for count in threads
        if size == smallest or way != "onnxruntime fp32"  # of which one size tells enough
    ]
    return [
        {"way": way, "size": size, "threads": count} | _bytes(way, sizes[size], count)
        for way, size, count in progress(cases, lambda case: f"memory: {case[0]}, {case[1]}")
    ]


def _bytes(way: str, size: Size, threads: int) -> Result:
    """The peak of a process that runs the network once, less that of one that only prepares to."""
    peaks = {}
    for runs in (False, True):
        told = _in_a_process(way, size, threads, runs)
        if "skipped" in told:
            return told
        peaks[runs] = told["peak"]
    return {"bytes": peaks[True] - peaks[False]}


def _in_a_process(way: str, size: Size, threads: int, runs: bool) -> Result:
    # The allocator returns everything at once, so that nothing runs in what loading left behind.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    words = [way, *map(str, size), str(threads), str(int(runs))]
    done = subprocess.run(
        [sys.executable, "-m", "bench.network_memory", *words],
        env=environment,
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _measure_here(way: str, size: Size, threads: int, runs: bool) -> Result:
    try:
        work = WAYS[way](size, threads)
    except (CannotRunError, ImportError) as why:
        return {"skipped": str(why)}
    if runs:
        work()
    # Not `ru_maxrss`: to it counts what the process was before it became this program.
    return {"peak": memory.resident("VmHWM")}


def _float(size: Size, threads: int) -> Work:
    return _apply(nnr.PostFilter.load(loaded(half_size_filter())), size, threads)


def _integer(size: Size, threads: int) -> Work:
    # Compiled in a process of its own, which a decoder does not do at all.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "filter.safetensors"
        subprocess.run([sys.executable, "-m", "bench.network_memory", str(path)], check=True)
        return _apply(nnr.PostFilter.load(path), size, threads)


def _save_integer(path: Path) -> None:
    post_filter = nnr.PostFilter.load(loaded(half_size_filter()))
    plane = np.random.default_rng(2).integers(0, 1 << BIT_DEPTH, (96, 96)).astype(np.uint16)
    network = post_filter.to_integer([(plane, QP)], bit_depth=BIT_DEPTH).network
    assert isinstance(network, nnr.IntegerNetwork)
    network.save(path)


def _apply(post_filter: nnr.PostFilter, size: Size, threads: int) -> Work:
    plane = np.random.default_rng(1).integers(0, 1 << BIT_DEPTH, size, np.uint16)
    out = np.ones_like(plane)

    def work() -> object:
        return post_filter.apply(plane, qp=QP, bit_depth=BIT_DEPTH, out=out, threads=threads)

    return work


def _onnxruntime(size: Size, threads: int) -> Work:
    from .engines import onnxruntime

    return onnxruntime.prepare_float(Job(half_size_filter(), size), threads).run


WAYS: dict[str, Callable[[Size, int], Work]] = {
    "nnr PostFilter": _float,
    "nnr PostFilter, integer": _integer,
    "onnxruntime fp32": _onnxruntime,
}


if __name__ == "__main__":
    if len(sys.argv) == 2:
        _save_integer(Path(sys.argv[1]))
    else:
        _way, *_numbers = sys.argv[1:]
        _height, _width, _threads, _runs = map(int, _numbers)
        print(json.dumps(_measure_here(_way, (_height, _width), _threads, bool(_runs))))
