"""The tables of frequencies, and the length of a code by them; integers from here on.

A residual from the mean (whose fraction is one of 16) has a scale out of 64, a table of counts for
each pair, and as many low bits coded raw as the table of its scale says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from .graphs import MEAN_PRECISION
from .latents import LARGEST_STEP_INDEX, STAGES, STEPS_PER_OCTAVE
from .likelihood import SCALE_COUNT, SCALE_OFFSET, SCALE_PRECISION, LogisticMixture

# Symbols are -T to T, then the escape.
LARGEST_SYMBOL = 48
TOTAL = 1 << 15
# From this scale on, in what is left after the shift, low bits are as good as even.
EVEN_SCALE = 6.0
STEP_PRECISION = 16


@dataclass(frozen=True)
class Tables:
    steps: NDArray[np.int32]
    stages: NDArray[np.int32]
    frequencies: NDArray[np.uint16]
    shifts: NDArray[np.uint8]

    def bits(
        self, latents: NDArray[np.int64], means: NDArray[np.int64], scales: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Of each latent, by the counts; all arrays of one shape, means and scales as coded."""
        base = (means + MEAN_PRECISION // 2) >> 4
        fractions = means - MEAN_PRECISION * base + MEAN_PRECISION // 2
        indices = np.clip(scales + SCALE_OFFSET, 0, SCALE_COUNT - 1)
        shifts = self.shifts[indices].astype(np.int64)
        high = (latents - base) >> shifts
        escapes = np.abs(high) > LARGEST_SYMBOL
        symbols = np.where(escapes, 2 * LARGEST_SYMBOL + 1, high + LARGEST_SYMBOL)
        counts = self.frequencies[indices, fractions, symbols].astype(np.float64)
        beyond = np.maximum(np.abs(high) - LARGEST_SYMBOL, 1)
        # A sign, and an Exp-Golomb code of how far beyond.
        escape_bits = np.where(escapes, 2 * np.floor(np.log2(beyond)) + 2, 0.0)
        return np.log2(TOTAL) - np.log2(counts) + shifts + escape_bits


def make_tables(mixture: LogisticMixture) -> Tables:
    exponents = (np.arange(SCALE_COUNT) - SCALE_OFFSET) / SCALE_PRECISION
    widths, shares = mixture.spread()
    shifts = np.maximum(0, np.floor(exponents - np.log2(EVEN_SCALE))).astype(np.uint8)
    offsets = (np.arange(MEAN_PRECISION) - MEAN_PRECISION // 2) / MEAN_PRECISION
    # Symbol s stands for the residuals from s << shift on, up to before the next symbol's.
    edges = (
        np.arange(-LARGEST_SYMBOL, LARGEST_SYMBOL + 2)[None, None]
        * (1 << shifts.astype(int))[:, None, None]
    )
    places = (edges - 0.5 - offsets[:, None]) / np.exp2(exponents)[:, None, None]
    cumulative = (torch.sigmoid(torch.from_numpy(places[..., None] / widths)).numpy() * shares).sum(
        -1
    )
    inside = np.diff(cumulative, axis=-1)
    outside = 1 - inside.sum(-1, keepdims=True)
    frequencies = _counts(np.concatenate([inside, outside], -1))
    indices = np.arange(LARGEST_STEP_INDEX + 1)
    steps = np.rint(STEP_PRECISION * np.exp2(indices / STEPS_PER_OCTAVE))
    return Tables(steps.astype(np.int32), np.array(STAGES, np.int32), frequencies, shifts)


def _counts(probabilities: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Counts of at least 1 with the sum wanted, what rounding leaves being the largest's."""
    spare = TOTAL - probabilities.shape[-1]
    counts = 1 + np.rint(probabilities * spare).astype(np.int64)
    largest = counts.argmax(-1)[..., None]
    rest = TOTAL - counts.sum(-1, keepdims=True)
    np.put_along_axis(counts, largest, np.take_along_axis(counts, largest, -1) + rest, -1)
    return counts.astype(np.uint16)
