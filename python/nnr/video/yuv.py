"""Raw planar YCbCr 4:2:0 files; what they hold is told by their name or by the caller."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..errors import BitstreamError
from .frame import Frame, FrameFormat
from .raw import checked_frame, mapped_file, write_frames
from .sequence import FrameSequence

_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")
# "50" and "59.94" stand behind the size; "50fps" and "50Hz" may stand anywhere. A number with
# another letter, such as the frame count in "12f", is none of these.
_RATE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)(fps|hz)?", re.IGNORECASE)
_BIT_DEPTH = re.compile(r"(\d{1,2})(?:b|bit|bits|bpp)|b(\d{1,2})|(?:yuv)?420p(\d{1,2})(?:le)?")
_OTHER_CHROMA = re.compile(r"(?:yuv)?(?:400|422|444)(?:p\d*(?:le|be)?)?")


@dataclass(frozen=True)
class NameFields:
    """What a file's name tells about its frames; ``None`` where it tells nothing."""

    size: tuple[int, int] | None = None
    bit_depth: int | None = None
    rate: Fraction | None = None


def parse_name(name: str) -> NameFields:
    """Read size, rate and bit depth from a name such as the JVET test sequences have.

    Raises
    ------
    ValueError
        The name states a chroma format other than 4:2:0.

    Examples
    --------
    >>> parse_name("MarketPlace_1920x1080_60fps_10bit_420.yuv")
    NameFields(size=(1920, 1080), bit_depth=10, rate=Fraction(60, 1))
    >>> parse_name("clic_416x240_12f.yuv")
    NameFields(size=(416, 240), bit_depth=None, rate=None)
    """
    size: tuple[int, int] | None = None
    bit_depth: int | None = None
    rate: Fraction | None = None
    for token in re.split(r"[_\- ]", Path(name).stem):
        if match := _SIZE.fullmatch(token):
            size = int(match.group(1)), int(match.group(2))
        elif size and _OTHER_CHROMA.fullmatch(token):
            raise ValueError(f"{name}: only 4:2:0 is read, the name says {token}")
        elif match := _BIT_DEPTH.fullmatch(token.lower()):
            bit_depth = int(next(digits for digits in match.groups() if digits))
        elif token != "420" and (match := _RATE.fullmatch(token)):
            # Without a unit it is the rate only directly or further behind the size.
            rate = Fraction(match.group(1)) if match.group(2) or (size and not rate) else rate
    return NameFields(size, bit_depth, rate)


def open_yuv(
    path: str | Path,
    *,
    size: tuple[int, int] | None = None,
    bit_depth: int | None = None,
    rate: Fraction | int | None = None,
) -> FrameSequence:
    """Open a raw planar 4:2:0 file; arguments are as for `open_sequence`.

    Above 8 bits a sample takes two bytes, little-endian. The file is mapped into memory and must
    not be shortened while the sequence is in use.
    """
    path = Path(path)
    told = parse_name(path.name)
    size = size or told.size
    if size is None:
        raise ValueError(
            f"{path}: the name tells no size; it must hold one, as in clip_832x480_50.yuv"
        )
    try:
        frame_format = FrameFormat(*size, bit_depth or told.bit_depth or 8)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    data = mapped_file(path)
    _check_length(path, len(data), frame_format)

    def read_frame(index: int) -> Frame:
        return checked_frame(path, data, index, index * frame_format.frame_bytes, frame_format)

    stated_rate = told.rate if rate is None else Fraction(rate)
    frame_count = len(data) // frame_format.frame_bytes
    return FrameSequence(path.stem, frame_format, frame_count, read_frame, stated_rate)


def write_yuv(path: str | Path, frames: Iterable[Frame]) -> None:
    """Write frames of one format as a raw planar file, complete or not at all."""
    write_frames(Path(path), frames)


def _check_length(path: Path, length: int, frame_format: FrameFormat) -> None:
    count, rest = divmod(length, frame_format.frame_bytes)
    if rest or not count:
        raise BitstreamError(
            f"{path}: {length} bytes are no whole number of frames; "
            f"{frame_format.width}x{frame_format.height} at {frame_format.bit_depth} bits takes "
            f"{frame_format.frame_bytes} bytes a frame: {count} frames and {rest} bytes over",
            kind="truncated",
            byte_offset=count * frame_format.frame_bytes,
        )
