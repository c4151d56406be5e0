"""Runs one network on one size with every engine: each is checked, then all are timed in rotation."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import float64
from .contestants import NAME
from .engines import Engines, Entrant, Job, entrants
from .networks import Size, at_size
from .timing import Timing, rotate

SIZES: dict[str, Size] = {
    "64x64": (64, 64),
    "128x128": (128, 128),
    "416x240": (240, 416),
    "832x480": (480, 832),
}
FULL_SIZES = SIZES | {"1920x1080": (1080, 1920)}
# Above it one thread and two are timed in rotations of their own: not all engines fit the memory.
MAX_SAMPLES_TOGETHER = 832 * 480
# An engine's waiting threads give up within it.
PAUSE = 0.03

# What an engine may be off at the most: in float32 by how much of full scale anywhere, in fewer
# bits by how much of the result's deviation, as the root of the mean squared error.
MAX_ERROR = 1e-4
MAX_RELATIVE_RMSE = {"bf16": 0.03, "int8": 0.1}

# Whose errors the others are held against.
BASE = "onnxruntime"

Result = dict[str, Any]


class Expected:
    """The output in float64: all of it for a small picture, two corners of a large one."""

    PATCH = 160
    MARGIN = 32  # more than a sample of the output sees of its neighbours, and even

    def __init__(self, job: Job) -> None:
        height, width = job.size
        if max(job.size) <= self.PATCH:
            self._parts = [((slice(None), slice(None)), float64.run(job.model, job.picture))]
            return
        rows, columns = min(height, self.PATCH), min(width, self.PATCH)
        model = at_size(job.network.model, (rows, columns))
        first = float64.run(model, job.picture[:, :rows, :columns])
        last = float64.run(model, job.picture[:, height - rows :, width - columns :])
        seen, margin = slice(None, -self.MARGIN), self.MARGIN
        self._parts = [
            ((slice(rows - margin), slice(columns - margin)), first[:, seen, seen]),
            (
                (slice(margin - rows, None), slice(margin - columns, None)),
                last[:, margin:, margin:],
            ),
        ]

    def errors(self, result: NDArray[Any]) -> dict[str, float]:
        """The greatest error, the root of the mean squared one, and what they are held against."""
        wanted = np.concatenate([part.ravel() for _, part in self._parts])
        got = np.concatenate(
            [result[:, rows, columns].ravel() for (rows, columns), _ in self._parts]
        )
        assert got.shape == wanted.shape, f"{got.shape} is not {wanted.shape}"
        differences = got.astype(np.float64) - wanted
        return {
            "max": float(np.abs(differences).max()),
            "rms": float(np.sqrt(np.mean(differences**2))),
            "full scale": max(1.0, float(np.abs(wanted).max())),
            "deviation": float(wanted.std()),
        }


def check(entrant: Entrant, expected: Expected) -> dict[str, float]:
    errors = expected.errors(entrant.result())
    if entrant.precision == "fp32":
        held, bound = errors["max"], MAX_ERROR * errors["full scale"]
    else:
        held, bound = errors["rms"], MAX_RELATIVE_RMSE[entrant.precision] * errors["deviation"]
    assert held <= bound, f"{entrant.name}, {entrant.threads} threads: off by {held}, not {bound}"
    return errors


def compare(
    engines: Engines, job: Job, size: str, threads: Sequence[int], seconds: float
) -> Result:
    """Billions of operations a second of each engine, and how nnr fares beside each."""
    together = job.size[0] * job.size[1] <= MAX_SAMPLES_TOGETHER
    groups = [tuple(threads)] if together else [(count,) for count in threads]
    expected, operations = Expected(job), job.network.operations(job.size)
    entries: list[Result] = []
    skipped: dict[str, str] = {}
    for group in groups:
        ready, why = entrants(engines, job, group)
        skipped |= why
        errors = [check(entrant, expected) for entrant in ready]
        timings = rotate(ready, seconds, pause=PAUSE)
        entries += [_entry(*each, operations) for each in zip(ready, timings, errors, strict=True)]
        del ready
        gc.collect()
    return {
        "network": job.network.title,
        "size": size,
        "samples": job.size[0] * job.size[1],
        "operations": operations,
        "entries": entries,
        "ratios": ratios(entries),
        "skipped": skipped,
    }


def _entry(entrant: Entrant, timing: Timing, errors: dict[str, float], operations: int) -> Result:
    return {
        "library": entrant.library,
        "engine": entrant.name,
        "precision": entrant.precision,
        "variant": entrant.variant,
        "threads": entrant.threads,
        "median s": timing.median,
        "min s": timing.minimum,
        "rounds": len(timing.seconds),
        "GFLOP/s": operations / timing.median / 1e9,
        "errors": errors,
    }


def ratios(entries: Sequence[Result]) -> list[Result]:
    """How many times faster nnr is than each engine of its precision and threads, by the median."""
    return [
        {
            "ours": ours["engine"],
            "engine": other["engine"],
            "threads": other["threads"],
            "ratio": other["median s"] / ours["median s"],
        }
        for ours in entries
        if ours["library"] == NAME
        for other in entries
        if other["library"] != NAME
        and all(other[key] == ours[key] for key in ("precision", "threads"))
    ]


def accuracy(results: Sequence[Result]) -> list[Result]:
    """Errors on each network's smallest size, beside those of onnxruntime at that precision."""
    found = []
    smallest = {result["network"]: result for result in reversed(results)}
    for result in reversed(smallest.values()):
        entries = [entry for entry in result["entries"] if entry["threads"] == 1]
        bases = {e["precision"]: e["errors"] for e in entries if e["library"] == BASE}
        for entry in entries:
            errors, base = entry["errors"], bases.get(entry["precision"])
            beside = {key: errors[key] / base[key] for key in ("max", "rms")} if base else {}
            found.append(
                {
                    "network": result["network"],
                    "size": result["size"],
                    "engine": entry["engine"],
                    "max": errors["max"],
                    "rms": errors["rms"],
                    "beside onnxruntime": beside,
                }
            )
    return found
