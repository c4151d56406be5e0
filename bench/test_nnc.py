from __future__ import annotations

import pytest

from . import nnc, nnc_sizes
from .contestants import NAME
from .nnc import Network
from .nnc_sizes import Point

WORKS = [nnc.decoding, nnc.encoding]
FEW = 50
SECONDS = 1.0


@pytest.fixture(scope="module")
def inputs() -> list[Network]:
    try:
        return [nnc.many_small(FEW), *nnc.networks()]
    except nnc.MissingError as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("work", WORKS)
def test_contestants_agree(work: nnc.Work, inputs: list[Network]) -> None:
    for network in inputs:
        for contestant in work(network):
            contestant.check(contestant.run())


@pytest.mark.timed
@pytest.mark.parametrize("work", WORKS)
def test_faster_than_the_engine_alone(work: nnc.Work, inputs: list[Network]) -> None:
    for network in inputs:
        result = nnc.compare(work.__name__, network, work(network), SECONDS)
        for call, ratios in result["ratios"].items():
            assert min(ratios.values()) > 1, (network.title, call, ratios)


def test_decoding_needs_no_more_memory(inputs: list[Network]) -> None:
    assert inputs
    for title, spent in nnc.measure_memory().items():
        ours, theirs = (spent[library]["grown"] for library in (NAME, "nncodec"))
        assert ours <= theirs, title


def curve(scale: float, factor: float) -> list[Point]:
    """A bit less doubles the error."""
    sizes = [factor * size for size in (800, 700, 600)]
    return [
        Point("", qp, scale, round(size), rmse_all=1, rmse_weights=2.0**qp)
        for qp, size in enumerate(sizes)
    ]


def test_bytes_at_an_error_are_the_best_curves_interpolated() -> None:
    points = curve(0, 1) + curve(1, 0.9)
    assert nnc_sizes.bytes_at(points, 2**0.5) == pytest.approx(0.9 * 750)
    assert nnc_sizes.bytes_at(points, 5) == float("inf")


def test_relative_size() -> None:
    assert nnc_sizes.relative_size(curve(0, 0.8) + curve(3, 0.9), curve(0, 1)) == pytest.approx(0.8)
