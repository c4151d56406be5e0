"""This machine's own ceilings: `roofline.cpp`, compiled for it, checked and measured.

python -m bench.roofline
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cases import SIZES, aligned_empty, reused
from .timing import rotate

SOURCE = Path(__file__).with_name("roofline.cpp")
COMPILER = os.environ.get("CXX", "c++")
FLAGS = ("-std=c++20", "-O3", "-march=native", "-shared", "-fPIC")

# A call from Python takes a microsecond, so that a call goes over at least this many bytes.
BYTES_A_CALL = 1 << 23
# (vectors read, vectors written) a step: a copy; 16- and 32-bit floats from and to 8-bit codes.
MOVES = {"copy": (1, 1), "2:1": (2, 1), "4:1": (4, 1), "1:2": (1, 2), "1:4": (1, 4)}


@dataclass(frozen=True)
class Loop:
    """A loop of the roofline, as `timing.rotate` takes it."""

    name: str
    run: Callable[[], object]
    passes: int
    work: int  # what one pass does: bytes read and written, or operations


def read(array: NDArray[Any]) -> Loop:
    """Every byte is loaded and added to a sum."""
    passes = _passes_over(array.nbytes)
    run = partial(_library().roofline_read, array.ctypes, array.nbytes, passes)
    return Loop("read", run, passes, array.nbytes)


def fills(array: NDArray[Any]) -> list[Loop]:
    """Every byte is stored, in the ordinary way and past the caches where the CPU can."""
    passes = _passes_over(array.nbytes)
    run = partial(_library().roofline_fill, array.ctypes, array.nbytes, passes, 1)
    loops = [Loop("fill", partial(run, False), passes, array.nbytes)]
    if run(True):
        loops.append(Loop("fill past caches", partial(run, True), passes, array.nbytes))
    return loops


def moves(source: NDArray[Any], target: NDArray[Any], ratio: str) -> list[Loop]:
    """Every byte of *source* is loaded and every byte of *target* stored."""
    vectors_in, vectors_out = MOVES[ratio]
    nbytes = source.nbytes + target.nbytes
    steps = nbytes // (_library().roofline_vector_bytes() * (vectors_in + vectors_out))
    assert source.nbytes * vectors_out == target.nbytes * vectors_in
    passes = _passes_over(nbytes)
    addresses = (source.ctypes, target.ctypes)
    run = partial(_library().roofline_move, *addresses, vectors_in, vectors_out, steps, passes)
    loops = [Loop(ratio, partial(run, False), passes, nbytes)]
    if run(True):
        loops.append(Loop(f"{ratio} past caches", partial(run, True), passes, nbytes))
    return loops


def arithmetic(turns: int = 1 << 20) -> list[Loop]:
    """Multiply-adds of float32 and, where the CPU has them, dot products of int8 and bfloat16."""
    lanes = ctypes.c_size_t()
    multiply_add = partial(_library().roofline_fma, turns, 1.0, 1.0, ctypes.byref(lanes))
    multiply_add()
    # A turn is one instruction a chain: a product and a sum a lane, or two or four of each.
    loops = [Loop("float32 multiply-add", multiply_add, turns, 2 * lanes.value)]
    dot = partial(_library().roofline_dot, turns, ctypes.byref(lanes))
    dot()
    if lanes.value:
        loops.append(Loop("int8 dot product", dot, turns, 8 * lanes.value))
    bfloat_dot = partial(_library().roofline_bfloat_dot, turns, ctypes.byref(lanes))
    bfloat_dot()
    if lanes.value:
        loops.append(Loop("bfloat16 dot product", bfloat_dot, turns, 4 * lanes.value))
    return loops


def measure(sizes: Sequence[str], seconds: float) -> dict[str, Any]:
    """GB/s of bytes read plus bytes written, by size and loop, and billions of operations/s."""
    check()
    return {
        "compiler": compiler(),
        "flags": " ".join(FLAGS[:3]),
        "GB/s": {size: _rates(_memory_loops(SIZES[size]), seconds) for size in sizes},
        "billion operations/s": _rates(arithmetic(), seconds),
    }


def compiler() -> str:
    text = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=True)
    return text.stdout.splitlines()[0]


def _rates(loops: list[Loop], seconds: float) -> dict[str, float]:
    timings = rotate(loops, seconds)
    return {
        loop.name: loop.work / timing.minimum / 1e9
        for loop, timing in zip(loops, timings, strict=True)
    }


def _memory_loops(nbytes: int) -> list[Loop]:
    """Each loop with *nbytes* on its larger side, as the works count them."""
    large, same = reused(nbytes, np.uint8), reused(nbytes, np.uint8)
    small = reused(nbytes // 4, np.uint8)
    return [
        read(large),
        *fills(large),
        *moves(large, same, "copy"),
        *moves(large, small, "4:1"),
        *moves(small, large, "1:4"),
    ]


def _passes_over(nbytes: int) -> int:
    return max(1, BYTES_A_CALL // nbytes)


@cache
def _library() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "roofline.so"
        subprocess.run([COMPILER, *FLAGS, SOURCE, "-o", built], check=True)
        library = ctypes.CDLL(str(built))
    size, pointer, flag, number = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_bool, ctypes.c_int
    word, real, lanes = ctypes.c_uint64, ctypes.c_float, ctypes.POINTER(size)
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "vector_bytes": (size, []),
        "read": (word, [pointer, size, size]),
        "fill": (flag, [pointer, size, size, word, flag]),
        "move": (flag, [pointer, pointer, number, number, size, size, flag]),
        "fma": (ctypes.c_double, [size, real, real, lanes]),
        "dot": (ctypes.c_int64, [size, lanes]),
        "bfloat_dot": (ctypes.c_double, [size, lanes]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, f"roofline_{name}")
        function.restype, function.argtypes = result, arguments
    return library


@cache
def check() -> None:
    """Every loop did all of its passes: results are right, and twice the passes take twice as long.

    A loop that the compiler had removed, merged with another or taken out of the repetition would
    fail one of the two.
    """
    array = aligned_empty(1 << 12, np.uint64)
    array[:] = np.random.default_rng(3).integers(0, 1 << 63, array.size, np.uint64)
    loop = read(array)
    total = int(array.sum(dtype=np.uint64)) * loop.passes % (1 << 64)
    assert loop.run() == total, "read: the sum is wrong"
    for loop in fills(array):
        loop.run()
        assert (array == loop.passes).all(), f"{loop.name}: the memory is wrong"
    for ratio in MOVES:
        _check_moves(ratio)
    for loop in arithmetic():
        # Every lane counts its turns, by half of the operations that it does.
        assert loop.run() == loop.passes * loop.work // 2, f"{loop.name}: the sum is wrong"
    _check_time()


def _check_moves(ratio: str) -> None:
    vectors_in, vectors_out = MOVES[ratio]
    vector = _library().roofline_vector_bytes() // 8
    steps = 256
    source = aligned_empty(steps * vectors_in * vector, np.uint64)
    source[:] = np.random.default_rng(4).integers(0, 1 << 60, source.size, np.uint64)
    sums = source.reshape(steps, vectors_in, vector).sum(axis=1, keepdims=True, dtype=np.uint64)
    target = reused(steps * vectors_out * vector, np.uint64)
    for loop in moves(source, target, ratio):
        target[:] = 0
        loop.run()
        wanted = np.repeat(sums, vectors_out, axis=1).reshape(-1)
        assert np.array_equal(target, wanted), f"{loop.name}: the memory is wrong"


def _check_time() -> None:
    """Twice the passes take twice the time, where a removed loop's would not grow."""
    array, passes = reused(1 << 18, np.uint8), 1000
    where = (array.ctypes, array.nbytes)
    for name, loop in (
        ("read", lambda times: _library().roofline_read(*where, times * passes)),
        ("fill", lambda times: _library().roofline_fill(*where, times * passes, 1, False)),
        # To learn how many operations a turn is, it runs every loop once.
        ("arithmetic", lambda times: arithmetic(times * passes * 100)),
    ):
        once, twice = rotate([Loop(name, partial(loop, times), 1, 0) for times in (1, 2)], 0.1)
        growth = twice.minimum / once.minimum
        assert 1.7 < growth < 2.3, f"{name}: twice the passes took {growth:.2f} times as long"


if __name__ == "__main__":
    print(json.dumps(measure(tuple(SIZES), 1.0), indent=2))
