"""What the values of a network hold, channel by channel, over a few pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..layers import Float32Array
from .layers import Float64Array
from .observe import ChannelRanges, Observer

BINS = 256
# Rounding is noise everywhere, also where a network has little to do and little may be lost; clipping
# is a rare error where there is much. At the output of the bundled filter, 3 to 8 lose least.
_ROUNDING_WEIGHT = 4.0


@dataclass(frozen=True, eq=False)
class ChannelStatistics:
    """One value of a network over all pictures; every array has one row a channel.

    Parameters
    ----------
    minimum, maximum, mean : ndarray of float64
    zeros : ndarray of float64
        The share of samples that are 0.
    histogram : ndarray of float64
        Shares of samples, (channels, bins), in bins of equal width from *minimum* to *maximum*.
    """

    minimum: Float64Array
    maximum: Float64Array
    mean: Float64Array
    zeros: Float64Array
    histogram: Float64Array = field(repr=False)


Ranges = tuple[ChannelStatistics, ...]


@np.errstate(over="ignore", invalid="ignore")
def observe_ranges(observer: Observer, samples: Iterable[Float32Array]) -> Ranges:
    """Run a network over pictures and note what its values hold.

    Every picture is run twice, since a histogram needs the range first.

    Parameters
    ----------
    observer : Observer
    samples : iterable of ndarray of float32
        Inputs of shape (channels, height, width); pictures may differ in size.

    Returns
    -------
    tuple of ChannelStatistics
        One a value of the network.

    Raises
    ------
    ValueError
        There are no samples, or a value becomes infinite or NaN.
    """
    pictures = list(samples)
    if not pictures:
        raise ValueError("samples must hold at least one picture")
    ranges = [observer.ranges(picture) for picture in pictures]
    for picture in ranges:
        for index, value in enumerate(picture):
            if not value.finite:
                raise ValueError(f"value {index} of the network is not finite for a sample")
    by_value = list(zip(*ranges, strict=True))
    ends = [
        (
            np.min([value.minimum for value in pictures_of], axis=0),
            np.max([value.maximum for value in pictures_of], axis=0),
        )
        for pictures_of in by_value
    ]
    histograms = [observer.histograms(picture, ends, BINS) for picture in pictures]
    return tuple(
        _statistics(*value)
        for value in zip(by_value, ends, zip(*histograms, strict=True), strict=True)
    )


def _statistics(
    pictures: Sequence[ChannelRanges],
    ends: tuple[Float64Array, Float64Array],
    histograms: Sequence[Float64Array],
) -> ChannelStatistics:
    counts = np.sum(histograms, axis=0)
    samples = counts[0].sum()
    return ChannelStatistics(
        *ends,
        np.sum([picture.sum for picture in pictures], axis=0) / samples,
        np.sum([picture.zeros for picture in pictures], axis=0) / samples,
        counts / samples,
    )


def best_ranges(statistics: ChannelStatistics, steps: int) -> NDArray[np.float64]:
    """The range of each channel that loses least in a quantiser of *steps* steps.

    What lies outside loses by being clipped, what lies inside, but for zeros, by being rounded; the
    weighted sum of both squared errors is smallest. A range holds 0 and is no wider than what its
    channel held.

    Returns
    -------
    ndarray of float64
        Shape (channels, 2): the ends.
    """
    return np.stack(
        [
            _best_range(
                statistics.histogram[c],
                float(statistics.minimum[c]),
                float(statistics.maximum[c]),
                1.0 - float(statistics.zeros[c]),
                steps,
            )
            for c in range(len(statistics.minimum))
        ]
    )


def _best_range(
    shares: Float64Array, minimum: float, maximum: float, rounded: float, steps: int
) -> Float64Array:
    edges = np.linspace(minimum, maximum, BINS + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    lows = np.append(edges[edges < 0], 0.0)
    highs = np.append(0.0, edges[edges > 0])
    below = np.maximum(lows[:, None] - centres, 0.0) ** 2 @ shares
    above = np.maximum(centres - highs[:, None], 0.0) ** 2 @ shares
    step = (highs - lows[:, None]) / steps
    losses = below[:, None] + above + _ROUNDING_WEIGHT * rounded * step**2 / 12
    low, high = np.unravel_index(int(losses.argmin()), losses.shape)
    return np.array([lows[low], highs[high]])
