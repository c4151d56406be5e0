"""Which file extension means which format."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ..files import atomic_write
from . import npz, onnx, safetensors, torch
from .model import Model

_Reader = Callable[[str | os.PathLike[str]], Model]
_Writer = Callable[[Model, str | os.PathLike[str]], None]
_Function = TypeVar("_Function")


def _read_safetensors(path: str | os.PathLike[str]) -> Model:
    # Here are the only steps upwards from models to coding, and therefore not at the top of the
    # file: a coding's files are model files too, and what they hold is the reconstructed model.
    from ..coding.uniform import CompressedFile, is_compressed

    file = safetensors.SafetensorsFile(path)
    return CompressedFile(file).decompress() if is_compressed(file) else safetensors.model_of(file)


def _read_bitstream(path: str | os.PathLike[str]) -> Model:
    from ..coding.nnc import decode

    return decode(path)


def _write_bitstream(model: Model, path: str | os.PathLike[str]) -> None:
    from ..coding.nnc import encode

    data = encode(model)
    with atomic_write(path) as file:
        file.write(data)


_READERS: dict[str, _Reader] = {
    ".onnx": onnx.read,
    ".safetensors": _read_safetensors,
    ".npz": npz.read,
    ".pt": torch.read,
    ".pth": torch.read,
    ".nnr": _read_bitstream,
    ".nnc": _read_bitstream,
}
_WRITERS: dict[str, _Writer] = {
    ".onnx": onnx.write,
    ".safetensors": safetensors.write,
    ".npz": npz.write,
    ".pt": torch.write,
    ".pth": torch.write,
    ".nnr": _write_bitstream,
    ".nnc": _write_bitstream,
}
# ISO/IEC 15938-17, by the name of the standard's project and of its codec.
BITSTREAMS = (".nnr", ".nnc")
READABLE = tuple(_READERS)
WRITABLE = tuple(_WRITERS)


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model file.

    That is ``.onnx``, ``.safetensors``, ``.npz``, a state dict ``.pt`` or ``.pth``, or a bitstream
    ``.nnr`` or ``.nnc``. A file that ``nnr compress`` wrote gives the reconstructed model.

    Parameters
    ----------
    path : path
        The extension names the format.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        The extension is not known.
    BitstreamError
        The file is damaged.
    MissingExtraError
        ONNX and PyTorch files need the extras ``onnx`` and ``torch``.

    Examples
    --------
    >>> import tempfile, numpy as np, nnr
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/weights.npz", weight=np.ones((2, 2), np.float32))
    ...     nnr.load(f"{folder}/weights.npz").tensors["weight"].shape
    (2, 2)
    """
    return _lookup(_READERS, path, "read")(path)


def writer_of(path: str | os.PathLike[str]) -> _Writer:
    """Return the function that writes a model to *path*."""
    return _lookup(_WRITERS, path, "write")


def _lookup(table: dict[str, _Function], path: str | os.PathLike[str], verb: str) -> _Function:
    extension = Path(path).suffix.lower()
    if extension not in table:
        known = ", ".join(table)
        raise ValueError(f"cannot {verb} {os.fspath(path)!r}: the extension must be one of {known}")
    return table[extension]
