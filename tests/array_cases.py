"""What the tests of the array functions share: float types, ways to lie in memory, what is equal."""

from __future__ import annotations

import ml_dtypes
import numpy as np

import nnr

DTYPES = [np.float32, np.float16, ml_dtypes.bfloat16, np.float64]


def normal(*shape: int, dtype: type = np.float32, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def assert_same(got: nnr.QuantizedArray, want: nnr.QuantizedArray) -> None:
    np.testing.assert_array_equal(got.packed, want.packed)
    np.testing.assert_array_equal(got.lo, want.lo)
    np.testing.assert_array_equal(got.hi, want.hi)
    assert (got.bits, got.shape, got.dtype, got.axis, got.clipped) == (
        (want.bits, want.shape, want.dtype, want.axis, want.clipped)
    )
    native, reference = got.dequantize(), nnr.reference.dequantize(want)
    assert native.dtype == reference.dtype == got.dtype
    assert native.tobytes() == reference.tobytes()


def unaligned(array: np.ndarray) -> np.ndarray:
    """A copy that begins one byte beside where its elements would be aligned."""
    copy = np.empty(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def field_of_records(array: np.ndarray) -> np.ndarray:
    """A copy as a field of packed records: every element at another distance from alignment."""
    records = np.zeros(array.shape, [("before", np.uint8), ("it", array.dtype), ("after", "3V")])
    records["it"] = array
    return records["it"]


# From an array of three axes to a view of the same type that lies in memory in another way.
VIEWS = {
    "transposed": lambda a: a.T,
    "outer axes exchanged": lambda a: a.transpose(1, 0, 2),
    "inner axes exchanged": lambda a: a.transpose(0, 2, 1),
    "fortran": np.asfortranarray,
    "steps": lambda a: a[::2, ::3, ::5],
    "inner steps": lambda a: a[:, :, ::2],
    "middle columns": lambda a: a[:, :, 1:-1],
    "column": lambda a: a[:, :, 1],
    "reversed": lambda a: a[::-1, ::-1, ::-1],
    "reversed rows": lambda a: a[:, ::-1],
    "reversed within rows": lambda a: a[:, :, ::-1],
    "reversed and transposed": lambda a: a[::-2, 1:, ::-3].T,
    "all of one value": lambda a: np.broadcast_to(a[0, 0, 0], (50, 7, 400)),
    "broadcast outside": lambda a: np.broadcast_to(a[1, :5], (40, 5, a.shape[2])),
    "broadcast inside": lambda a: np.broadcast_to(a[:, :, :1], (*a.shape[:2], 300)),
    "broadcast between": lambda a: np.broadcast_to(a[:, :1], (a.shape[0], 70, a.shape[2])),
    "sliding windows": lambda a: np.lib.stride_tricks.sliding_window_view(a[0], (3, 9)),
    "diagonal": lambda a: a.diagonal(axis1=0, axis2=1),
    "unaligned": unaligned,
    "unaligned and transposed": lambda a: unaligned(a).T,
    "field of records": field_of_records,
    "without elements": lambda a: a[:, :0].T,
}
