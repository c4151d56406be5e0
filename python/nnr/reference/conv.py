"""The NumPy twins of the convolution kernels."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

_Float = TypeVar("_Float", np.float32, np.float64)


def conv(
    x: NDArray[_Float],
    weights: NDArray[_Float],
    bias: NDArray[_Float] | None = None,
    slopes: NDArray[_Float] | None = None,
    stride: tuple[int, int] = (1, 1),
) -> NDArray[_Float]:
    """A convolution without padding, and the activation after it.

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
    stride : tuple of int
        Rows and columns from one window to the next.

    Returns
    -------
    ndarray
        Shape (out channels, rows, columns), of all windows that fit.
    """
    outs, ins, *kernel = weights.shape
    windows = _Windows(x, kernel, stride)
    sums = windows.sums(outs, bias)
    for ky, kx in np.ndindex(*kernel):
        for c in range(ins):
            sums += windows.at(ky, kx)[c] * weights[:, c, ky, kx, None, None]
    return sums if slopes is None else activate(sums, slopes)


def depthwise_conv(
    x: NDArray[_Float],
    weights: NDArray[_Float],
    bias: NDArray[_Float] | None = None,
    slopes: NDArray[_Float] | None = None,
    stride: tuple[int, int] = (1, 1),
) -> NDArray[_Float]:
    """A convolution of every channel by itself; see `conv`.

    *weights* have the shape (channels, kernel height, kernel width). A sum begins with the bias;
    then follow the products by kernel row and kernel column.
    """
    channels, *kernel = weights.shape
    windows = _Windows(x, kernel, stride)
    sums = windows.sums(channels, bias)
    for ky, kx in np.ndindex(*kernel):
        sums += windows.at(ky, kx) * weights[:, ky, kx, None, None]
    return sums if slopes is None else activate(sums, slopes)


class _Windows(Generic[_Float]):
    """The windows of an image that a kernel sees."""

    def __init__(self, x: NDArray[_Float], kernel: list[int], stride: tuple[int, int]) -> None:
        sides = zip(x.shape[1:], kernel, stride, strict=True)
        self._x: NDArray[_Float] = x
        self._stride = stride
        self._rows, self._columns = ((length - side) // step + 1 for length, side, step in sides)

    def at(self, ky: int, kx: int) -> NDArray[_Float]:
        """What lies under one weight in each window; shape (channels, rows, columns)."""
        step_y, step_x = self._stride
        samples: NDArray[_Float] = self._x[:, ky::step_y, kx::step_x]
        return samples[:, : self._rows, : self._columns]

    def sums(self, outs: int, bias: NDArray[_Float] | None) -> NDArray[_Float]:
        """A new array for the sums, which begin with the bias."""
        sums = np.zeros((outs, self._rows, self._columns), self._x.dtype)
        return sums if bias is None else sums + bias[:, None, None]


def activate(x: NDArray[_Float], slopes: NDArray[_Float]) -> NDArray[_Float]:
    """``slope * x`` where ``x < 0``, else ``x``; one slope a channel.

    A slope of 0 gives 0 for minus infinity too; NaN stays NaN.
    """
    slope = slopes[:, None, None]
    return np.where(x < 0, np.where(slope == 0, 0, slope * x), x)
