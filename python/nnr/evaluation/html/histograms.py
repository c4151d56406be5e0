"""Histograms of a network's weights before and after compression."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...models import Model
from .charts import number
from .markup import figure

# 255 steps of eight-bit codes divide into 51 bins of five, so that no bin is favoured.
_BINS = 51
_WIDTH, _HEIGHT, _BASE = 300, 130, 108


def weight_histograms(before: Model, after: Model) -> list[str]:
    """Draw a figure for each tensor of real numbers, in the order of the file."""
    return [
        figure(
            f"{name} {'x'.join(map(str, tensor.shape))}",
            _histogram(name, tensor, after.tensors[name]),
            kind="histogram",
        )
        for name, tensor in before.tensors.items()
        if np.issubdtype(tensor.dtype, np.floating) and tensor.size > 1
    ]


def _histogram(name: str, before: NDArray[Any], after: NDArray[Any]) -> str:
    low, high = float(before.min()), float(before.max())
    if low == high:
        low, high = low - 1, high + 1
    counts = [
        np.histogram(np.clip(values, low, high), _BINS, (low, high))[0]
        for values in (before, after)
    ]
    tallest = max(int(count.max()) for count in counts)
    error = float(np.abs(np.subtract(after, before, dtype=np.float64)).max())
    description = (
        f"{name}: {before.size} values from {number(low)} to {number(high)}, "
        f"none moved by more than {number(error)}"
    )
    ticks = "".join(
        f'<text class="tick" x="{place}" y="{_BASE + 16}" text-anchor="{anchor}">{number(value)}</text>'
        for place, anchor, value in ((0, "start", low), (_WIDTH, "end", high))
    )
    zero = ""
    if low < 0 < high:
        zero = f'<path class="grid" d="M{-low / (high - low) * _WIDTH:.1f},0V{_BASE}"/>'
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(description)}">{zero}'
        f'<path class="curve before" d="{_steps(counts[0], tallest)}z"/>'
        f'<path class="curve after" d="{_steps(counts[1], tallest)}"/>'
        f'<path class="frame" d="M0,{_BASE}H{_WIDTH}"/>{ticks}'
        f'<text class="tick" x="{_WIDTH / 2}" y="{_BASE + 16}">max error {number(error)}</text></svg>'
    )


def _steps(counts: NDArray[np.intp], tallest: int) -> str:
    width = _WIDTH / _BINS
    heights = _BASE - counts / tallest * (_BASE - 6)
    return (
        f"M0,{_BASE}"
        + "".join(
            f"V{height:.1f}H{(index + 1) * width:.1f}" for index, height in enumerate(heights)
        )
        + f"V{_BASE}"
    )
