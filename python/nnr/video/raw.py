"""What raw YUV and Y4M files share: mapped reading, checked samples, complete writing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ..errors import BitstreamError
from ..files import atomic_write, map_file
from .frame import Frame, FrameFormat


def mapped_file(path: Path) -> memoryview:
    """Map a file into memory; its bytes are read from disk when they are looked at."""
    data = map_file(path)
    if not data.size:
        raise BitstreamError(f"{path}: the file is empty", kind="truncated", byte_offset=0)
    return data.data


def checked_frame(
    path: Path, data: memoryview, index: int, start: int, frame_format: FrameFormat
) -> Frame:
    """Return the frame at *start*; samples that its bit depth cannot hold are an error."""
    frame = Frame.frombytes(data[start : start + frame_format.frame_bytes], frame_format)
    if 8 < frame_format.bit_depth < 16:
        largest = max(int(plane.max()) for plane in frame.planes)
        if largest > frame_format.peak:
            raise BitstreamError(
                f"{path}: frame {index} has a sample of {largest}, more than "
                f"{frame_format.bit_depth} bits hold",
                kind="corrupt",
                byte_offset=start,
            )
    return frame


def write_frames(
    path: Path,
    frames: Iterable[Frame],
    *,
    file_header: Callable[[FrameFormat], bytes] = lambda _: b"",
    frame_header: bytes = b"",
) -> None:
    """Write frames of one format, each behind *frame_header*, complete or not at all."""
    with atomic_write(path) as file:
        first: FrameFormat | None = None
        for index, frame in enumerate(frames):
            if first is None:
                first = frame.format
                file.write(file_header(first))
            if frame.format != first:
                raise ValueError(f"frame {index} is {frame.format}, the first is {first}")
            file.write(frame_header)
            file.write(frame.tobytes())
        if first is None:
            raise ValueError("frames must hold at least one frame")
