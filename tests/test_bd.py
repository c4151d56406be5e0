"""Bjontegaard's deltas against the package that the field uses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nnr.evaluation import bd_psnr, bd_rate

Curve = tuple[np.ndarray, np.ndarray]


def random_curve(seed: int, points: int) -> Curve:
    """Rates and qualities that both grow, as an encoder's do."""
    random = np.random.default_rng(seed)
    rate = np.cumsum(random.uniform(0.1, 1.5, points))
    quality = 28 + np.cumsum(random.uniform(0.2, 2.0, points))
    return rate, quality


@pytest.mark.filterwarnings("ignore:.*curve overlap")
@pytest.mark.parametrize("seed", range(20))
def test_deltas_are_those_of_bjontegaard(seed: int) -> None:
    bjontegaard = pytest.importorskip("bjontegaard")
    anchor, test = random_curve(seed, 4 + seed % 5), random_curve(seed + 100, 4 + seed % 3)
    options = {"method": "pchip", "require_matching_points": False, "min_overlap": 0}
    for ours, theirs in [(bd_rate, bjontegaard.bd_rate), (bd_psnr, bjontegaard.bd_psnr)]:
        assert ours(*anchor, *test) == pytest.approx(theirs(*anchor, *test, **options), rel=1e-9)


def test_order_of_points_does_not_matter() -> None:
    (rate, quality), test = random_curve(1, 6), random_curve(2, 5)
    mixed = np.random.default_rng(3).permutation(6)
    for delta in (bd_rate, bd_psnr):
        assert delta(rate[mixed], quality[mixed], *test) == delta(rate, quality, *test)


def test_deltas_by_hand() -> None:
    rate, quality = np.array([1.0, 2.0, 3.0, 5.0]), np.array([30.0, 33.0, 34.0, 36.0])
    assert bd_rate(rate, quality, 1.25 * rate, quality) == pytest.approx(25)
    assert bd_rate(rate, quality, 0.5 * rate, quality) == pytest.approx(-50)
    assert bd_psnr(rate, quality, rate, quality - 0.5) == pytest.approx(-0.5)


def test_curves_that_share_nothing_have_no_delta() -> None:
    rate = np.array([1.0, 2.0, 4.0])
    assert math.isnan(bd_rate(rate, [30, 31, 32], rate, [40, 41, 42]))
    assert math.isnan(bd_psnr(rate, [30, 31, 32], 100 * rate, [30, 31, 32]))


@pytest.mark.parametrize(
    ("rate", "quality", "message"),
    [
        ([1.0], [30.0], "at least 2 points"),
        ([1.0, 2.0], [30.0, 31.0, 32.0], "of one length"),
        ([0.0, 2.0], [30.0, 31.0], "above 0"),
        ([1.0, 2.0], [30.0, math.inf], "finite"),
        ([1.0, 2.0], [30.0, 30.0], "quality_test must not hold one value twice"),
    ],
)
def test_what_is_no_curve_is_refused(rate: list[float], quality: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bd_rate([1.0, 2.0], [30.0, 31.0], rate, quality)
