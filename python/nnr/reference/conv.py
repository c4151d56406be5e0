"""The NumPy twin of the convolution kernel."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Float = TypeVar("_Float", np.float32, np.float64)


def conv(
    x: NDArray[_Float],
    weights: NDArray[_Float],
    bias: NDArray[_Float] | None = None,
    slopes: NDArray[_Float] | None = None,
) -> NDArray[_Float]:
    """A convolution of stride 1 without padding, and the activation after it.

    In float32 it gives the bits of the ``scalar`` level; in float64, what those are compared with.

    Parameters
    ----------
    x : ndarray
        Shape (in channels, height, width).
    weights : ndarray
        Shape (out channels, in channels, kernel height, kernel width).
    bias : ndarray, optional
        One number an output channel, where a sum begins; then follow the products by kernel row,
        kernel column and input channel.
    slopes : ndarray, optional
        One number an output channel; see `activate`.

    Returns
    -------
    ndarray
        Shape (out channels, height - kernel height + 1, width - kernel width + 1).
    """
    outs, ins, kernel_height, kernel_width = weights.shape
    height, width = x.shape[1] - kernel_height + 1, x.shape[2] - kernel_width + 1
    sums = np.zeros((outs, height, width), x.dtype)
    if bias is not None:
        sums += bias[:, None, None]
    for ky in range(kernel_height):
        for kx in range(kernel_width):
            for c in range(ins):
                window = x[c, ky : ky + height, kx : kx + width]
                sums += window * weights[:, c, ky, kx, None, None]
    return sums if slopes is None else activate(sums, slopes)


def activate(x: NDArray[_Float], slopes: NDArray[_Float]) -> NDArray[_Float]:
    """``slope * x`` where ``x < 0``, else ``x``; one slope a channel.

    A slope of 0 gives 0 for minus infinity too; NaN stays NaN.
    """
    slope = slopes[:, None, None]
    return np.where(x < 0, np.where(slope == 0, 0, slope * x), x)
