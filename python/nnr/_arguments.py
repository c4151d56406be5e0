"""What the array functions and their reference twins accept, checked in one place."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any, NoReturn, SupportsIndex, cast

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from . import _core

Codes = NDArray[np.uint8] | NDArray[np.uint16]

MAX_BITS = 16
MAX_THREADS = 1024
_BFLOAT16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
_FLOAT_DTYPES: frozenset[np.dtype[Any]] = frozenset(
    np.dtype(scalar) for scalar in (np.float16, ml_dtypes.bfloat16, np.float32, np.float64)
)
_UINT8 = np.dtype(np.uint8)
_UINT16 = np.dtype(np.uint16)
_BYTE_BITS = 8  # codes of more bits take two bytes
_DLPACK_CPU = 1


def check_float_dtype(dtype: np.dtype[Any], name: str) -> None:
    if dtype not in _FLOAT_DTYPES:
        raise TypeError(f"{name} must be float16, bfloat16, float32 or float64, got {dtype}")


def as_float_array(array: object, name: str = "array") -> NDArray[Any]:
    """Any array-like of floats as an array in native byte order, of any strides.

    NumPy arrays that already are so, and DLPack CPU tensors, are taken without a copy.
    """
    if _core.are_float_arrays(array):
        return cast("NDArray[Any]", array)
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name} is masked; fill it first, for example with {name}.filled(0)")
    if not isinstance(array, np.ndarray) and hasattr(array, "__dlpack__"):
        taken = _from_dlpack(array, name)
    else:
        taken = np.asarray(array)
    # Types such as strings of any length have no byte order.
    native = taken.dtype.newbyteorder("=") if taken.dtype.itemsize <= 8 else taken.dtype
    if native not in _FLOAT_DTYPES:
        raise TypeError(
            f"{name} must be float16, bfloat16, float32 or float64, got {taken.dtype}; "
            f"convert it first, for example with {name}.astype('float32')"
        )
    return taken.astype(native, copy=False)


def as_float_arrays(arrays: Mapping[str, object]) -> list[NDArray[Any]]:
    """Each as `as_float_array` takes it, all of them in one step where they already are so."""
    if not isinstance(arrays, Mapping):
        raise TypeError(f"arrays must be a mapping of names, got {type(arrays).__name__}")
    values = list(arrays.values())
    if _core.are_float_arrays(*values):
        return cast("list[NDArray[Any]]", values)
    return [as_float_array(array, name) for name, array in arrays.items()]


def _from_dlpack(tensor: Any, name: str) -> NDArray[Any]:
    device, _ = tensor.__dlpack_device__()
    if device != _DLPACK_CPU:
        raise TypeError(f"{name} is not in CPU memory (DLPack device type {int(device)}); move it")
    try:
        capsule = tensor.__dlpack__()
    except (BufferError, RuntimeError) as error:
        raise TypeError(f"{name} cannot be shared through DLPack: {error}") from error
    array, type_name = _core.from_dlpack(capsule)
    return array.view(_BFLOAT16) if type_name == "bfloat16" else array


def check_bits(bits: SupportsIndex) -> int:
    value = check_integer(bits, "bits")
    if not 1 <= value <= MAX_BITS:
        raise ValueError(f"bits must be 1 to {MAX_BITS}, got {value}")
    return value


def check_count(count: SupportsIndex) -> int:
    value = check_integer(count, "count")
    if value < 0:
        raise ValueError(f"count must not be negative, got {value}")
    return value


def check_threads(threads: SupportsIndex | None) -> int:
    """The number of threads for the native core, where 0 means that it chooses."""
    if threads is None:
        return 0
    value = check_integer(threads, "threads")
    if not 1 <= value <= MAX_THREADS:
        raise ValueError(f"threads must be 1 to {MAX_THREADS}, or None, got {value}")
    return value


def check_integer(value: SupportsIndex, name: str) -> int:
    if type(value) is int:
        return value
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}") from None


def check_axis(axis: SupportsIndex | None, ndim: int, name: str = "the array") -> int | None:
    """The axis counted from the front, or None for one range over the whole tensor."""
    if axis is None:
        return None
    value = check_integer(axis, "axis")
    if not -ndim <= value < ndim:
        raise ValueError(f"axis must be within {name}'s {ndim} dimensions, got {value}")
    return value % ndim


def channel_layout(shape: tuple[int, ...], axis: int | None) -> tuple[int, int, int]:
    """The shape as (outer, channels, inner) in C order."""
    if axis is None:
        return 1, 1, math.prod(shape)
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])


def raise_not_finite(array: NDArray[Any], flat_index: int, name: str) -> NoReturn:
    index = tuple(int(i) for i in np.unravel_index(flat_index, array.shape))
    value = float(array[index])
    beyond = " (beyond float32)" if np.isfinite(value) else ""
    raise ValueError(f"{name} holds {value}{beyond} at index {index}; only finite values quantise")


def check_codes(codes: object, bits: int) -> Codes:
    """Codes as an array of a type that the native core takes, of any strides."""
    if type(codes) is np.ndarray and (
        codes.dtype is _UINT16 or (codes.dtype is _UINT8 and bits <= _BYTE_BITS)
    ):
        return codes
    if isinstance(codes, np.ma.MaskedArray):
        raise TypeError("codes are masked; fill them first, for example with codes.filled(0)")
    array = np.asarray(codes)
    if array.size == 0:
        return np.empty(0, code_dtype(bits))
    if array.dtype.kind not in "ui":
        raise TypeError(f"codes must be integers, got {array.dtype}")
    if array.dtype.kind == "i" and array.min() < 0:
        raise ValueError(f"codes must not be negative, got {array.min()}")
    if array.dtype not in (np.uint8, np.uint16) or (array.dtype == np.uint8 and bits > _BYTE_BITS):
        if array.max() >> bits:
            raise_code_too_large(array, bits)
        array = array.astype(code_dtype(bits))
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return cast("Codes", native)


def raise_code_too_large(codes: NDArray[Any], bits: int) -> NoReturn:
    raise ValueError(f"codes must be below 2**bits = {1 << bits}, got {codes.max()}")


def code_dtype(bits: int) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
    """uint8 up to 8 bits, uint16 above."""
    return _UINT8 if bits <= _BYTE_BITS else _UINT16


def packed_size(count: int, bits: int) -> int:
    """Bytes that *count* codes take."""
    return (count * bits + 7) // 8


def check_packed(packed: object, count: int, bits: int) -> NDArray[np.uint8]:
    if isinstance(packed, bytes | bytearray | memoryview):
        packed = np.frombuffer(packed, np.uint8)
    array = packed if type(packed) is np.ndarray else np.asarray(packed)
    if array.dtype != _UINT8:
        raise TypeError(f"packed must be uint8, got {array.dtype}")
    if array.shape != (packed_size(count, bits),):
        raise ValueError(
            f"{count} codes of {bits} bits take {packed_size(count, bits)} bytes in one dimension, "
            f"got shape {array.shape}"
        )
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


def check_out(
    out: NDArray[Any], shape: tuple[int, ...], dtype: np.dtype[Any] | None, source: NDArray[Any]
) -> None:
    """*out* can take a result of this shape (and dtype, unless None) computed from *source*."""
    if _core.is_fit(out, shape, dtype, source):
        return
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be a NumPy array, got {type(out).__name__}")
    if out.shape != shape:
        raise ValueError(f"out must have shape {shape}, got {out.shape}")
    if dtype is not None and out.dtype != dtype:
        raise TypeError(f"out must be {dtype}, got {out.dtype}")
    if not out.flags.writeable:
        raise ValueError("out is read-only")
    if not (out.flags.c_contiguous and out.flags.aligned):
        raise ValueError("out must be C-contiguous and aligned")
    raise ValueError("out must not overlap the input")
