"""How long a fresh process takes from a compressed filter's file to the first filtered pictures."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import nnr

from .timing import rotate

if TYPE_CHECKING:  # it imports onnx, which is measured
    from .networks import Size

PICTURES: dict[str, Size] = {"64x64": (64, 64), "416x240": (240, 416)}
SMALL_FRAMES = {"416x240": (240, 416)}
FRAMES = SMALL_FRAMES | {"1920x1080": (1080, 1920)}
PATCH = (64, 64)
QP = 32
BIT_DEPTH = 10

Result = dict[str, Any]


def measure(processes: int) -> list[Result]:
    """By file and by what was imported before, medians of milliseconds over fresh processes."""
    from .networks import half_size_filter, loaded

    model = loaded(half_size_filter())
    found = []
    with tempfile.TemporaryDirectory() as folder:
        uniform, stream = Path(folder) / "filter.safetensors", Path(folder) / "filter.nnr"
        nnr.compress(model).save(uniform)
        stream.write_bytes(nnr.encode(model))
        for path in (uniform, stream):
            for first in ("", "onnx"):
                runs = [_in_a_process(path, first) for _ in range(processes)]
                medians = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
                size = path.stat().st_size
                found.append({"file": path.suffix, "bytes": size, "imported": first} | medians)
    return found


def _in_a_process(path: Path, first: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.network_startup", str(path), first],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def _measure_here(path: Path, first: str) -> dict[str, float]:
    """This process has imported nnr and NumPy, and nothing of ONNX."""
    spent = {}
    start = time.perf_counter()
    if first:
        __import__(first)
    spent["import"] = _milliseconds(start)
    start = time.perf_counter()
    post_filter = nnr.PostFilter.load(path)
    spent["ready"] = _milliseconds(start)
    for title, size in PICTURES.items():
        plane = _plane(size)
        start = time.perf_counter()
        post_filter.apply(plane, qp=QP, bit_depth=BIT_DEPTH, threads=1)
        spent[title] = _milliseconds(start)
    return spent


def _milliseconds(start: float) -> float:
    return (time.perf_counter() - start) * 1e3


def _plane(size: Size) -> Any:
    return np.random.default_rng(1).integers(0, 1 << BIT_DEPTH, size, np.uint16)


class _Filtering:
    """The half-size filter on one size, as `timing.rotate` takes it."""

    passes = 1

    def __init__(self, size: Size, threads: int) -> None:
        from .networks import half_size_filter, loaded

        self._filter = nnr.PostFilter.load(loaded(half_size_filter()))
        self._plane, self._threads = _plane(size), threads
        self._out = np.empty_like(self._plane)

    def run(self) -> object:
        settings = {"qp": QP, "bit_depth": BIT_DEPTH, "threads": self._threads}
        return self._filter.apply(self._plane, out=self._out, **settings)


def measure_patch(
    frames: dict[str, Size], threads: tuple[int, ...], seconds: float
) -> list[Result]:
    """What a patch of 64x64 takes, over its share of what each of *frames* takes."""
    found = []
    for count in threads:
        works = [_Filtering(size, count) for size in (PATCH, *frames.values())]
        patch, *of_frames = (timing.median for timing in rotate(works, seconds))
        cost = {
            title: patch / (taken * np.prod(PATCH) / np.prod(size))
            for (title, size), taken in zip(frames.items(), of_frames, strict=True)
        }
        found.append({"threads": count, "ms": patch * 1e3, "over its share": cost})
    return found


if __name__ == "__main__":
    print(json.dumps(_measure_here(Path(sys.argv[1]), sys.argv[2])))
