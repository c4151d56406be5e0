"""Counts such as a prior's, for the tests of the coder and of auto-encoders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SCALES, FRACTIONS = 64, 16
COUNT_SUM = 1 << 15


def logistic_counts(limit: int) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Counts of one logistic distribution at every scale, and how many bits each codes raw."""
    scales = 2.0 ** ((np.arange(SCALES) - 24) / 8)
    shifts = np.maximum(0, np.ceil(np.log2(8 * scales / limit))).astype(np.uint8)
    widths = (1 << shifts.astype(int))[:, None, None]
    offsets = (np.arange(FRACTIONS) - 8)[None, :, None] / 16
    edges = np.arange(-limit, limit + 2)[None, None] * widths - 0.5 - offsets
    below = 1 / (1 + np.exp(-edges / scales[:, None, None] * 1.7))
    probabilities = np.diff(below, axis=2)
    escape = np.maximum(0, 1 - probabilities.sum(axis=2, keepdims=True))
    weights = np.concatenate([probabilities, escape], axis=2)
    free = COUNT_SUM - weights.shape[2]
    counts = 1 + np.floor(weights * free).astype(int)
    largest = counts.argmax(axis=2)[..., None]
    lacking = COUNT_SUM - counts.sum(axis=2, keepdims=True)
    np.put_along_axis(counts, largest, np.take_along_axis(counts, largest, 2) + lacking, 2)
    return counts.astype(np.uint16), shifts
