"""What the values of a network hold, channel by channel, over a few pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..layers import Float32Array, Graph
from .layers import Float64Array
from .observe import ReferenceObserver

BINS = 256
# Rounding is noise everywhere, also where a network has little to do and little may be lost; clipping
# is a rare error where there is much. At the output of the bundled filter, 3 to 8 lose least.
_ROUNDING_WEIGHT = 4.0


class Observer(Protocol):
    """Runs a network and shows all its values."""

    def observe(self, x: Float32Array) -> Sequence[Float32Array]:
        """All values, (channels, height, width), for one input; value 0 is *x* itself."""


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
def observe_ranges(
    graph: Graph, samples: Iterable[Float32Array], observer: Observer | None = None
) -> Ranges:
    """Run a network over pictures and note what its values hold.

    Every picture is run twice, since a histogram needs the range first; of no more than one are
    the values in memory.

    Parameters
    ----------
    graph : Graph
    samples : iterable of ndarray of float32
        Inputs of shape (channels, height, width); pictures may differ in size.
    observer : Observer, optional
        What runs the network; by default NumPy.

    Returns
    -------
    tuple of ChannelStatistics
        One a value of *graph*.

    Raises
    ------
    ValueError
        There are no samples, or a value becomes infinite or NaN.
    """
    observer = ReferenceObserver(graph) if observer is None else observer
    pictures = list(samples)
    if not pictures:
        raise ValueError("samples must hold at least one picture")
    totals = [_Total() for _ in range(len(graph.layers) + 1)]
    for picture in pictures:
        for index, value in enumerate(observer.observe(picture)):
            if not np.isfinite(value).all():
                raise ValueError(f"value {index} of the network is not finite for a sample")
            totals[index].extend(value)
    for picture in pictures:
        for total, value in zip(totals, observer.observe(picture), strict=True):
            total.count(value)
    return tuple(total.statistics() for total in totals)


class _Total:
    """Grows picture by picture: first `extend` for all, then `count` for all."""

    def __init__(self) -> None:
        self._samples = 0
        self._minimum: Float64Array = np.zeros(0)
        self._maximum: Float64Array = np.zeros(0)
        self._sum: Float64Array = np.zeros(0)
        self._zeros: Float64Array = np.zeros(0)
        self._counts: Float64Array = np.zeros((0, BINS))

    def extend(self, value: Float32Array) -> None:
        flat = value.reshape(value.shape[0], -1)
        low, high = flat.min(axis=1).astype(np.float64), flat.max(axis=1).astype(np.float64)
        sums = flat.sum(axis=1, dtype=np.float64)
        zeros = (flat == 0).sum(axis=1).astype(np.float64)
        if self._samples == 0:
            self._minimum, self._maximum, self._sum, self._zeros = low, high, sums, zeros
            self._counts = np.zeros((value.shape[0], BINS))
        else:
            self._minimum = np.minimum(self._minimum, low)
            self._maximum = np.maximum(self._maximum, high)
            self._sum, self._zeros = self._sum + sums, self._zeros + zeros
        self._samples += flat.shape[1]

    def count(self, value: Float32Array) -> None:
        flat = value.reshape(value.shape[0], -1).astype(np.float64)
        width = self._maximum - self._minimum
        per_unit = BINS / np.where(width > 0, width, 1)
        bins = ((flat - self._minimum[:, None]) * per_unit[:, None]).astype(np.int64)
        places = np.minimum(bins, BINS - 1) + np.arange(flat.shape[0])[:, None] * BINS
        self._counts += np.bincount(places.reshape(-1), minlength=self._counts.size).reshape(
            self._counts.shape
        )

    def statistics(self) -> ChannelStatistics:
        n = self._samples
        return ChannelStatistics(
            self._minimum, self._maximum, self._sum / n, self._zeros / n, self._counts / n
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
