"""Whether two Python threads work side by side: the GIL is released while the core computes."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable

import numpy as np

import nnr

from .cases import LO, SIZES, aligned_copy, reused

ROUNDS = 7
SIZE = "4 MB"
ROUND_SECONDS = 0.05  # starting a thread takes a five-hundredth of it


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def measure() -> dict[str, float]:
    """By function: the time of two threads, each doing all the work, over the time of one."""
    pairs = zip(_functions(1), _functions(2), strict=True)
    return {name: _ratio(first, second) for (name, first), (_, second) in pairs}


def _functions(seed: int) -> list[tuple[str, Callable[[], object]]]:
    """One thread's own arrays, so that threads share nothing but the interpreter."""
    count = SIZES[SIZE] // 4
    drawn = np.random.default_rng(seed).standard_normal(count, np.float32)
    values = aligned_copy(np.clip(drawn, LO, -LO))
    quantized = nnr.quantize(values)
    codes, out = quantized.codes(), reused(count, np.float32)
    nibbles = aligned_copy(codes >> 4)
    packed = nnr.pack(nibbles, 4)
    requantized, unpacked = reused(count, np.uint8), reused(count, np.uint8)
    repacked = reused(packed.size, np.uint8)
    return [
        ("minmax", lambda: nnr.minmax(values, threads=1)),
        ("quantize", lambda: nnr.quantize(values, out=requantized, threads=1)),
        ("dequantize", lambda: nnr.dequantize(quantized, out=out, threads=1)),
        ("pack", lambda: nnr.pack(nibbles, 4, out=repacked, threads=1)),
        ("unpack", lambda: nnr.unpack(packed, 4, count, out=unpacked, threads=1)),
    ]


def _ratio(first: Callable[[], object], second: Callable[[], object]) -> float:
    """Best round of two threads over best round of one, the two alternating."""
    calls = math.ceil(ROUND_SECONDS / min(_elapsed([first], 1) for _ in range(ROUNDS)))
    alone, together = [], []
    for _ in range(ROUNDS):
        alone.append(_elapsed([first], calls))
        together.append(_elapsed([first, second], calls))
    return min(together) / min(alone)


def _elapsed(functions: list[Callable[[], object]], calls: int) -> float:
    ready = threading.Barrier(len(functions) + 1)

    def repeat(function: Callable[[], object]) -> None:
        ready.wait()
        for _ in range(calls):
            function()

    threads = [threading.Thread(target=repeat, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start
