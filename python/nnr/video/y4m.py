"""YUV4MPEG2 files: progressive 4:2:0 of 8 to 16 bits.

A text header with the size, then every frame behind a ``FRAME`` line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from ..errors import BitstreamError, BitstreamErrorKind
from .frame import Frame, FrameFormat
from .raw import checked_frame, mapped_file, write_frames
from .sequence import FrameSequence

_MAGIC = b"YUV4MPEG2"
# Y4M_LINE_MAX of mjpegtools, whose format it is.
_MAX_LINE = 256
_MAX_SIDE = 1 << 16
# The siting variants hold the same samples; a tag without depth means 8 bits.
_CHROMA_420 = re.compile(r"420(?:jpeg|mpeg2|paldv)?|420p(\d{1,2})")


def open_y4m(path: str | Path) -> FrameSequence:
    """Open a Y4M file and find its frames.

    The file is mapped into memory and must not be shortened while the sequence is in use.

    Raises
    ------
    BitstreamError
        It is damaged, cut short, or holds interlaced video or another chroma format than 4:2:0.
    """
    path = Path(path)
    data = mapped_file(path)
    header, position = _line(data, path, 0)
    frame_format, rate = _parse_header(header, path)
    offsets = _frame_offsets(data, path, position, frame_format.frame_bytes)

    def read_frame(index: int) -> Frame:
        return checked_frame(path, data, index, offsets[index], frame_format)

    return FrameSequence(path.stem, frame_format, len(offsets), read_frame, rate)


def write_y4m(path: str | Path, frames: Iterable[Frame], *, rate: Fraction | int = 25) -> None:
    """Write frames of one format as Y4M, complete or not at all."""
    stated = Fraction(rate)

    def header(frame_format: FrameFormat) -> bytes:
        depth = frame_format.bit_depth
        chroma = "420mpeg2" if depth == 8 else f"420p{depth}"
        size = f"W{frame_format.width} H{frame_format.height}"
        line = f"YUV4MPEG2 {size} F{stated.numerator}:{stated.denominator} Ip C{chroma}\n"
        return line.encode()

    write_frames(Path(path), frames, file_header=header, frame_header=b"FRAME\n")


def _parse_header(line: bytes, path: Path) -> tuple[FrameFormat, Fraction | None]:
    magic, *fields = line.split(b" ")
    if magic != _MAGIC:
        raise _error(path, "not a Y4M file: it does not begin with YUV4MPEG2", "corrupt", 0)
    values = {field[:1].decode("latin-1"): field[1:].decode("latin-1") for field in fields}
    width, height = (_side(values.get(key, ""), path) for key in "WH")
    if values.get("I", "p") not in "p?":
        raise _error(path, f"interlaced video (I{values['I']}) is not read", "unsupported", 0)
    chroma = values.get("C", "420jpeg")
    match = _CHROMA_420.fullmatch(chroma)
    bit_depth = int(match.group(1) or 8) if match else 0
    if not 8 <= bit_depth <= 16:
        raise _error(path, f"only 4:2:0 of 8 to 16 bits is read, not C{chroma}", "unsupported", 0)
    rate_match = re.fullmatch(r"(\d{1,9}):([1-9]\d{0,8})", values.get("F", ""))
    rate = Fraction(int(rate_match.group(1)), int(rate_match.group(2))) if rate_match else None
    return FrameFormat(width, height, bit_depth), rate or None


def _side(digits: str, path: Path) -> int:
    if not re.fullmatch(r"[1-9]\d{0,5}", digits) or int(digits) > _MAX_SIDE:
        raise _error(path, f"the header gives no usable size ({digits!r})", "corrupt", 0)
    return int(digits)


def _frame_offsets(data: memoryview, path: Path, position: int, frame_bytes: int) -> list[int]:
    offsets: list[int] = []
    while position < len(data):
        line_start = position
        line, position = _line(data, path, position)
        if line.split(b" ")[0] != b"FRAME":
            raise _error(path, f"frame {len(offsets)} has no FRAME line", "corrupt", line_start)
        offsets.append(position)
        position += frame_bytes
        if position > len(data):
            message = f"frame {len(offsets) - 1} is cut short by {position - len(data)} bytes"
            raise _error(path, message, "truncated", len(data))
    if not offsets:
        raise _error(path, "the file holds no frames", "truncated", position)
    return offsets


def _line(data: memoryview, path: Path, start: int) -> tuple[bytes, int]:
    """Return the text line at *start* without its newline, and the position behind it."""
    line = bytes(data[start : start + _MAX_LINE])
    end = line.find(b"\n")
    if end < 0:
        cut = len(line) < _MAX_LINE
        raise _error(
            path,
            "a header line has no end",
            "truncated" if cut else "corrupt",
            start + len(line),
        )
    return line[:end], start + end + 1


def _error(path: Path, message: str, kind: BitstreamErrorKind, at: int) -> BitstreamError:
    return BitstreamError(f"{path}: {message}", kind=kind, byte_offset=at)
