"""safetensors files: an eight-byte length, a JSON header, and the bytes of the tensors.

Read without the ``safetensors`` package, whose NumPy side cannot load bfloat16 and float8. Nothing
of the header is believed before it is checked against the file.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import BitstreamError, BitstreamErrorKind
from ..files import atomic_write, map_file
from .dtypes import DTYPES, from_bytes, name_of, stored_bytes
from .model import RESERVED_PREFIX, Model, Topology, refuse_reserved

TOPOLOGY_ENTRY = RESERVED_PREFIX + "topology"

_LENGTH_BYTES = 8
# The limit that the format's own implementation has.
_MAXIMUM_HEADER = 100_000_000
# NumPy's.
MAXIMUM_RANK = 64


class Entry(NamedTuple):
    """One tensor of a file: its type, its shape, and its first and past-the-last byte there."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


class SafetensorsFile:
    """A memory-mapped file with a checked header.

    Parameters
    ----------
    path : path
        An ordinary safetensors file.

    Attributes
    ----------
    entries : dict of str to Entry
        The tensors in the order of the header.
    metadata : dict of str to str
        The header's ``__metadata__``.

    Raises
    ------
    BitstreamError
        The header is damaged, or does not fit the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._bytes = map_file(path)
        self._header = self._read_header()
        self._data_start = _LENGTH_BYTES + len(self._header)
        fields = self._parse_header()
        self.metadata: dict[str, str] = fields.pop("__metadata__", {})
        self._check_metadata()
        self.entries = {name: self._entry(name, value) for name, value in fields.items()}
        self._check_layout()

    @property
    def nbytes(self) -> int:
        """The size of the file."""
        return self._bytes.nbytes

    def raw(self, name: str) -> NDArray[np.uint8]:
        """Return the stored bytes of a tensor, a read-only view of the file."""
        entry = self.entries[name]
        return self._bytes[entry.start : entry.stop]

    def array(self, name: str) -> NDArray[Any]:
        """Return a tensor, a read-only view of the file where its place there is aligned."""
        entry = self.entries[name]
        return from_bytes(self.raw(name), DTYPES[entry.dtype], entry.shape)

    def where(self, key: str) -> int:
        """Find the byte of the file at which *key* stands in the header."""
        for spelling in (json.dumps(key), json.dumps(key, ensure_ascii=False)):
            place = self._header.find(spelling.encode(errors="surrogatepass"))
            if place >= 0:
                return _LENGTH_BYTES + place
        return _LENGTH_BYTES

    def _read_header(self) -> bytes:
        size = self._bytes.nbytes
        if size < _LENGTH_BYTES:
            self._fail("the header's length is cut short", size, "truncated")
        length = int.from_bytes(self._bytes[:_LENGTH_BYTES].tobytes(), "little")
        if length > _MAXIMUM_HEADER:
            self._fail(f"no safetensors file: a header of {length} bytes", 0)
        if length > size - _LENGTH_BYTES:
            self._fail(f"the header of {length} bytes is cut short", size, "truncated")
        return self._bytes[_LENGTH_BYTES : _LENGTH_BYTES + length].tobytes()

    def _parse_header(self) -> dict[str, Any]:
        try:
            fields = json.loads(self._header.decode(), object_pairs_hook=self._unique)
        except json.JSONDecodeError as error:
            self._fail(f"header: {error.msg}", _LENGTH_BYTES + len(error.doc[: error.pos].encode()))
        except UnicodeDecodeError as error:
            self._fail(f"header: {error.reason}", _LENGTH_BYTES + error.start)
        except BitstreamError:
            raise
        except (ValueError, RecursionError) as error:
            self._fail(f"header: {error}", _LENGTH_BYTES)
        if not isinstance(fields, dict):
            self._fail("the header is no JSON object", _LENGTH_BYTES)
        return fields

    def _unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            self._fail("the header has a key twice", _LENGTH_BYTES)
        return fields

    def _check_metadata(self) -> None:
        if not isinstance(self.metadata, dict) or not all(
            isinstance(value, str) for value in self.metadata.values()
        ):
            self._fail("__metadata__ must map text to text", self.where("__metadata__"))

    def _entry(self, name: str, value: Any) -> Entry:
        match value:
            case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [start, stop]} if len(
                value
            ) == 3 and all(type(number) is int for number in (*shape, start, stop)):
                pass
            case _:
                self._fail(f"tensor {name!r}: malformed description", self.where(name))
        if dtype not in DTYPES:
            self._fail(f"tensor {name!r}: unknown type {dtype!r}", self.where(name), "unsupported")
        # First of all, since multiplying very many extents takes very long.
        if len(shape) > MAXIMUM_RANK:
            self._fail(f"tensor {name!r}: {len(shape)} dimensions", self.where(name))
        itemsize = DTYPES[dtype].itemsize
        # Also the extents beside a zero: their product has to fit NumPy's index type.
        extent = math.prod(length or 1 for length in shape) * itemsize
        if min(shape, default=0) < 0 or extent >= 2**63:
            self._fail(f"tensor {name!r}: impossible shape", self.where(name))
        if not 0 <= start <= stop or stop - start != math.prod(shape) * itemsize:
            self._fail(
                f"tensor {name!r}: {dtype} {tuple(shape)} does not fit bytes {start} to {stop}",
                self.where(name),
            )
        return Entry(dtype, tuple(shape), self._data_start + start, self._data_start + stop)

    def _check_layout(self) -> None:
        """Every byte behind the header belongs to exactly one tensor."""
        end = self._data_start
        for name, entry in sorted(self.entries.items(), key=lambda item: item[1][2:]):
            if entry.start != end:
                self._fail(f"tensor {name!r} overlaps another or leaves a gap", self.where(name))
            end = entry.stop
        if end > self.nbytes:
            self._fail(f"the file ends {end - self.nbytes} bytes early", self.nbytes, "truncated")
        if end < self.nbytes:
            self._fail(f"{self.nbytes - end} bytes too many", end)

    def _fail(
        self, message: str, byte_offset: int, kind: BitstreamErrorKind = "corrupt"
    ) -> NoReturn:
        raise BitstreamError(f"{self.path}: {message}", kind=kind, byte_offset=byte_offset)


def read(path: str | os.PathLike[str]) -> Model:
    """Read a safetensors file as it is; its tensors are memory-mapped.

    Raises
    ------
    BitstreamError
        The file is damaged.
    """
    return model_of(SafetensorsFile(path))


def model_of(file: SafetensorsFile) -> Model:
    """Return the model that an opened file holds."""
    tensors = {name: file.array(name) for name in file.entries if name != TOPOLOGY_ENTRY}
    topology = None
    if TOPOLOGY_ENTRY in file.entries:
        topology = Topology("onnx", file.raw(TOPOLOGY_ENTRY).tobytes())
    return Model(tensors, topology, dict(file.metadata))


def write(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a safetensors file, with the topology, if there is one, as an entry of its own.

    Raises
    ------
    ValueError
        A tensor has a type or a name that the format cannot hold.
    """
    refuse_reserved([*model.tensors, *model.metadata])
    entries = dict(model.tensors)
    if model.topology is not None and model.topology.format == "onnx":
        entries[TOPOLOGY_ENTRY] = np.frombuffer(model.topology.data, np.uint8)
    write_entries(entries, model.metadata, path)


def write_entries(
    entries: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], path: str | os.PathLike[str]
) -> None:
    """Write tensors one after the other, none of them copied as a whole unless it is strided."""
    text = header_of(entries, metadata)
    with atomic_write(path) as file:
        file.write(text)
        for name in _by_width(entries):
            file.write(stored_bytes(entries[name]).data)


def header_of(entries: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    """Return all that stands before the bytes of the tensors, whose first is aligned for any type."""
    stops: dict[str, int] = {}
    end = 0
    for name in _by_width(entries):
        end += entries[name].nbytes
        stops[name] = end
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    for name, array in entries.items():
        dtype = name_of(array.dtype)
        if dtype is None:
            raise ValueError(f"tensor {name!r}: safetensors cannot hold {array.dtype}")
        offsets = [stops[name] - array.nbytes, stops[name]]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": offsets}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text


def _by_width(entries: Mapping[str, NDArray[Any]]) -> list[str]:
    """Return the order of the bytes; the header keeps the order of the model.

    Readers may need every tensor aligned for its type, so wide types come first.
    """
    return sorted(entries, key=lambda name: -entries[name].dtype.itemsize)
