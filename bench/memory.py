"""How much memory a call needs beside its result: the process's peak, measured by the kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import nnr

from .cases import LO, SIZES

PROCESS = Path("/proc/self")
SIZE = "64 MB"
CONTROL = "(a call that needs 8 MB)"  # shows that the method sees what it should


def measure() -> dict[str, int]:
    """Bytes beside input and output at the peak of each call on 64 MB of floats.

    In a process of its own, in which the allocator returns everything to the system at once, so
    that no call finds room that an earlier one left behind.
    """
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "bench.memory"],
        env=environment,
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def _measure_here() -> dict[str, int]:
    results = {CONTROL: _extra(lambda: np.ones(1 << 20)[:1].copy())}
    for name, call in _calls().items():
        call()  # brings in code, which stays
        results[name] = _extra(call)
    return results


def _calls() -> dict[str, Callable[[], Any]]:
    values = np.random.default_rng(1).standard_normal(SIZES[SIZE] // 4, np.float32)
    np.clip(values, LO, -LO, out=values)
    halves = values.astype(np.float16)
    quantized = {bits: nnr.quantize(values, bits) for bits in (4, 8, 12)}
    codes = {bits: array.codes() for bits, array in quantized.items()}
    calls: dict[str, Callable[[], Any]] = {
        "minmax": partial(nnr.minmax, values, threads=1),
        "minmax, float16": partial(nnr.minmax, halves, threads=1),
        "quantize, two threads": partial(nnr.quantize, values, threads=2),
        "quantize, float16": partial(nnr.quantize, halves, threads=1),
        "quantize, known range": partial(nnr.quantize, values, lo=LO, hi=-LO, threads=1),
    }
    for bits, array in quantized.items():
        of_bits = f", {bits} bits"
        calls["quantize" + of_bits] = partial(nnr.quantize, values, bits, threads=1)
        calls["dequantize" + of_bits] = partial(nnr.dequantize, array, threads=1)
        calls["pack" + of_bits] = partial(nnr.pack, codes[bits], bits, threads=1)
        calls["unpack" + of_bits] = partial(nnr.unpack, array.packed, bits, values.size, threads=1)
    return calls


def _extra(call: Callable[[], Any]) -> int:
    """Bytes that the process grew by at the most, less those that the result takes."""
    (PROCESS / "clear_refs").write_text("5")  # the peak starts anew
    before = resident("VmRSS")
    result = call()
    peak = resident("VmHWM")
    held = result.packed if isinstance(result, nnr.QuantizedArray) else result
    kept = held.nbytes if isinstance(held, np.ndarray) else 0
    return peak - before - kept


def resident(field: str) -> int:
    for line in (PROCESS / "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise RuntimeError(f"the kernel does not tell {field}")


if __name__ == "__main__":
    print(json.dumps(_measure_here()))
