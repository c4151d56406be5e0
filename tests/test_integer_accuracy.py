"""What the bundled post filter loses by being compiled to integers, on decoded pictures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import nnr
from nnr.evaluation import photographs
from nnr.networks import POSTFILTER
from nnr.video import vvc
from nnr.video.frame import Frame

PEAK = 1023


class Decoded(NamedTuple):
    source: Frame
    frame: Frame
    qp: int


def decoded(index: int, qp: int, row: int, column: int, size: int) -> Decoded:
    """A part of a photograph behind VVC without loop filters."""
    frame = photographs()[index][0]
    y = frame.y[row : row + size, column : column + size]
    u, v = (
        plane[row // 2 : (row + size) // 2, column // 2 : (column + size) // 2]
        for plane in (frame.u, frame.v)
    )
    settings = vvc.VvcSettings(qp, loop_filters="none")
    (result,) = vvc.decode(vvc.encode([Frame(y, u, v)], settings))
    return Decoded(Frame(y, u, v), result, qp)


def psnr(frame: Frame, picture: Decoded) -> float:
    """The mean over the planes, luma counted six times."""
    errors = [
        np.mean((plane - source * 4.0) ** 2)
        for plane, source in zip(frame.planes, picture.source.planes, strict=True)
    ]
    return float(np.average(10 * np.log10(PEAK**2 / np.array(errors)), weights=[6, 1, 1]))


@pytest.fixture(scope="module")
def seen() -> list[tuple[Frame, int]]:
    pictures = [decoded(i, qp, 80, 60, 160) for i in (0, 1, 2, 5) for qp in (22, 32, 42)]
    return [(picture.frame, picture.qp) for picture in pictures]


@pytest.fixture(scope="module")
def unseen() -> list[Decoded]:
    return [decoded(i, qp, 100, 120, 128) for i in (3, 4) for qp in (22, 27, 32, 37, 42)]


# In dB, over all pictures: 0.01 is the goal for 8 bits.
@pytest.mark.parametrize(("bits", "most"), [(8, 0.01), (16, 0.001)])
def test_little_of_the_gain_is_lost(
    seen: list[tuple[Frame, int]], unseen: list[Decoded], bits: int, most: float
) -> None:
    post_filter = nnr.PostFilter.load(POSTFILTER)
    exact = post_filter.to_integer(seen, bit_depth=10, activation_bits=bits)
    losses = []
    for picture in unseen:
        wanted = psnr(post_filter.apply_frame(picture.frame, qp=picture.qp), picture)
        got = psnr(exact.apply_frame(picture.frame, qp=picture.qp), picture)
        assert got > psnr(picture.frame, picture)
        losses.append(wanted - got)
    assert np.mean(losses) < most, losses
