"""Bjontegaard's deltas: how far apart two curves of quality over rate lie, as one number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import MissingExtraError

DEFINITION = (
    "BD-rate: mean difference of log rate at equal quality, over the qualities that both curves "
    "have, each interpolated by monotone cubics (PCHIP); negative where fewer bits do. "
    "BD-PSNR: the same of quality at equal log rate"
)

# A monotone cubic goes through two points already; fewer are no curve.
_MIN_POINTS = 2

Float64Array = NDArray[np.float64]


def bd_rate(
    rate_anchor: ArrayLike, quality_anchor: ArrayLike, rate_test: ArrayLike, quality_test: ArrayLike
) -> float:
    """Return how many per cent more bits the test needs for the anchor's quality.

    Parameters
    ----------
    rate_anchor, rate_test : array-like of shape (points,)
        Bits, bytes or bits a second of each point, above 0; one unit for both curves. The curves
        need not have equally many points, nor these any order.
    quality_anchor, quality_test : array-like of shape (points,)
        PSNR in dB, or any other measure that is larger where pictures are better.

    Returns
    -------
    float
        In per cent, negative where the test needs fewer; NaN where no quality is on both curves.

    Raises
    ------
    ValueError
        Fewer than two points, shapes that differ, values that are not finite, a rate that is not
        above 0, or two points of one quality on a curve.
    MissingExtraError
        SciPy is not installed.

    Examples
    --------
    >>> from nnr.evaluation import bd_rate
    >>> round(bd_rate([1, 2, 4, 8], [30, 33, 36, 39], [0.9, 1.8, 3.6, 7.2], [30, 33, 36, 39]), 6)
    -10.0
    """
    delta = _mean_difference(
        *_curve(quality_anchor, rate_anchor, "anchor", by="quality"),
        *_curve(quality_test, rate_test, "test", by="quality"),
    )
    return 100 * (math.exp(delta) - 1)


def bd_psnr(
    rate_anchor: ArrayLike, quality_anchor: ArrayLike, rate_test: ArrayLike, quality_test: ArrayLike
) -> float:
    """Return how much better the test is at the anchor's rate, in units of the quality.

    Parameters
    ----------
    rate_anchor, quality_anchor, rate_test, quality_test : array-like of shape (points,)
        As for `bd_rate`.

    Returns
    -------
    float
        In dB for PSNR, positive where the test is better; NaN where no rate is on both curves.

    Raises
    ------
    ValueError
        As for `bd_rate`, but two points must not have one rate.
    MissingExtraError
        SciPy is not installed.

    Examples
    --------
    >>> from nnr.evaluation import bd_psnr
    >>> round(bd_psnr([1, 2, 4, 8], [30, 33, 36, 39], [1, 2, 4, 8], [31, 34, 37, 40]), 6)
    1.0
    """
    return _mean_difference(
        *_curve(quality_anchor, rate_anchor, "anchor", by="rate"),
        *_curve(quality_test, rate_test, "test", by="rate"),
    )


def value_at(rate: ArrayLike, quality: ArrayLike, wanted: float) -> float:
    """Return the quality of a curve at a rate, as the deltas interpolate it.

    Parameters
    ----------
    rate, quality : array-like of shape (points,)
        As for `bd_psnr`.
    wanted : float
        In the unit of *rate*.

    Returns
    -------
    float
        NaN where the curve does not reach the rate.

    Examples
    --------
    >>> from nnr.evaluation.bd import value_at
    >>> round(value_at([1, 2, 4, 8], [30, 33, 36, 39], 2**0.5), 6), value_at([1, 2], [30, 33], 9)
    (31.5, nan)
    """
    positions, values = _curve(quality, rate, "curve", by="rate")
    position = math.log(wanted)
    if not positions[0] <= position <= positions[-1]:
        return math.nan
    return float(_interpolator()(positions, values)(position))


def _curve(
    quality: ArrayLike, rate: ArrayLike, name: str, *, by: str
) -> tuple[Float64Array, Float64Array]:
    """Quality and the logarithm of rate, the one named by *by* first and sorted by it."""
    qualities, rates = np.asarray(quality, np.float64), np.asarray(rate, np.float64)
    if qualities.shape != rates.shape or rates.ndim != 1 or rates.size < _MIN_POINTS:
        raise ValueError(
            f"rate_{name} and quality_{name} must be one-dimensional, of one length and at least "
            f"{_MIN_POINTS} points, got shapes {rates.shape} and {qualities.shape}"
        )
    if not (np.isfinite(qualities).all() and np.isfinite(rates).all() and (rates > 0).all()):
        raise ValueError(f"rate_{name} must be finite and above 0, and quality_{name} finite")
    log_rates = np.log(rates)
    positions, values = (qualities, log_rates) if by == "quality" else (log_rates, qualities)
    order = np.argsort(positions)
    if not (np.diff(positions[order]) > 0).all():
        raise ValueError(f"{by}_{name} must not hold one value twice")
    return positions[order], values[order]


def _mean_difference(
    anchor_positions: Float64Array,
    anchor_values: Float64Array,
    test_positions: Float64Array,
    test_values: Float64Array,
) -> float:
    """Test minus anchor, averaged over the positions that both curves have."""
    low = max(anchor_positions[0], test_positions[0])
    high = min(anchor_positions[-1], test_positions[-1])
    if low >= high:
        return math.nan
    interpolator = _interpolator()
    anchor = interpolator(anchor_positions, anchor_values).integrate(low, high)
    test = interpolator(test_positions, test_values).integrate(low, high)
    return float((test - anchor) / (high - low))


def _interpolator() -> Any:
    try:
        from scipy.interpolate import PchipInterpolator
    except ImportError as error:
        raise MissingExtraError("scipy", "evaluate") from error
    return PchipInterpolator
