"""PyTorch state dicts. Only weights are ever unpickled, never objects that could run code."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BitstreamError, MissingExtraError
from ..files import atomic_write
from .dtypes import DTYPES, name_of
from .model import Model

if TYPE_CHECKING:
    import torch

# Where training scripts put the state dict in a checkpoint.
_NESTED_KEYS = ("state_dict", "model_state_dict", "model")
# NumPy and PyTorch exchange these only as integers of the same width.
_ML_DTYPES = {
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
}
_INTEGERS = {1: "uint8", 2: "int16"}
# How PyTorch names the class or function that it does not unpickle.
_REFUSED = re.compile(r"GLOBAL (\S+)")


def read(path: str | os.PathLike[str]) -> Model:
    """Read a state dict, also one inside a checkpoint under ``state_dict`` or the like.

    Raises
    ------
    BitstreamError
        The file is damaged.
    ValueError
        It holds other things than tensors.
    MissingExtraError
        ``torch`` is not installed.
    """
    torch = _import_torch()
    try:
        # Its warnings are advice on reading other things than state dicts.
        with warnings.catch_warnings(action="ignore"):
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, MemoryError):
        raise
    # Damaged bytes may end in any exception of the unpickler, whose text advises to read unsafely.
    except Exception as error:
        if refused := _REFUSED.search(str(error)):
            raise ValueError(
                f"{os.fspath(path)} is no plain state dict: it holds {refused[1]!r}, and for "
                "safety only tensors are read; save model.state_dict()"
            ) from error
        raise BitstreamError(
            f"{os.fspath(path)} is damaged or no state dict, which is all that is read, for safety",
            kind="corrupt",
            byte_offset=0,
        ) from error
    state = _state_dict(loaded, path)
    tensors: dict[str, NDArray[Any]] = {}
    for name, value in state.items():
        try:
            tensors[name] = _to_array(value)
        # A view may claim more elements than memory holds, or have a type that NumPy lacks.
        except (RuntimeError, TypeError, ValueError) as error:
            raise ValueError(
                f"{os.fspath(path)}: tensor {name!r}: only dense tensors of numbers that fit into "
                f"memory can be read, got {value.layout} {value.dtype}"
            ) from error
    return Model(tensors)


def write(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a state dict of the tensors; it has no place for topology and metadata."""
    torch = _import_torch()
    state = {name: _to_tensor(name, array) for name, array in model.tensors.items()}
    # Not straight to the file: PyTorch hides a full disk behind an error of its own.
    buffer = io.BytesIO()
    torch.save(state, buffer)
    with atomic_write(path) as file:
        file.write(buffer.getbuffer())


def _import_torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch", "torch") from error
    return torch


def _state_dict(loaded: Any, path: str | os.PathLike[str]) -> Mapping[str, Any]:
    if isinstance(loaded, Mapping):
        for key in _NESTED_KEYS:
            if isinstance(loaded.get(key), Mapping):
                loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not all(isinstance(name, str) for name in loaded):
        raise ValueError(f"{os.fspath(path)} is no state dict but {type(loaded).__name__}")
    torch = _import_torch()
    for name, value in loaded.items():
        if not torch.is_tensor(value):
            raise ValueError(
                f"{os.fspath(path)}: entry {name!r} is no tensor but {type(value).__name__}; "
                "save model.state_dict()"
            )
    return loaded


def _to_array(value: torch.Tensor) -> NDArray[Any]:
    torch = _import_torch()
    if value.layout != torch.strided or value.is_quantized or value.is_meta:
        raise TypeError("not dense")
    dense = value.detach().resolve_conj().resolve_neg().contiguous()
    for stored, torch_name in _ML_DTYPES.items():
        if dense.dtype == getattr(torch, torch_name, None):
            dtype = DTYPES[stored]
            integers = getattr(torch, _INTEGERS[dtype.itemsize])
            # A view of another type needs at least one dimension.
            bits: NDArray[Any] = dense.reshape(-1).view(integers).numpy()
            return bits.view(dtype).reshape(tuple(dense.shape))
    array: NDArray[Any] = dense.numpy()
    return array


def _to_tensor(name: str, array: NDArray[Any]) -> Any:
    torch = _import_torch()
    stored = name_of(array.dtype)
    if stored is None:
        raise ValueError(f"tensor {name!r}: a state dict cannot hold {array.dtype}")
    # A copy, since PyTorch tensors cannot share read-only memory.
    native = np.array(array, array.dtype.newbyteorder("="), order="C")
    if stored not in _ML_DTYPES:
        return torch.from_numpy(native)
    integers = native.reshape(-1).view(_INTEGERS[native.itemsize])
    dtype = getattr(torch, _ML_DTYPES[stored])
    return torch.from_numpy(integers).view(dtype).reshape(native.shape)
