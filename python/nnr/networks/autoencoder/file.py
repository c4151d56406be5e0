"""The bytes of a ``.nna`` file around its code; docs/autoencoder.md defines them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from ...errors import BitstreamError

EXTENSION = ".nna"
MAX_SIDE = 1 << 24
_MAX_SIDE_BYTES = 4
MAX_QUALITY = 255
"""Quality counts against the step index: together they make this."""

_MAGIC, _VERSION = 0xAE, 1
_START = bytes([_MAGIC, _VERSION])
_CHECKSUM_BYTES = 4
_VARINT_BITS = 7
_MORE = 1 << _VARINT_BITS


@dataclass(frozen=True)
class Header:
    """What a file says of its picture.

    Parameters
    ----------
    step_index : int
        0 to 255.
    width, height : int
        Of the picture, 1 to 2**24.
    """

    step_index: int
    width: int
    height: int

    @property
    def pixels(self) -> int:
        """Pixels of the picture."""
        return self.width * self.height


def write_file(header: Header, code: bytes, networks: int) -> bytes:
    """Put a file together; *networks* is the checksum of the networks that it is coded with."""
    start = _START + bytes([header.step_index]) + _varint(header.width) + _varint(header.height)
    checksum = zlib.crc32(code, zlib.crc32(start, networks))
    return start + checksum.to_bytes(_CHECKSUM_BYTES, "little") + code


def read_file(data: bytes, networks: int, *, max_pixels: int) -> tuple[Header, int]:
    """Return what a file says, and where in it the code begins.

    Raises
    ------
    BitstreamError
        The file is damaged, of another kind or version, coded with other networks, or larger than
        *max_pixels*.
    """
    reader = _Reader(data)
    if reader.byte() != _MAGIC:
        raise BitstreamError("not a .nna file", kind="corrupt", byte_offset=0)
    if (version := reader.byte()) != _VERSION:
        raise BitstreamError(
            f"version {version} is not known, only {_VERSION}", kind="unsupported", byte_offset=1
        )
    header = Header(reader.byte(), reader.side("width"), reader.side("height"))
    place = reader.position
    stated = int.from_bytes(reader.take(_CHECKSUM_BYTES), "little")
    rest = memoryview(data)[reader.position :]
    if zlib.crc32(rest, zlib.crc32(data[:place], networks)) != stated:
        raise BitstreamError(
            "the checksum does not fit: the file is damaged, cut short, or coded with other networks",
            kind="corrupt",
            byte_offset=place,
        )
    if header.pixels > max_pixels:
        raise BitstreamError(
            f"{header.width}x{header.height} is more than {max_pixels} pixels; raise max_pixels if "
            "the file is to be trusted",
            kind="unsupported",
            byte_offset=3,
        )
    return header, reader.position


def quality_of(data: bytes) -> int:
    """The quality with which a file, known to be whole, was coded."""
    return MAX_QUALITY - data[len(_START)]


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; every byte but the last has its upper bit set."""
    result = bytearray()
    while number >= _MORE:
        result.append(number % _MORE | _MORE)
        number >>= _VARINT_BITS
    return bytes([*result, number])


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def take(self, count: int) -> bytes:
        taken = self._data[self.position : self.position + count]
        if len(taken) < count:
            raise BitstreamError(
                "the header is cut short", kind="truncated", byte_offset=len(self._data)
            )
        self.position += count
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def side(self, name: str) -> int:
        start, number = self.position, 0
        for place in range(0, _MAX_SIDE_BYTES * _VARINT_BITS, _VARINT_BITS):
            byte = self.byte()
            number |= byte % _MORE << place
            if byte < _MORE:
                break
        is_shortest = 0 < byte < _MORE
        if not is_shortest or number > MAX_SIDE:
            raise BitstreamError(
                f"the {name} is not 1 to {MAX_SIDE}", kind="corrupt", byte_offset=start
            )
        return number
