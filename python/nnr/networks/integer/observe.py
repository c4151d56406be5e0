"""What the values of a float network hold, gathered by the native engine row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..layers import Float32Array, Graph
from ..plan import build_plan
from .layers import Float64Array


class ChannelRanges(NamedTuple):
    """One value over one picture, a number a channel: ends, sum, and how many samples are 0."""

    minimum: Float64Array
    maximum: Float64Array
    sum: Float64Array
    zeros: Float64Array
    finite: bool


class Observer:
    """Runs a network layer by layer, each value as the graph defines it.

    No more than the rows at hand of any value are in memory.

    Parameters
    ----------
    graph : Graph
        A folded graph: every layer is needed for its output.
    """

    def __init__(self, graph: Graph) -> None:
        self._plan = build_plan(graph, fused=False)

    @property
    def phase(self) -> int:
        """Height and width of an input are multiples of this."""
        return self._plan.phase

    @property
    def phases(self) -> dict[int, tuple[int, int]]:
        """Where blocks of 4x4 begin best, by value; see `IntegerWinograd`."""
        return dict(enumerate(self._plan.block_phases))

    def ranges(self, x: Float32Array) -> list[ChannelRanges]:
        """All values for one input (channels, height, width); value 0 is *x* itself."""
        return [
            ChannelRanges(
                np.array(minimum), np.array(maximum), np.array(total), np.array(zeros), finite
            )
            for minimum, maximum, total, zeros, finite in self._plan.ranges(np.ascontiguousarray(x))
        ]

    def histograms(
        self, x: Float32Array, ends: Sequence[tuple[Float64Array, Float64Array]], bins: int
    ) -> list[Float64Array]:
        """Samples in *bins* bins of equal width between two ends a channel, (channels, bins)."""
        counts = self._plan.histograms(np.ascontiguousarray(x), list(ends), bins)
        return [np.array(value, np.float64).reshape(-1, bins) for value in counts]
