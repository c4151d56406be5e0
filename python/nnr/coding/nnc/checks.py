"""The description of a bitstream of ours, and its units against their checksums."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ...errors import BitstreamError, BitstreamErrorKind
from .description import (
    Description,
    UnknownVersionError,
    holds_description,
    is_description,
    parse_description,
)
from .topology import UNRECOGNISED

START, PARAMETERS, LAYER_PARAMETERS, TOPOLOGY, DATA = 0, 1, 2, 3, 5
# Topology unit header: its size in two or four bytes, its type, two formats.
_FORMAT_BYTES = 2
_NOTHING = Description(np.empty(0, np.uint32), {}, {})


def checksums_of(units: list[bytes]) -> NDArray[np.uint32]:
    """Return the CRC-32 of each unit."""
    return np.array([zlib.crc32(unit) for unit in units], np.uint32)


class Checks:
    """What the text of ours in a bitstream says, and whether the other units agree with it.

    Parameters
    ----------
    data, stream
        The bitstream and its headers.
    label : str
        What messages call it.

    Raises
    ------
    BitstreamError
        The text is damaged, units are missing, or those that hold no tensor are damaged.
    """

    def __init__(self, data: NDArray[np.uint8], stream: _core.NncStream, label: str) -> None:
        self._label = label
        self._data = data.data
        self.units = stream.units
        self.description = _NOTHING
        self._own: int | None = None
        self._offsets = [offset for _, offset, _ in self.units]
        for storage_format, _, offset, size in stream.topologies:
            text = bytes(self._data[offset : offset + size])
            if is_description(text):
                self._take(text, self.unit_at(offset), offset, storage_format)
        self._refuse_hidden()
        if self.present:
            self._check_structure()
        elif not (stream.data_units or (stream.parent_signalling and stream.topologies)):
            # Only an update may have no tensor at all; what was cut off here would be lost.
            self.fail("the file ends before its first tensor", data.nbytes, None, "truncated")

    @property
    def present(self) -> bool:
        """Whether there are checksums."""
        return self._own is not None

    def is_own(self, number: int) -> bool:
        """Whether a unit is the text itself."""
        return number == self._own

    def unit_at(self, offset: int) -> int:
        """Return the number of the unit that holds a byte."""
        return bisect_right(self._offsets, offset) - 1

    def check(self, number: int, what: str) -> None:
        """Compare a unit with its checksum, if it has one."""
        if self._own is None or number == self._own:
            return
        checksum = self.description.checksums[number - (number > self._own)]
        if zlib.crc32(self._unit(number)) != checksum:
            self.fail(f"{what} does not match its checksum", self._offsets[number], number)

    def check_all(self) -> None:
        """Compare every unit with its checksum."""
        if self._own is None:
            return
        data = self._data
        actual = [zlib.crc32(data[start : start + size]) for _, start, size in self.units]
        del actual[self._own]
        wrong = np.flatnonzero(self.description.checksums != np.array(actual, np.uint32))
        if wrong.size:
            number = int(wrong[0]) + (int(wrong[0]) >= self._own)
            self.fail(f"unit {number} does not match its checksum", self._offsets[number], number)

    def fail(
        self,
        message: str,
        byte_offset: int,
        unit: int | None,
        kind: BitstreamErrorKind = "corrupt",
    ) -> NoReturn:
        """Raise the error of this file."""
        prefix = f"{self._label}: " if self._label else ""
        raise BitstreamError(prefix + message, kind=kind, byte_offset=byte_offset, unit=unit)

    def _unit(self, number: int) -> memoryview:
        _, offset, size = self.units[number]
        return self._data[offset : offset + size]

    def _take(self, text: bytes, number: int, offset: int, storage_format: int) -> None:
        if self._own is not None:
            self.fail("a second description", offset, number)
        if storage_format != UNRECOGNISED:
            self.fail("a description under another topology format", offset, number)
        try:
            self.description = parse_description(text)
        except UnknownVersionError as error:
            self.fail(str(error), offset, number, "unsupported")
        except (ValueError, RecursionError) as error:
            self.fail(str(error), offset, number)
        self._own = number

    def _refuse_hidden(self) -> None:
        """A text in a unit of another type is one whose header was damaged."""
        for number, (kind, offset, _) in enumerate(self.units):
            ordinary = kind in (START, PARAMETERS, TOPOLOGY, DATA)
            if not ordinary and holds_description(bytes(self._unit(number)[:32])):
                self.fail("a description in a unit of another type", offset, number)

    def _check_structure(self) -> None:
        given, wanted = len(self.units) - 1, len(self.description.checksums)
        if given < wanted:
            end = self._data.nbytes
            self.fail(f"{wanted - given} units are missing at the end", end, None, "truncated")
        if given > wanted:
            place = self._offsets[wanted + 1]
            self.fail(f"{given - wanted} units too many", place, wanted + 1)
        for number, (kind, _, _) in enumerate(self.units):
            if kind not in (DATA, TOPOLOGY):
                self.check(number, f"unit {number}")
