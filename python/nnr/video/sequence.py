"""A sequence of frames of one format, each read when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import overload

from .frame import Frame, FrameFormat


@dataclass(frozen=True)
class FrameSequence:
    """Frames of one format; each is read when it is asked for.

    Parameters
    ----------
    name : str
        What tables call it: the file's name without extension, or the folder's.
    format : FrameFormat
    frame_count : int
    read_frame : callable
        Returns the frame of an index from 0 to ``frame_count - 1``.
    rate : Fraction, optional
        Frames a second, where the file tells.

    Examples
    --------
    >>> import numpy as np
    >>> from nnr.video import Frame, FrameFormat, FrameSequence
    >>> grey = Frame(*(np.full(s, 128, np.uint8) for s in FrameFormat(16, 8).plane_shapes))
    >>> sequence = FrameSequence("grey", grey.format, 3, lambda index: grey)
    >>> len(sequence), sequence[-1].y.shape, len(sequence[:2])
    (3, (8, 16), 2)
    """

    name: str
    format: FrameFormat
    frame_count: int
    read_frame: Callable[[int], Frame]
    rate: Fraction | None = None

    def __len__(self) -> int:
        return self.frame_count

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> list[Frame]: ...
    def __getitem__(self, index: int | slice) -> Frame | list[Frame]:
        if isinstance(index, slice):
            return [self.read_frame(i) for i in range(*index.indices(self.frame_count))]
        if not -self.frame_count <= index < self.frame_count:
            raise IndexError(f"{self.name} has {self.frame_count} frames, got index {index}")
        return self.read_frame(index % self.frame_count)

    def __iter__(self) -> Iterator[Frame]:
        return (self.read_frame(index) for index in range(self.frame_count))
