"""NumPy ``.npz`` files.

NumPy writes bfloat16 and float8 arrays as bytes without a type, so they are stored here as unsigned
integers of the same width, and an entry of our own says what they are.
"""

from __future__ import annotations

import errno
import json
import lzma
import math
import os
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BitstreamError
from ..files import atomic_write
from .dtypes import DTYPES, name_of
from .model import RESERVED_PREFIX, Model, Topology, refuse_reserved

_TOPOLOGY = RESERVED_PREFIX + "topology"
_DESCRIPTION = RESERVED_PREFIX + "description"
_SUFFIX = ".npy"
_MAXIMUM_EXPANSION = 1032
# Not by their kind, which is "f" for one of the float8 types.
_ML_DTYPE_NAMES = {name for name, dtype in DTYPES.items() if dtype.isbuiltin != 1}

_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, UnicodeError)
# Of an OSError without a file name: zipfile went where damaged bytes point, or bz2 met them.
_DAMAGE_ERRNOS = (None, errno.EINVAL)


def read(path: str | os.PathLike[str]) -> Model:
    """Read a ``.npz`` file; pickled objects are refused.

    Raises
    ------
    BitstreamError
        The file is damaged.
    ValueError
        An array is none of numbers.
    """
    tensors: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            file_bytes = Path(path).stat().st_size
            for info in archive.infolist():
                # No more than deflate can reach: a member that claims more is refused before
                # memory is taken.
                if info.file_size > _MAXIMUM_EXPANSION * min(info.compress_size, file_bytes):
                    raise zipfile.BadZipFile(f"{info.filename!r} claims {info.file_size} bytes")
                tensors[info.filename.removesuffix(_SUFFIX)] = _read_member(archive, info)
        topology = tensors.pop(_TOPOLOGY, None)
        description = _description(tensors.pop(_DESCRIPTION, None))
        for name, dtype in description["dtypes"].items():
            tensors[name] = _view(name, tensors.get(name), DTYPES.get(dtype))
    except _DAMAGE as error:
        raise BitstreamError(
            f"{os.fspath(path)}: {error}", kind="corrupt", byte_offset=0
        ) from error
    except OSError as error:
        if error.filename is not None or error.errno not in _DAMAGE_ERRNOS:
            raise
        raise BitstreamError(
            f"{os.fspath(path)}: a damaged archive", kind="corrupt", byte_offset=0
        ) from error
    return Model(
        tensors,
        None if topology is None else Topology("onnx", topology.tobytes()),
        description["metadata"],
    )


def write(model: Model, path: str | os.PathLike[str]) -> None:
    """Write an uncompressed ``.npz`` file, with topology and metadata as entries of their own."""
    refuse_reserved(model.tensors)
    arrays = dict(model.tensors)
    dtypes: dict[str, str] = {}
    for name, array in model.tensors.items():
        stored = name_of(array.dtype)
        if stored is None:
            raise ValueError(f"tensor {name!r}: only numbers can be stored, got {array.dtype}")
        if stored in _ML_DTYPE_NAMES:
            dtypes[name] = stored
            arrays[name] = array.view(f"u{array.dtype.itemsize}")
    if dtypes or model.metadata:
        text = json.dumps({"dtypes": dtypes, "metadata": model.metadata})
        arrays[_DESCRIPTION] = np.frombuffer(text.encode(), np.uint8)
    if model.topology is not None and model.topology.format == "onnx":
        arrays[_TOPOLOGY] = np.frombuffer(model.topology.data, np.uint8)
    with atomic_write(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(name + _SUFFIX, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as member:
        header_bytes, shape, dtype = _read_array_header(member, info.filename)
        if name_of(dtype) is None:
            raise ValueError(
                f"{archive.filename}: {info.filename!r}: only numbers can be read, not {dtype}"
            )
        # Before NumPy allocates what the header claims.
        if header_bytes + math.prod(shape) * dtype.itemsize != info.file_size:
            raise zipfile.BadZipFile(f"{info.filename!r}: {dtype} {shape} does not fit its size")
    with archive.open(info) as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _read_array_header(
    member: IO[bytes], filename: str
) -> tuple[int, tuple[int, ...], np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(member)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(member)
    except ValueError as error:
        raise zipfile.BadZipFile(f"{filename!r}: {error}") from error
    return member.tell(), shape, dtype


def _view(name: str, array: NDArray[Any] | None, dtype: np.dtype[Any] | None) -> NDArray[Any]:
    if array is None or dtype is None or array.dtype != f"u{dtype.itemsize}":
        raise zipfile.BadZipFile(f"{_DESCRIPTION!r} does not fit {name!r}")
    return array.view(dtype)


def _description(entry: NDArray[Any] | None) -> dict[str, dict[str, str]]:
    if entry is None:
        return {"dtypes": {}, "metadata": {}}
    try:
        description: dict[str, dict[str, str]] = json.loads(entry.tobytes())
    except ValueError as error:
        raise zipfile.BadZipFile(f"{_DESCRIPTION!r}: {error}") from error
    match description:
        case {"dtypes": dict(dtypes), "metadata": dict(metadata)}:
            if all(isinstance(text, str) for text in (*dtypes.values(), *metadata.values())):
                return description
    raise zipfile.BadZipFile(f"{_DESCRIPTION!r} is malformed")
