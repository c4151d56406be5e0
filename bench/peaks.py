"""What this machine's cores can multiply and add at most, in registers: one core and two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from . import roofline
from .timing import rotate

# A call of some milliseconds, beside which starting two threads is nothing.
TURNS = 1 << 22
OF_PRECISION = {
    "fp32": "float32 multiply-add",
    "int8": "int8 dot product",
    "bf16": "bfloat16 dot product",
}


def measure(threads: int, seconds: float) -> dict[str, float]:
    """Billions of operations a second by precision; what this CPU has no instruction for is left out."""
    with ThreadPoolExecutor(threads) as pool:
        loops = [_side_by_side(loop, threads, pool) for loop in roofline.arithmetic(TURNS)]
        timings = rotate(loops, seconds)
    rates = {
        loop.name: loop.work / timing.minimum / 1e9
        for loop, timing in zip(loops, timings, strict=True)
    }
    return {kind: rates[name] for kind, name in OF_PRECISION.items() if name in rates}


def _side_by_side(loop: roofline.Loop, threads: int, pool: ThreadPoolExecutor) -> roofline.Loop:
    """The same loop in each thread; a native call holds no lock of the interpreter's."""

    def run() -> None:
        for done in [pool.submit(loop.run) for _ in range(threads)]:
            done.result()

    return roofline.Loop(loop.name, run, loop.passes, threads * loop.work)
