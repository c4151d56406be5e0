"""Frames to look at: a source, what VVC's filters make of it, and what the networks do."""

from __future__ import annotations

from dataclasses import dataclass

from ..video.frame import Frame
from .candidates import Candidate
from .chunk import Chunk
from .results import ANCHORS, Quality


@dataclass(frozen=True)
class Example:
    """One frame in all its versions.

    Parameters
    ----------
    name : str
        The sequence's.
    qp : int
    source : Frame
    frames : dict
        By column: each of the anchors, and the label of each network.
    quality : dict
        By column, of this frame alone.
    """

    name: str
    qp: int
    source: Frame
    frames: dict[str, Frame]
    quality: dict[str, Quality]


def example(
    name: str, qp: int, source: Frame, chunk: Chunk, candidates: list[Candidate]
) -> Example:
    """Decode, filter and measure the only frame of a chunk."""
    frames: dict[str, Frame] = {key: chunk.decoded(key)[0] for key in ANCHORS}
    frames |= {candidate.label: next(chunk.filtered(candidate)) for candidate in candidates}
    quality = {column: chunk.measured([frame]) for column, frame in frames.items()}
    return Example(name, qp, source, frames, quality)
