"""Decoded pictures beside their sources, on which the loss of a network is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import cast

import numpy as np

from ..evaluation.cache import Cache
from ..video import vvc
from ..video.frame import Frame, FrameFormat, Plane
from ..video.sequence import FrameSequence
from ..video.vvc import VvcSettings

# At five QPs together a million luma samples, which a network of 200,000 weights filters in about a
# second; as many patches as that from as many frames, since more of one frame tell little.
_PATCHES = 8
_SIDE = 160
# What a patch is cut at: chroma has half the samples of luma.
_GRID = 2
# The steps of a sequence of two dimensions that fills a square evenly (the powers of the inverse of
# the plastic number), so that patches lie apart without chance.
_STEP_ACROSS, _STEP_DOWN = 0.7548776662466927, 0.5698402909980532
# Decoded samples are filtered with six bits more than they have, so that no rounding hides what
# small errors in weights change.
_PRECISE_BITS = 16


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture of video that was encoded without in-loop filters.

    Parameters
    ----------
    source, decoded : Frame
        *decoded* has 16 bits a sample.
    qp : int
    """

    source: Frame
    decoded: Frame
    qp: int


def calibration_pictures(
    sequences: Sequence[FrameSequence],
    *,
    qps: Sequence[int],
    cache: Cache | None = None,
    threads: int = 1,
    on_step: Callable[[str], None] = lambda step: None,  # noqa: ARG005
) -> list[Picture]:
    """Encode a few patches of video at every QP and decode them.

    Eight patches of 160x160 samples at most, from frames that lie evenly in all that there are;
    smaller frames are taken whole.

    Parameters
    ----------
    sequences : sequence of FrameSequence
        Of 8 or 10 bits a sample.
    qps : sequence of int
        Of VVC, 0 to 63.
    cache : Cache, optional
        Where streams are kept; by default in the user's cache folder.
    threads : int
        Of the encoder. No result depends on it.
    on_step : callable
        Called when the patches are encoded at one more QP.

    Returns
    -------
    list of Picture
        All patches at the first QP, then at the next.

    Raises
    ------
    ValueError
        There are no frames or no QPs, a QP is not VVC's, or a frame has more than 10 bits.
    """
    if not qps:
        raise ValueError("qps must hold at least one")
    settings = [VvcSettings(qp, loop_filters="none") for qp in dict.fromkeys(qps)]
    patches = _patches(sequences)
    cache = Cache() if cache is None else cache
    pictures = []
    for setting in settings:
        for frames in _by_format(patches):
            decoded = vvc.decode(cache.stream(frames, setting, threads=threads))
            pictures += [
                Picture(source, _precise(frame), setting.qp)
                for source, frame in zip(frames, decoded, strict=True)
            ]
        on_step(f"encoded at QP {setting.qp}")
    return pictures


def _patches(sequences: Sequence[FrameSequence]) -> list[Frame]:
    total = sum(map(len, sequences))
    if not total:
        raise ValueError("sequences must hold at least one frame")
    for sequence in sequences:
        depth = sequence.format.bit_depth
        if depth not in vvc.SOURCE_BIT_DEPTHS:
            raise ValueError(f"{sequence.name}: VVC input must be 8 or 10 bit, this is {depth}")
    patches: list[Frame] = []
    taken: set[tuple[int, FrameFormat, int, int]] = set()
    for number in range(_PATCHES):
        index = number * total // _PATCHES
        frame = next(islice(_frames(sequences, index), 1))
        place = _place(frame.format, number)
        # A frame that is no larger than a patch gives one and no more.
        if (key := (index, frame.format, *place)) not in taken:
            taken.add(key)
            patches.append(_cut(frame, *place))
    return patches


def _frames(sequences: Sequence[FrameSequence], index: int) -> Iterator[Frame]:
    """The frames of all sequences, one after the other, from *index* on."""
    for sequence in sequences:
        for place in range(index, len(sequence)):
            yield sequence[place]
        index = max(0, index - len(sequence))


def _place(size: FrameFormat, number: int) -> tuple[int, int]:
    """The upper left corner of a patch."""

    def offset(side: int, step: float) -> int:
        room = max(0, side - _SIDE)
        return int((0.5 + number * step) % 1 * (room + 1)) // _GRID * _GRID

    return offset(size.height, _STEP_DOWN), offset(size.width, _STEP_ACROSS)


def _cut(frame: Frame, top: int, left: int) -> Frame:
    def cut(plane: Plane, scale: int) -> Plane:
        rows, columns = (slice(n // scale, (n + _SIDE) // scale) for n in (top, left))
        return cast(Plane, np.ascontiguousarray(plane[rows, columns]))

    return Frame(cut(frame.y, 1), cut(frame.u, 2), cut(frame.v, 2), frame.bit_depth)


def _by_format(patches: Sequence[Frame]) -> list[list[Frame]]:
    """Patches of one format make one stream."""
    groups: dict[FrameFormat, list[Frame]] = {}
    for patch in patches:
        groups.setdefault(patch.format, []).append(patch)
    return list(groups.values())


def _precise(frame: Frame) -> Frame:
    shift = _PRECISE_BITS - frame.bit_depth
    y, u, v = ((plane.astype("<u2") << shift).astype("<u2") for plane in frame.planes)
    return Frame(y, u, v, _PRECISE_BITS)
