"""The coder of an auto-encoder's latents in plain Python: the readable definition of its bytes.

The bytes are a fraction in base 256. Each symbol narrows an interval to that symbol's share, and the
bytes written are the shortest fraction that lies in the last interval.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BitstreamError, BitstreamErrorKind

MAX_LATENT = 2047
_COUNT_BITS = 15
_SCALE_OFFSET = 24
_GOLOMB_ORDER = 2
_MAX_GOLOMB_PREFIX = 11
_LEAST_RANGE = 1 << 24
_START_RANGE = (1 << 32) - 1
_ONE = 1 << 32

Int16Array = NDArray[np.int16]
Float32Array = NDArray[np.float32]


class Context(NamedTuple):
    """What a latent is coded relative to, the counts of its symbols, and how many bits are raw."""

    base: int
    scale: int
    fraction: int
    shift: int


class LatentTables:
    """Counts of the symbols by scale and fraction of the mean.

    Parameters
    ----------
    frequencies : ndarray of uint16
        Shape (64, 16, 2 * limit + 2); each row sums to 32768.
    shifts : ndarray of uint8
        Raw bits of each scale.
    """

    def __init__(self, frequencies: NDArray[np.uint16], shifts: NDArray[np.uint8]) -> None:
        self.frequencies = frequencies.astype(int)
        self.sums = np.pad(np.cumsum(self.frequencies, axis=2), [(0, 0), (0, 0), (1, 0)])
        self.shifts = shifts.astype(int)
        self.limit = (frequencies.shape[2] - 2) // 2

    def context(self, mean: int, scale: int) -> Context:
        """Where a mean in sixteenths and a scale as 8 log2 of it put a latent."""
        base = (mean + 8) >> 4
        index = min(max(scale + _SCALE_OFFSET, 0), 63)
        return Context(base, index, mean + 8 - 16 * base, int(self.shifts[index]))

    def symbol(self, upper: int) -> tuple[int, int | None]:
        """The symbol of a residual's upper part, and the number that follows an escape."""
        if upper > self.limit:
            return 2 * self.limit + 1, 2 * (upper - self.limit - 1)
        if upper < -self.limit:
            return 2 * self.limit + 1, 2 * (-self.limit - 1 - upper) + 1
        return upper + self.limit, None

    def encode(self, values: Int16Array, means: Int16Array, scales: Int16Array) -> bytes:
        """Code latents one after the other."""
        coder = _Encoder()
        for value, mean, scale in zip(*_lists(values, means, scales), strict=True):
            context = self.context(mean, scale)
            residual = value - context.base
            symbol, escaped = self.symbol(residual >> context.shift)
            sums = self.sums[context.scale, context.fraction]
            coder.encode(int(sums[symbol]), int(sums[symbol + 1] - sums[symbol]))
            if escaped is not None:
                coder.golomb(escaped)
            if context.shift:
                coder.bits(residual & ((1 << context.shift) - 1), context.shift)
        return coder.finish()

    def choose(
        self,
        bits: Float32Array,
        targets: Float32Array,
        means: Int16Array,
        scales: Int16Array,
        rate_weight: float,
    ) -> Int16Array:
        """The nearest integers, or the next towards the mean where these cost less."""
        weight = np.float32(rate_weight)
        chosen = []
        for target, mean, scale in zip(*_lists(targets, means, scales), strict=True):
            context = self.context(mean, scale)
            aim = np.float32(min(max(target, -MAX_LATENT), MAX_LATENT))
            nearest = int(np.rint(aim))
            towards = nearest - (nearest > context.base) + (nearest < context.base)
            costs = [
                (aim - np.float32(value)) ** 2 + weight * self._bits(bits, context, value)
                for value in (nearest, towards)
            ]
            chosen.append(towards if costs[1] < costs[0] else nearest)
        return np.array(chosen, np.int16)

    def _bits(self, bits: Float32Array, context: Context, value: int) -> np.float32:
        symbol, escaped = self.symbol((value - context.base) >> context.shift)
        raw = context.shift + (0 if escaped is None else golomb_bits(escaped))
        cost: np.float32 = bits[context.scale, context.fraction, symbol] + np.float32(raw)
        return cost


class LatentDecoder:
    """Decodes latents stage by stage.

    Parameters
    ----------
    tables : LatentTables
    code : bytes
    base : int
        Where the code begins in its file, for messages.
    """

    def __init__(self, tables: LatentTables, code: bytes, base: int = 0) -> None:
        self._tables = tables
        self._coder = _Decoder(bytes(code), base)

    def decode(self, means: Int16Array, scales: Int16Array) -> Int16Array:
        """Decode the latents of these means and scales."""
        pairs = zip(*_lists(means, scales), strict=True)
        return np.array([self._decode_one(mean, scale) for mean, scale in pairs], np.int16)

    def finish(self) -> None:
        """Check that the code ends here, in the one way that an encoder ends it."""
        self._coder.finish()

    def _decode_one(self, mean: int, scale: int) -> int:
        context = self._tables.context(mean, scale)
        sums = self._tables.sums[context.scale, context.fraction]
        symbol = int(np.searchsorted(sums, self._coder.count(), side="right")) - 1
        self._coder.consume(int(sums[symbol]), int(sums[symbol + 1] - sums[symbol]))
        upper = symbol - self._tables.limit
        if upper > self._tables.limit:
            escaped = self._coder.golomb()
            beyond = escaped // 2 + self._tables.limit + 1
            upper = -beyond if escaped % 2 else beyond
        low = self._coder.bits(context.shift) if context.shift else 0
        value: int = context.base + (upper << context.shift) + low
        if abs(value) > MAX_LATENT:
            raise self._coder.error("corrupt", "a latent is out of its range")
        return value


