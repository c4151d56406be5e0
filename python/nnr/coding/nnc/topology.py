"""Topology units: the graph of a network inside its bitstream."""

from __future__ import annotations

import zlib

from ... import _core
from ...models.model import Topology

UNRECOGNISED = 0
NNEF = 1
ONNX = 2
_RAW = 0
_DEFLATE = 1
_END = b"\0"
# Without the header of zlib, which some writers leave out.
_BARE_DEFLATE = -zlib.MAX_WBITS
_BEST = 9
_CONTINUED, _LOW_BITS = 0x80, 0x7F
_VARINT_BYTES = 10
# Of the outermost message: a version, names, one graph, a few lists.
_MOST_FIELDS = 1 << 14


class UnsupportedCompressionError(ValueError):
    """A topology that is compressed in a way that the standard does not name."""


def write_topology(topology: Topology) -> bytes:
    """Return a whole unit that carries *topology*, deflated."""
    storage_format = ONNX if topology.format == "onnx" else NNEF
    data = zlib.compress(topology.data, _BEST)
    return _core.nnc_topology_unit(storage_format, _DEFLATE, data)


def read_topology(
    storage_format: int, compression_format: int, data: bytes, max_bytes: int
) -> Topology | None:
    """Return the graph that a unit carries; None for formats that carry none.

    Parameters
    ----------
    storage_format, compression_format, data
        Of the unit; *data* goes on to its end.
    max_bytes : int
        The largest graph to inflate.

    Raises
    ------
    UnsupportedCompressionError
        The data is neither raw nor deflated.
    ValueError
        It is damaged, or larger than *max_bytes*.
    """
    if storage_format not in (NNEF, ONNX):
        return None
    if compression_format == _DEFLATE:
        data = _inflate(data, max_bytes)
    elif compression_format != _RAW:
        raise UnsupportedCompressionError(
            f"topology_compression_format {compression_format} is not known, only 0 and 1"
        )
    if storage_format == NNEF:
        return Topology("nnef", data.removesuffix(_END))
    # A message may end with a zero byte of its own.
    as_text = compression_format == _RAW and _ends_before_last_byte(data)
    return Topology("onnx", data[:-1] if as_text else data)


def _inflate(data: bytes, max_bytes: int) -> bytes:
    try:
        return _inflate_as(data, zlib.MAX_WBITS, max_bytes)
    except zlib.error as error:
        try:
            return _inflate_as(data, _BARE_DEFLATE, max_bytes)
        except zlib.error:
            raise ValueError(f"the topology cannot be inflated: {error}") from error


def _inflate_as(data: bytes, wbits: int, max_bytes: int) -> bytes:
    stream = zlib.decompressobj(wbits)
    inflated = stream.decompress(data, max_bytes + 1)
    if len(inflated) > max_bytes:
        raise ValueError(f"the topology takes more than {max_bytes} bytes")
    if not stream.eof:
        raise ValueError("the topology is cut short")
    if stream.unused_data not in (b"", _END):
        raise ValueError(f"{len(stream.unused_data)} bytes after the topology")
    return inflated


def _ends_before_last_byte(data: bytes) -> bool:
    """Whether a protobuf message ends one byte early, and that byte is the end of a string."""
    place, last = 0, len(data) - 1
    if not data.endswith(_END):
        return False
    for _ in range(_MOST_FIELDS):
        if place >= last:
            break
        place = _after_field(data, place)
    return place == last


def _after_field(data: bytes, place: int) -> int:
    """The place after a field; the end of *data* for one that goes beyond it or is none."""
    key, place = _varint(data, place)
    if key < 8:  # no field has the number 0
        return len(data)
    match key & 7:
        case 0:
            return _varint(data, place)[1]
        case 1:
            return place + 8
        case 2:
            length, place = _varint(data, place)
            return place + length
        case 5:
            return place + 4
    return len(data)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number, and the place after it; the end of *data* for one that does not end."""
    value = 0
    for index, byte in enumerate(data[place : place + _VARINT_BYTES]):
        value |= (byte & _LOW_BITS) << 7 * index
        if not byte & _CONTINUED:
            return value, place + index + 1
    return value, len(data)
