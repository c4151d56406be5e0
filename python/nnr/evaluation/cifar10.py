"""CIFAR-10's own archives: the test batch of the Python and of the binary version.

The Python version is a pickle, which could run anything. Here nothing of it runs: the names that an
array is pickled with stand for classes that only keep what they are given, other names are refused.
"""

from __future__ import annotations

import io
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BitstreamError

SIDE = 32
_SAMPLES = 3 * SIDE * SIDE
# The test batches have 31 MB.
_MAX_BATCH_BYTES = 1 << 26
_PYTHON_BATCH, _BINARY_BATCH = "test_batch", "test_batch.bin"


def read_archive(path: Path) -> NDArray[np.uint8]:
    """Read the test pictures of ``cifar-10-python.tar.gz`` or ``cifar-10-binary.tar.gz``.

    Returns
    -------
    uint8 array of shape (pictures, 32, 32, 3)

    Raises
    ------
    BitstreamError
        The archive is damaged, or none of these.
    """
    try:
        name, data = _test_batch(path)
        rows = _rows_of_pickle(data) if name == _PYTHON_BATCH else _rows_of_binary(data)
    except (tarfile.TarError, EOFError, zlib.error, ValueError, pickle.UnpicklingError) as error:
        raise BitstreamError(f"{path}: {error}", kind="corrupt", byte_offset=0) from error
    except OSError as error:
        if error.errno is not None:  # the file system's; gzip's own carry no number
            raise
        raise BitstreamError(f"{path}: {error}", kind="corrupt", byte_offset=0) from error
    return np.ascontiguousarray(rows.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))


def _test_batch(path: Path) -> tuple[str, bytes]:
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            name = Path(member.name).name
            if not member.isfile() or name not in (_PYTHON_BATCH, _BINARY_BATCH):
                continue
            file = archive.extractfile(member)
            if file is None or member.size > _MAX_BATCH_BYTES:
                raise ValueError(f"{name} of {member.size} bytes is too large")
            return name, file.read()
    raise ValueError("holds no test batch of CIFAR-10")


def _rows_of_binary(data: bytes) -> NDArray[np.uint8]:
    """Rows of 3,072 samples, each after a byte for its label."""
    if not data or len(data) % (_SAMPLES + 1):
        raise ValueError(f"{_BINARY_BATCH} has {len(data)} bytes, no multiple of {_SAMPLES + 1}")
    return np.frombuffer(data, np.uint8).reshape(-1, _SAMPLES + 1)[:, 1:]


def _rows_of_pickle(data: bytes) -> NDArray[np.uint8]:
    try:
        batch = _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # whatever a damaged pickle makes the unpickler stumble over
        raise ValueError(f"{_PYTHON_BATCH} is damaged: {error!r}") from error
    array = batch.get(b"data", batch.get("data")) if isinstance(batch, dict) else None
    samples = array.samples() if isinstance(array, _Array) else array
    if not isinstance(samples, bytes) or not samples or len(samples) % _SAMPLES:
        raise ValueError(f"{_PYTHON_BATCH} holds no pictures of {_SAMPLES} samples under 'data'")
    return np.frombuffer(samples, np.uint8).reshape(-1, _SAMPLES)


class _Kept:
    """Keeps what a pickle gives a class of NumPy."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _DType(_Kept):
    pass


class _Array(_Kept):
    def samples(self) -> bytes | None:
        """The samples, if the array is one of uint8 in C order."""
        match self.state:
            case (
                int(),
                tuple(),
                _DType(arguments=(("u1" | b"u1"), *_)),
                False | 0,
                bytes(samples),
            ):
                return samples
            case _:
                return None


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """How protocol 2 spells bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError("bytes that are none")
    return text.encode("latin1")


_STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Kept,
    ("numpy", "dtype"): _DType,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Give what stands for a name."""
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"holds {module}.{name}, which is refused") from None
