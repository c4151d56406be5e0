"""Arrays of every type as what the bitstream can hold, float32 and int32, and back.

=========================================  =====================================================
float32, float16, bfloat16, float8         float32
float64                                    the nearest float32
int8 to int32, uint8, uint16, bool         int32
uint32                                     int32 of the same bits
int64, uint64                              int32 if all values fit, otherwise two of them a value
float8_e8m0fnu (powers of two, no zero)    int32, its codes, since no quantiser suits it
=========================================  =====================================================

A scalar is a vector of one element, and an array without elements one of none: both are shapes that
other decoders take.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from ...models.dtypes import DTYPES, name_of
from .description import Origin

MAX_DIMENSIONS = 32
_MAX_ELEMENTS = 2**31 - 1

_FLOAT32 = np.dtype(np.float32)
_INT32 = np.dtype(np.int32)
_BY_NAME: dict[str, np.dtype[Any]] = {dtype.name: dtype for dtype in DTYPES.values()}
_POWERS = DTYPES["F8_E8M0"]
_FLOATS: frozenset[str] = frozenset(
    dtype.name
    for name, dtype in DTYPES.items()
    if name.startswith(("F", "BF")) and dtype is not _POWERS
)
_SMALL_INTEGERS = frozenset({"bool", "int8", "uint8", "int16", "uint16", "int32"})
_WIDE_INTEGERS = frozenset({"int64", "uint64"})


class Coded(NamedTuple):
    """An array as the bitstream holds it, and what it was if that is something else."""

    array: NDArray[Any]
    origin: Origin | None
    is_float: bool


def to_coded(name: str, array: NDArray[Any] | np.generic) -> Coded:
    """Convert a tensor; a view of it where that will do.

    Raises
    ------
    TypeError
        Complex numbers, text, objects.
    ValueError
        A float64 beyond float32, too many dimensions or elements.
    """
    if (
        type(array) is np.ndarray
        and (array.dtype is _FLOAT32 or array.dtype is _INT32)
        and array.size
        and 1 <= array.ndim <= MAX_DIMENSIONS
        and array.flags.c_contiguous
        and array.flags.aligned
    ):
        return Coded(array, None, array.dtype is _FLOAT32)
    array = np.asarray(array)
    if array.ndim > MAX_DIMENSIONS:
        raise ValueError(f"tensor {name!r}: at most {MAX_DIMENSIONS} dimensions, got {array.ndim}")
    if array.size > _MAX_ELEMENTS:
        raise ValueError(f"tensor {name!r}: {array.size} elements, more than a unit can hold")
    values = _plain(name, array)
    origin = Origin(array.dtype.newbyteorder("=").name, array.shape)
    if not array.size:
        values = values.reshape(0)
    elif not array.ndim:
        values = values.reshape(-1)
    same = origin == (values.dtype.name, values.shape)
    return Coded(values, None if same else origin, values.dtype == _FLOAT32)


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """The same values as C-contiguous float32 or int32."""
    if name_of(array.dtype) is None or array.dtype.kind == "c":
        raise TypeError(f"tensor {name!r}: only real numbers can be coded, got {array.dtype}")
    native = array.dtype.newbyteorder("=")
    if native.name in _FLOATS:
        with np.errstate(over="ignore"):
            values = np.ascontiguousarray(array, _FLOAT32).reshape(array.shape)
        if (
            native.itemsize > _FLOAT32.itemsize
            and (beyond := np.isinf(values) & np.isfinite(array)).any()
        ):
            index = tuple(map(int, np.argwhere(beyond)[0]))
            raise ValueError(
                f"tensor {name!r} holds {array[index]} at index {index}, which is beyond float32"
            )
        return values
    array = np.ascontiguousarray(array, native).reshape(array.shape)
    if native.name in _SMALL_INTEGERS:
        return array.astype(_INT32, copy=False)
    if native == _POWERS:
        return array.view(np.uint8).astype(_INT32)
    if native.name == "uint32":
        return array.view(_INT32)
    info = np.iinfo(np.int32)
    if not array.size or (array.min() >= info.min and array.max() <= info.max):
        return array.astype(_INT32)
    return array.reshape(-1).view(_INT32)


def restore(values: NDArray[Any], origin: Origin, *, raw: bool) -> NDArray[Any]:
    """Invert `to_coded`; values that a narrow type cannot hold become the nearest that it can.

    Raises
    ------
    ValueError
        The decoded values cannot be what *origin* says.
    """
    dtype, count = _BY_NAME.get(origin.dtype), math.prod(origin.shape)
    if dtype is None:
        raise ValueError(f"unknown type {origin.dtype!r}")
    words = 2 if dtype.name in _WIDE_INTEGERS and values.size == 2 * count else 1
    if values.size != words * count:
        raise ValueError(f"{values.size} values cannot be of shape {origin.shape}")
    if (values.dtype == _INT32) == (dtype.name in _FLOATS):
        raise ValueError(f"{values.dtype} values cannot be {origin.dtype}")
    if words == 2:
        return np.ascontiguousarray(values).view(dtype).reshape(origin.shape)
    if values.dtype == _INT32:
        return _integers(values, dtype).reshape(origin.shape)
    return (
        (values if raw else _clipped(values, dtype)).astype(dtype, copy=False).reshape(origin.shape)
    )


def _integers(values: NDArray[np.int32], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.name == "uint32":
        return np.ascontiguousarray(values).view(dtype)
    lo, hi = (0, 1) if dtype.kind == "b" else (0, 255)
    if dtype != _POWERS and dtype.kind != "b":
        info = np.iinfo(dtype)
        lo, hi = int(info.min), int(info.max)
    if values.size and (int(values.min()) < lo or int(values.max()) > hi):
        raise ValueError(f"values from {values.min()} to {values.max()} cannot be {dtype}")
    return values.astype(np.uint8).view(dtype) if dtype == _POWERS else values.astype(dtype)


def _clipped(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Within the range of *dtype*: half a step beyond it must not become infinity."""
    if dtype.itemsize >= values.dtype.itemsize:
        return values
    limit = float(ml_dtypes.finfo(dtype).max)  # type: ignore[no-untyped-call]
    if not values.size or max(-float(values.min()), float(values.max())) <= limit:
        return values
    clipped: NDArray[Any] = np.clip(values, -limit, limit)
    return clipped
