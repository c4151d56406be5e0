"""The binary arithmetic coder: a range of nine bits, read and written bit by bit."""

from __future__ import annotations

from typing import NamedTuple

from ...errors import BitstreamError
from .bits import BitReader
from .contexts import Context

_START_RANGE = 510
# Where a block row begins, the range is this, so that the offset of the decoder fits into a byte.
_BLOCK_ROW_RANGE = 256
_REGISTER_BITS = 9


class ArithmeticDecoder:
    """Decodes the bins of one codeword.

    Parameters
    ----------
    data : bytes
        A whole bitstream.
    start, end : int
        The bytes of the codeword.
    """

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self._bits = BitReader(data, start, end)
        self._start = start
        self._range = _START_RANGE
        self._offset = self._bits.u(_REGISTER_BITS)

    def decode(self, context: Context) -> int:
        """One bin with a context, which is updated."""
        width = context.lps_width(self._range)
        self._range -= width
        value = int(context.state >= 0)
        if self._offset >= self._range:
            self._offset -= self._range
            self._range = width
            value = 1 - value
        context.update(value)
        shift = _REGISTER_BITS - self._range.bit_length()
        if shift:
            self._range <<= shift
            self._offset = self._offset << shift | self._bits.u(shift)
        return value

    def bypass(self, count: int) -> int:
        """uae(n): *count* bins of even probability, the most significant first."""
        value = 0
        for _ in range(count):
            self._offset = self._offset << 1 | self._bits.u(1)
            value <<= 1
            if self._offset >= self._range:
                self._offset -= self._range
                value |= 1
        return value

    def terminate(self) -> int:
        """Closes the codeword, and returns the byte after it.

        Raises
        ------
        BitstreamError
            If the terminating bin or the stop bit after it is not there.
        """
        self._range -= 2
        if self._offset < self._range:
            raise self.corrupt("the terminating bin was not received")
        # The offset is not renormalised: its last bit is the stop bit.
        padding = -self._bits.position % 8
        if not self._offset_ends_in_stop_bit() or self._bits.u(padding):
            raise self.corrupt("a codeword does not end in a stop bit and zeros")
        return self._bits.byte_offset

    def _offset_ends_in_stop_bit(self) -> bool:
        self._bits.position -= 1
        return self._bits.u(1) == 1

    @property
    def position(self) -> int:
        """How many bits were consumed since the first nine."""
        return self._bits.position - 8 * self._start - _REGISTER_BITS

    @property
    def byte_offset(self) -> int:
        """The byte that holds the next bit."""
        return self._bits.byte_offset

    @property
    def value(self) -> int:
        """What an entry point notes of the offset."""
        return self._offset & 0xFF

    def start_block_row(self) -> None:
        """Sets the range for a new block row."""
        self._range = _BLOCK_ROW_RANGE
        if self._offset >= self._range:
            raise self.corrupt("the offset lies outside the range of a new block row")

    def restart(self, position: int, value: int) -> None:
        """Goes to the start of a block row, as an entry point notes it."""
        self._bits.position = 8 * self._start + _REGISTER_BITS + position
        self._offset = value
        self._range = _BLOCK_ROW_RANGE

    def corrupt(self, what: str) -> BitstreamError:
        """The error for a codeword that no encoder writes, to be raised."""
        return self._bits.corrupt(what)


class Mark(NamedTuple):
    """Where an encoder stood; `ArithmeticEncoder.value_at` makes an entry point of it."""

    position: int
    low: int


class ArithmeticEncoder:
    """Encodes bins into one codeword."""

    def __init__(self) -> None:
        self._low = 0
        self._range = _START_RANGE
        # The lower bits of `_low` beyond nine; the bits above those are complete, but for a carry.
        self._pending = 0
        self._bytes = bytearray()

    def encode(self, context: Context, value: int) -> None:
        """One bin with a context, which is updated."""
        width = context.lps_width(self._range)
        self._range -= width
        if value != int(context.state >= 0):
            self._low += self._range
            self._range = width
        context.update(value)
        shift = _REGISTER_BITS - self._range.bit_length()
        self._range <<= shift
        self._advance(self._low << shift, shift)

    def bypass(self, count: int, value: int) -> None:
        """uae(n): *count* bins of even probability, the most significant first."""
        for place in reversed(range(count)):
            bit = value >> place & 1
            self._advance(2 * self._low + bit * self._range, 1)

    def terminate(self) -> bytes:
        """Closes the codeword, and returns it."""
        self._range -= 2
        shift = _REGISTER_BITS - 2
        self._advance((self._low + self._range) << shift, shift)
        bits = self._low >> (_REGISTER_BITS - 1) << 1 | 1
        length = self._pending + 2
        self._put(bits << (-length % 8), length + -length % 8)
        return bytes(self._bytes)

    def start_block_row(self) -> Mark:
        """Sets the range for a new block row, and notes where it begins."""
        self._range = _BLOCK_ROW_RANGE
        return Mark(8 * len(self._bytes) + self._pending, self._low & 0x1FF)

    def value_at(self, mark: Mark) -> int:
        """What an entry point notes of the decoder's offset; known once the codeword is closed."""
        register = BitReader(bytes(self._bytes))
        register.position = mark.position
        return (register.u(_REGISTER_BITS) - mark.low) & 0xFF

    def _advance(self, low: int, count: int) -> None:
        self._low = low
        self._pending += count
        if self._pending >= 8:
            rest = self._pending + 1
            self._put(self._low >> rest, 8)
            self._low &= (1 << rest) - 1
            self._pending -= 8

    def _put(self, bits: int, count: int) -> None:
        if bits >> count:  # a carry, which goes through every byte of ones before
            bits -= 1 << count
            place = len(self._bytes) - 1
            while self._bytes[place] == 0xFF:
                self._bytes[place] = 0
                place -= 1
            self._bytes[place] += 1
        self._bytes += bits.to_bytes(count // 8, "big")