def golomb_bits(number: int) -> int:
    """Bits of an Exp-Golomb code of order 2."""
    return 2 * ((number + (1 << _GOLOMB_ORDER)).bit_length() - 1) - _GOLOMB_ORDER + 1


class _Encoder:
    def __init__(self) -> None:
        self._bytes = bytearray()
        self._low = 0
        self._range = _START_RANGE

    def encode(self, before: int, count: int) -> None:
        unit = self._range >> _COUNT_BITS
        self._narrow(unit * before, unit * count)

    def bits(self, value: int, count: int) -> None:
        unit = self._range >> count
        self._narrow(unit * value, unit)

    def golomb(self, number: int) -> None:
        shifted = number + (1 << _GOLOMB_ORDER)
        rest = shifted.bit_length() - 1
        for _ in range(rest - _GOLOMB_ORDER):
            self.bits(0, 1)
        self.bits(1, 1)
        self.bits(shifted - (1 << rest), rest)

    def finish(self) -> bytes:
        if self._low and self._low + self._range > _ONE:
            self._carry()
        elif self._low:
            self._bytes.append((self._low + _LEAST_RANGE - 1) >> 24)
        return bytes(self._bytes)

    def _narrow(self, offset: int, width: int) -> None:
        self._low += offset
        self._range = width
        if self._low >= _ONE:
            self._low -= _ONE
            self._carry()
        while self._range < _LEAST_RANGE:
            self._bytes.append(self._low >> 24)
            self._low = self._low << 8 & (_ONE - 1)
            self._range <<= 8

    def _carry(self) -> None:
        number = int.from_bytes(self._bytes, "big") + 1
        self._bytes = bytearray(number.to_bytes(len(self._bytes), "big"))


class _Decoder:
    def __init__(self, code: bytes, base: int) -> None:
        self._code = code
        self._base = base
        self._read = 0
        self._offset = 0
        self._range = _START_RANGE
        self._unit = 0
        for _ in range(4):
            self._offset = self._offset << 8 | self._next_byte()

    def count(self) -> int:
        self._unit = self._range >> _COUNT_BITS
        return self._checked(self._offset // self._unit, 1 << _COUNT_BITS)

    def consume(self, before: int, count: int) -> None:
        self._narrow(self._unit * before, self._unit * count)

    def bits(self, count: int) -> int:
        unit = self._range >> count
        value = self._checked(self._offset // unit, 1 << count)
        self._narrow(unit * value, unit)
        return value

    def golomb(self) -> int:
        prefix = 0
        while not self.bits(1):
            if prefix == _MAX_GOLOMB_PREFIX:
                raise self.error("corrupt", "an escaped number is too large")
            prefix += 1
        rest = prefix + _GOLOMB_ORDER
        return self.bits(rest) + (1 << rest) - (1 << _GOLOMB_ORDER)

    def finish(self) -> None:
        decided = self._read - 4
        if decided == len(self._code):
            return
        if decided + 1 < len(self._code):
            raise self.error("corrupt", "there are bytes after the end of the code")
        low = ((self._code[-1] << 24) - self._offset) % _ONE
        needs_byte = low and low + self._range <= _ONE
        if not needs_byte or self._offset >= _LEAST_RANGE:
            raise self.error("corrupt", "the code does not end as it has to")

    def error(self, kind: BitstreamErrorKind, what: str) -> BitstreamError:
        place = self._base + min(self._read, len(self._code))
        return BitstreamError(what, kind=kind, byte_offset=place)

    def _checked(self, value: int, end: int) -> int:
        if value >= end:
            raise self.error("corrupt", "the code is out of its range")
        return value

    def _narrow(self, offset: int, width: int) -> None:
        self._offset -= offset
        self._range = width
        while self._range < _LEAST_RANGE:
            self._offset = self._offset << 8 | self._next_byte()
            self._range <<= 8

    def _next_byte(self) -> int:
        if self._read >= len(self._code) + 4:
            raise self.error("truncated", "the code is cut short")
        byte = self._code[self._read] if self._read < len(self._code) else 0
        self._read += 1
        return byte


def _lists(*arrays: NDArray[Any]) -> list[list[Any]]:
    return [array.tolist() for array in arrays]
