"""The element types that model files may hold, by the names that safetensors gives them."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

# Little-endian in every file; big-endian machines are not supported.
DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype("u1"),
    "I8": np.dtype("i1"),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "F8_E4M3FNUZ": np.dtype(ml_dtypes.float8_e4m3fnuz),
    "F8_E5M2FNUZ": np.dtype(ml_dtypes.float8_e5m2fnuz),
    "F8_E8M0": np.dtype(ml_dtypes.float8_e8m0fnu),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "F32": np.dtype("<f4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
    "C64": np.dtype("<c8"),
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}

# The types that can hold NaN or infinity, but for complex numbers.
FLOATS = frozenset(name for name in DTYPES if name.startswith(("F", "BF")))
# What `nnr.quantize` takes.
QUANTIZABLE = frozenset({"F16", "BF16", "F32", "F64"})


def name_of(dtype: np.dtype[Any]) -> str | None:
    """Return the safetensors name of *dtype*, or None for a type that no file here can hold.

    Examples
    --------
    >>> name_of(np.dtype(">f4")), name_of(np.dtype("O"))
    ('F32', None)
    """
    return _NAMES.get(dtype.newbyteorder("="))


def stored_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the elements in C order as a file holds them; a view of *array* where possible."""
    native = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
    # NumPy exports no buffer of an ml_dtypes array; its bytes can always be had.
    return native.reshape(-1).view(np.uint8)


def from_bytes(
    raw: NDArray[np.uint8], dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    """Invert `stored_bytes`; a view where *raw* is aligned for *dtype*."""
    array = raw.view(dtype)
    return (array if array.flags.aligned else array.copy()).reshape(shape)
