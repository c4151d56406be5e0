"""The NumPy twin of 3x3 convolutions by blocks: Winograd's F(4x4, 3x3)."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..networks.layers import Pads

_Float = TypeVar("_Float", np.float32, np.float64)

# A block has so many samples a side, and sees so many.
_OUTPUTS = 4
_INPUTS = 6
_HALF_ROOT = np.sqrt(0.5)
_ROOT = np.sqrt(2.0)
# Values of a kernel at the points 0, -sqrt(1/2), sqrt(1/2), sqrt(2), -sqrt(2) and infinity, over
# what the transform of the input is too large by.
_POINTS = np.array(
    [
        [1.0, 0.0, 0.0],
        [-2.0 / 3, -2.0 / 3 * _HALF_ROOT, -1.0 / 3],
        [-2.0 / 3, 2.0 / 3 * _HALF_ROOT, -1.0 / 3],
        [1.0 / 6, _ROOT / 6, 1.0 / 3],
        [1.0 / 6, -_ROOT / 6, 1.0 / 3],
        [0.0, 0.0, 1.0],
    ]
)


def conv_blocks(
    x: NDArray[_Float],
    weights: NDArray[_Float],
    bias: NDArray[_Float] | None,
    pads: Pads,
    phase: tuple[int, int],
) -> NDArray[_Float]:
    """A convolution of 3x3 with stride 1, by blocks of 4x4 samples.

    In float32 it gives the bits of the ``scalar`` level. Blocks reach beyond the result where they
    have to; around *x* they see zeros.

    Parameters
    ----------
    x : ndarray
        Shape (in channels, height, width).
    weights : ndarray
        Shape (out channels, in channels, 3, 3). They are transformed in float64 and rounded once.
    bias : ndarray, optional
        One number an output channel, added at the very end.
    pads : tuple of int
        Zeros above, to the left, below and to the right.
    phase : tuple of int
        Row and column, modulo 4, at which blocks begin.

    Returns
    -------
    ndarray
        Shape (out channels, height + pads - 2, width + pads - 2).

    Examples
    --------
    >>> x, weights = np.ones((8, 5, 7)), np.ones((8, 8, 3, 3))
    >>> nnr.reference.winograd.conv_blocks(x, weights, None, (1, 1, 1, 1), (0, 0)).shape
    (8, 5, 7)
    """
    rows = x.shape[1] + pads[0] + pads[2] - 2
    columns = x.shape[2] + pads[1] + pads[3] - 2
    # Of the first block, at 0 or before.
    top, left = (-(-place % _OUTPUTS) for place in phase)
    down, across = ((rows - top + 3) // _OUTPUTS, (columns - left + 3) // _OUTPUTS)
    seen = _blocks_of(x, (pads[0] - top, pads[1] - left), (down, across))
    sums = _products(_transform_input(seen), transform_weights(weights))
    parts = _transform_output(sums)  # (row in block, column, channel, block row, block column)
    whole = parts.transpose(2, 3, 0, 4, 1).reshape(-1, down * _OUTPUTS, across * _OUTPUTS)
    result = whole[:, -top : rows - top, -left : columns - left]
    return result if bias is None else result + bias[:, None, None]


def transform_weights(weights: NDArray[_Float]) -> NDArray[_Float]:
    """What a block's transformed samples are multiplied with; shape (6, 6, out, in channels)."""
    taps = weights.astype(np.float64).transpose(2, 3, 0, 1)
    transformed = np.empty((_INPUTS, _INPUTS, *weights.shape[:2]))
    for i, row_point in enumerate(_POINTS):
        row = row_point[0] * taps[0] + row_point[1] * taps[1] + row_point[2] * taps[2]
        for j, point in enumerate(_POINTS):
            transformed[i, j] = point[0] * row[0] + point[1] * row[1] + point[2] * row[2]
    return transformed.astype(weights.dtype)


def _blocks_of(
    x: NDArray[_Float], before: tuple[int, int], blocks: tuple[int, int]
) -> NDArray[_Float]:
    """The 6x6 samples of each block; shape (6, 6, channels, block rows, block columns)."""
    down, across = blocks
    height, width = down * _OUTPUTS + 2, across * _OUTPUTS + 2
    around = np.zeros((x.shape[0], height, width), x.dtype)
    around[:, before[0] : before[0] + x.shape[1], before[1] : before[1] + x.shape[2]] = x
    seen = np.empty((_INPUTS, _INPUTS, x.shape[0], down, across), x.dtype)
    for y, column in np.ndindex(_INPUTS, _INPUTS):
        samples = around[:, y::_OUTPUTS, column::_OUTPUTS]
        seen[y, column] = samples[:, :down, :across]
    return seen


def _products(samples: NDArray[_Float], weights: NDArray[_Float]) -> NDArray[_Float]:
    """Sums over the input channels in order; shape (6, 6, out channels, blocks)."""
    outs, ins = weights.shape[2:]
    sums = np.zeros((_INPUTS, _INPUTS, outs, *samples.shape[3:]), samples.dtype)
    for c in range(ins):
        sums += samples[:, :, c, None] * weights[:, :, :, c, None, None]
    return sums


def _transform_input(d: NDArray[_Float]) -> NDArray[_Float]:
    """Columns of a block, then rows."""
    return _input_rows(_input_rows(d).swapaxes(0, 1)).swapaxes(0, 1)


def _transform_output(m: NDArray[_Float]) -> NDArray[_Float]:
    return _output_rows(_output_rows(m).swapaxes(0, 1)).swapaxes(0, 1)


def _input_rows(d: NDArray[_Float]) -> NDArray[_Float]:
    """Six rows become six."""
    real = d.dtype.type
    half_root, root = real(_HALF_ROOT), real(_ROOT)
    inner, inner_odd = d[4] - real(2) * d[2], d[3] - real(2) * d[1]
    outer, outer_odd = d[4] - real(0.5) * d[2], d[3] - real(0.5) * d[1]
    return np.stack(
        [
            (d[0] + d[4]) - real(2.5) * d[2],
            inner + half_root * inner_odd,
            inner - half_root * inner_odd,
            outer + root * outer_odd,
            outer - root * outer_odd,
            (d[1] + d[5]) - real(2.5) * d[3],
        ]
    )


def _output_rows(m: NDArray[_Float]) -> NDArray[_Float]:
    """Six rows become four."""
    real = m.dtype.type
    half_root, root = real(_HALF_ROOT), real(_ROOT)
    total, difference = m[1] + m[2], m[1] - m[2]
    outer_total, outer_difference = m[3] + m[4], m[3] - m[4]
    return np.stack(
        [
            (m[0] + total) + outer_total,
            half_root * difference + root * outer_difference,
            real(0.5) * total + real(2) * outer_total,
            (real(0.5) * half_root * difference + m[5]) + real(2) * root * outer_difference,
        ]
    )
