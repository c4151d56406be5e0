"""One picture in planar YCbCr 4:2:0, the form in which every part of the package sees video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class FrameFormat:
    """Width and height in luma samples, and bits a sample.

    Examples
    --------
    >>> FrameFormat(417, 240, 8).chroma_shape
    (120, 209)
    """

    width: int
    height: int
    bit_depth: int = 8

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"frame size must be at least 1x1, got {self.width}x{self.height}")
        if not 8 <= self.bit_depth <= 16:
            raise ValueError(f"bit_depth must be 8 to 16, got {self.bit_depth}")

    @property
    def luma_shape(self) -> tuple[int, int]:
        """Rows and columns of the luma plane."""
        return self.height, self.width

    @property
    def chroma_shape(self) -> tuple[int, int]:
        """Rows and columns of a chroma plane, half the luma's, rounded up."""
        return (self.height + 1) // 2, (self.width + 1) // 2

    @property
    def plane_shapes(self) -> tuple[tuple[int, int], ...]:
        """Shapes of Y, U and V."""
        return self.luma_shape, self.chroma_shape, self.chroma_shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The sample type: one byte at 8 bits, little-endian two bytes above."""
        return np.dtype("u1") if self.bit_depth == 8 else np.dtype("<u2")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame in a raw planar file."""
        samples = sum(rows * columns for rows, columns in self.plane_shapes)
        return samples * self.dtype.itemsize

    @property
    def peak(self) -> int:
        """The largest sample value, ``2**bit_depth - 1``."""
        return (1 << self.bit_depth) - 1


@dataclass(frozen=True)
class Frame:
    """The three planes of one picture; chroma has half the luma's width and height, rounded up."""

    y: Plane
    u: Plane
    v: Plane
    bit_depth: int = 8

    def __post_init__(self) -> None:
        for name, plane, shape in zip("yuv", self.planes, self.format.plane_shapes, strict=True):
            if plane.shape != shape:
                raise ValueError(f"plane {name} must have shape {shape}, got {plane.shape}")
            if plane.dtype != self.format.dtype:
                raise TypeError(
                    f"plane {name} at {self.bit_depth} bits must be {self.format.dtype}, "
                    f"got {plane.dtype}"
                )

    @property
    def planes(self) -> tuple[Plane, Plane, Plane]:
        """Y, U and V."""
        return self.y, self.u, self.v

    @property
    def format(self) -> FrameFormat:
        """Size and bit depth."""
        return FrameFormat(self.y.shape[1], self.y.shape[0], self.bit_depth)

    def tobytes(self) -> bytes:
        """Return Y, U, V one after the other, as in a raw planar file."""
        return b"".join(np.ascontiguousarray(plane).tobytes() for plane in self.planes)

    @classmethod
    def frombytes(cls, data: bytes | memoryview, frame_format: FrameFormat) -> Frame:
        """Undo `tobytes`; *data* holds exactly ``frame_format.frame_bytes`` bytes."""
        if len(data) != frame_format.frame_bytes:
            raise ValueError(
                f"one {frame_format.width}x{frame_format.height} frame of "
                f"{frame_format.bit_depth} bits has {frame_format.frame_bytes} bytes, "
                f"got {len(data)}"
            )
        planes: list[Plane] = []
        samples = np.frombuffer(data, frame_format.dtype)
        offset = 0
        for rows, columns in frame_format.plane_shapes:
            planes.append(samples[offset : offset + rows * columns].reshape(rows, columns))
            offset += rows * columns
        y, u, v = planes
        return cls(y, u, v, frame_format.bit_depth)
