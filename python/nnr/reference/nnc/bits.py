"""The descriptors in which the headers of a bitstream are written.

`BitReader` and `BitWriter` have the same methods, so that each syntax structure is described once:
a writer writes the value it is handed, a reader ignores it, and both return what the bits say.
"""

from __future__ import annotations

import struct
from typing import Protocol

from ...errors import BitstreamError

# A code whose suffix would be longer than this holds no value of any syntax element.
_MAX_SUFFIX_BITS = 32


class Bits(Protocol):
    """What a syntax structure needs, whichever way the bits go."""

    def u(self, bits: int, value: int = 0) -> int:
        """u(n): an unsigned number of *bits* bits, the most significant first."""

    def i(self, bits: int, value: int = 0) -> int:
        """i(n): a number of *bits* bits in two's complement."""

    def ue(self, order: int, value: int = 0) -> int:
        """ue(k): an unsigned Exp-Golomb code of the given order."""

    def ie(self, order: int, value: int = 0) -> int:
        """ie(k): a signed Exp-Golomb code of the given order."""

    def flt(self, value: float = 0.0) -> float:
        """flt(32): an IEEE float32, little-endian."""

    def st(self, value: str = "") -> str:
        """st(v): UTF-8 and a zero byte, at a byte boundary."""

    def byte_alignment(self) -> None:
        """A one, then zeros up to the next byte."""

    def count(self, value: int) -> int:
        """*value*, the number of elements that follow, each of which takes at least one bit."""

    def unsupported(self, what: str) -> BitstreamError:
        """The error for something valid that is not implemented, to be raised."""

    def corrupt(self, what: str) -> BitstreamError:
        """The error for something that no encoder writes, to be raised."""


class BitReader:
    """Reads the descriptors from a part of *data*, never past its end.

    Parameters
    ----------
    data : bytes
        A whole bitstream; errors name bytes from its beginning.
    start, end : int
        The bytes that may be read.
    """

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self._data = data
        self._end = 8 * (len(data) if end is None else end)
        self.position = 8 * start

    @property
    def byte_offset(self) -> int:
        """The byte that holds the next bit."""
        return self.position >> 3

    def u(self, bits: int, value: int = 0) -> int:  # noqa: ARG002
        begin, self.position = self.position, self.position + bits
        if self.position > self._end:
            self.position = begin
            raise BitstreamError(
                f"{bits} bits wanted where {self._end - begin} are left",
                kind="truncated",
                byte_offset=self._end >> 3,
            )
        last = (self.position + 7) >> 3
        window = int.from_bytes(self._data[begin >> 3 : last], "big")
        return window >> (8 * last - self.position) & ((1 << bits) - 1)

    def i(self, bits: int, value: int = 0) -> int:  # noqa: ARG002
        return sign_extend(self.u(bits), bits)

    def ue(self, order: int, value: int = 0) -> int:  # noqa: ARG002
        base = 0
        while not self.u(1):
            base += 1 << order
            order += 1
            if order > _MAX_SUFFIX_BITS:
                raise self.corrupt("an Exp-Golomb code is longer than any value")
        return base + self.u(order)

    def ie(self, order: int, value: int = 0) -> int:  # noqa: ARG002
        code = self.ue(order)
        return (code + 1) // 2 if code & 1 else -(code // 2)

    def flt(self, value: float = 0.0) -> float:  # noqa: ARG002
        number: float = struct.unpack("<f", self.u(32).to_bytes(4, "big"))[0]
        return number

    def st(self, value: str = "") -> str:  # noqa: ARG002
        begin = self.byte_offset
        end = self._data.find(b"\0", begin, self._end >> 3)
        if end < 0:
            raise BitstreamError(
                "a string is not closed", kind="truncated", byte_offset=self._end >> 3
            )
        self.position = 8 * (end + 1)
        try:
            return self._data[begin:end].decode("utf-8")
        except UnicodeDecodeError as error:
            raise BitstreamError(
                "a string is not UTF-8", kind="corrupt", byte_offset=begin + error.start
            ) from None

    def byte_alignment(self) -> None:
        padding = 8 - (self.position & 7)
        if self.u(padding) != 1 << (padding - 1):
            raise self.corrupt("byte_alignment is not a one and zeros")

    def count(self, value: int) -> int:
        if value > self._end - self.position:
            raise BitstreamError(
                f"{value} elements follow where {self._end - self.position} bits are left",
                kind="truncated",
                byte_offset=self._end >> 3,
            )
        return value

    def unsupported(self, what: str) -> BitstreamError:
        return BitstreamError(what, kind="unsupported", byte_offset=self.byte_offset)

    def corrupt(self, what: str) -> BitstreamError:
        return BitstreamError(what, kind="corrupt", byte_offset=self.byte_offset)


class BitWriter:
    """Writes the descriptors; `bytes` gives what was written so far, filled up with zeros."""

    def __init__(self) -> None:
        self._bits: list[str] = []
        self._length = 0

    def __bytes__(self) -> bytes:
        text = "".join(self._bits)
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big") if text else b""

    def u(self, bits: int, value: int = 0) -> int:
        if not 0 <= value < 1 << bits:
            raise ValueError(f"{value} does not fit into {bits} bits")
        if bits:
            self._bits.append(f"{value:0{bits}b}")
            self._length += bits
        return value

    def i(self, bits: int, value: int = 0) -> int:
        if not -(1 << bits >> 1) <= value < 1 << bits >> 1:
            raise ValueError(f"{value} does not fit into {bits} bits with a sign")
        self.u(bits, value & ((1 << bits) - 1))
        return value

    def ue(self, order: int, value: int = 0) -> int:
        rest = value
        while rest >= 1 << order:
            self.u(1, 0)
            rest -= 1 << order
            order += 1
        self.u(1, 1)
        self.u(order, rest)
        return value

    def ie(self, order: int, value: int = 0) -> int:
        self.ue(order, 2 * value - 1 if value > 0 else -2 * value)
        return value

    def flt(self, value: float = 0.0) -> float:
        self.u(32, int.from_bytes(struct.pack("<f", value), "big"))
        return value

    def st(self, value: str = "") -> str:
        if "\0" in value:
            raise ValueError(f"{value!r} holds a zero character, which ends a string")
        for byte in value.encode("utf-8") + b"\0":
            self.u(8, byte)
        return value

    def byte_alignment(self) -> None:
        padding = 8 - (self._length & 7)
        self.u(padding, 1 << (padding - 1))

    def count(self, value: int) -> int:
        return value

    def unsupported(self, what: str) -> BitstreamError:
        return BitstreamError(what, kind="unsupported", byte_offset=self._length >> 3)

    def corrupt(self, what: str) -> BitstreamError:
        return BitstreamError(what, kind="corrupt", byte_offset=self._length >> 3)


def sign_extend(value: int, bits: int) -> int:
    """The lower *bits* bits of *value* in two's complement."""
    half = 1 << bits >> 1
    return ((value + half) & ((1 << bits) - 1)) - half
