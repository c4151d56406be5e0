"""What the bundled post filter loses by being compiled to integers, on decoded pictures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import nnr
from nnr.evaluation import photographs
from nnr.networks import POSTFILTER_LUMA
from nnr.networks.graph import read_graph
from nnr.networks.integer import postfilter_to_integer
from nnr.video import vvc
from nnr.video.frame import Frame

PEAK = 1023


class Decoded(NamedTuple):
    source: NDArray[np.float64]
    luma: NDArray[np.uint16]
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
    return Decoded(y * 4.0, np.asarray(result.y, np.uint16), qp)


def psnr(plane: NDArray[np.integer], picture: Decoded) -> float:
    return float(10 * np.log10(PEAK**2 / np.mean((plane - picture.source) ** 2)))


@pytest.fixture(scope="module")
def seen() -> list[tuple[NDArray[np.uint16], int]]:
    pictures = [decoded(i, qp, 80, 60, 160) for i in (0, 1, 2, 5) for qp in (22, 32, 42)]
    return [(picture.luma, picture.qp) for picture in pictures]


@pytest.fixture(scope="module")
def unseen() -> list[Decoded]:
    return [decoded(i, qp, 100, 120, 128) for i in (3, 4) for qp in (22, 27, 32, 37, 42)]


# In dB, over all pictures: 0.01 is the goal for 8 bits.
@pytest.mark.parametrize(("bits", "most"), [(8, 0.01), (16, 0.001)])
def test_little_of_the_gain_is_lost(
    seen: list[tuple[NDArray[np.uint16], int]], unseen: list[Decoded], bits: int, most: float
) -> None:
    graph = read_graph(nnr.load(POSTFILTER_LUMA))
    network = postfilter_to_integer(graph, seen, 10, activation_bits=bits)
    post_filter = nnr.PostFilter.load(POSTFILTER_LUMA)
    losses = []
    for picture in unseen:
        wanted = psnr(post_filter.apply(picture.luma, qp=picture.qp, bit_depth=10), picture)
        q = np.stack([picture.luma, np.full_like(picture.luma, picture.qp)]).astype(np.int16)
        got = psnr(network.run_integers(q)[0], picture)
        assert got > psnr(picture.luma, picture)
        losses.append(wanted - got)
    assert np.mean(losses) < most, losses
