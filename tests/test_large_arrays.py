"""More than 2**32 elements, as overlapping windows of a small array, and memory beside the result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnr

ROWS, COLUMNS = 1 << 16, (1 << 16) + 3  # 2**32 + 196,608 elements


def windows(base: np.ndarray) -> np.ndarray:
    """Row r is base[r : r + COLUMNS], so the base's last element is the last of the last row only."""
    return np.lib.stride_tricks.sliding_window_view(base, COLUMNS)


def zeros(dtype: type) -> np.ndarray:
    return np.zeros(ROWS + COLUMNS - 1, dtype)


def test_the_windows_are_what_these_tests_need() -> None:
    view = windows(zeros(np.float32))
    assert view.shape == (ROWS, COLUMNS)
    assert view.size > 2**32


def test_minmax_sees_the_far_end() -> None:
    base = zeros(np.float32)
    base[[0, -1]] = -3, 5
    assert nnr.minmax(windows(base)) == (-3, 5)
    lo, hi = nnr.minmax(windows(base)[-40:], axis=0)
    assert (lo.min(), hi.argmax(), hi[-1]) == (0, 39, 5)


def test_not_finite_is_named_beyond_32_bits() -> None:
    base = zeros(np.float32)
    base[-2] = np.nan  # the last but one of the last row and the last of the row before
    with pytest.raises(ValueError, match=rf"nan at index \({ROWS - 2}, {COLUMNS - 1}\)"):
        nnr.minmax(windows(base))


def test_quantize_fills_the_packed_codes_to_the_end() -> None:
    base = np.random.default_rng(1).normal(size=ROWS + COLUMNS - 1).astype(np.float32)
    view = windows(base)
    got = nnr.quantize(view, 1, lo=-1.0, hi=1.5)
    assert got.packed.size == -(-view.size // 8)
    # COLUMNS is odd: eight rows begin at a whole byte.
    for rows in (slice(0, 8), slice(ROWS // 2 - 8, ROWS // 2 + 8), slice(ROWS - 8, ROWS)):
        want = nnr.reference.quantize(view[rows], 1, lo=-1.0, hi=1.5).packed
        packed = got.packed[rows.start * COLUMNS // 8 : rows.stop * COLUMNS // 8]
        np.testing.assert_array_equal(packed, want)
    outside = np.concatenate([[0], np.cumsum((base < -1) | (base > 1.5))])
    assert got.clipped == (outside[COLUMNS:] - outside[:ROWS]).sum()


def test_pack_fills_the_packed_codes_to_the_end() -> None:
    base = np.random.default_rng(1).integers(0, 2, ROWS + COLUMNS - 1).astype(np.uint8)
    packed = nnr.pack(windows(base), 1)
    assert packed.size == -(-(ROWS * COLUMNS) // 8)
    np.testing.assert_array_equal(packed[-4096:], nnr.reference.pack(base[-8 * 4096 :], 1))


MEASURE = """
import json, resource
import numpy as np, nnr

def peak():
    status = open("/proc/self/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) << 10

def extra(call):
    open("/proc/self/clear_refs", "w").write("5")
    before = peak()
    result = call()
    return peak() - before - getattr(getattr(result, "packed", result), "nbytes", 0)

flat = np.random.default_rng(1).standard_normal(1 << 24, np.float32)
square = flat.reshape(4096, 4096)
calls = {
    "contiguous": lambda: nnr.quantize(flat, 5, threads=2),
    "transposed": lambda: nnr.quantize(square.T, 5, threads=2),
    "reversed": lambda: nnr.quantize(square[::-1, ::-1], 8, threads=2),
    "per channel": lambda: nnr.quantize(square, 5, axis=0, threads=2),
    "short runs": lambda: nnr.quantize(flat.reshape(-1, 16, 8), 5, axis=1, threads=2),
    "per column, transposed": lambda: nnr.quantize(square.T, 8, axis=1, threads=2),
    "minmax of transposed": lambda: np.empty(0) if nnr.minmax(square.T, threads=2) else None,
    "many": lambda: nnr.quantize_many({"a": flat}, 8)["a"],
}
results = {"control": extra(lambda: np.ones(1 << 20)[:1].copy())}
for name, call in calls.items():
    call()
    results[name] = extra(call)
print(json.dumps(results))
"""


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="needs the peak that Linux keeps"
)
def test_a_call_needs_less_than_a_megabyte_beside_its_result() -> None:
    # Memory goes back to the system at once, so that no call finds what an earlier one left.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    spent = json.loads(done.stdout)
    assert 7 << 20 < spent.pop("control") < 9 << 20, "the method does not see what it should"
    assert max(spent.values()) < 1 << 20, spent
