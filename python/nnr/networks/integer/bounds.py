"""The bounds that keep every sum of an integer network within 32 bits, whatever the picture.

The compiler chooses weights by them, and `validate` checks them again. All are exact, in int64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .layers import WINOGRAD_A, WINOGRAD_B, IntegerValue

Int64Array = NDArray[np.int64]

LIMIT = 1 << 31
LARGEST_SHIFT = 24
ADDEND_BITS = 8


def largest_sums(weights: NDArray[Any], bias: NDArray[Any], value: IntegerValue) -> Int64Array:
    """``|bias| + sum |w| * largest |q|`` of each output channel of a convolution."""
    largest = max(abs(limit) for limit in value.limits)
    sums = np.abs(weights.astype(np.int64)).reshape(weights.shape[0], -1).sum(axis=1)
    return np.asarray(np.abs(bias.astype(np.int64)) + sums * largest)


def largest_addends(multipliers: NDArray[Any], value: IntegerValue) -> Int64Array:
    """``|b - z| * |k| + 2^7`` of each channel of an addend."""
    rounding = 1 << (ADDEND_BITS - 1)
    return np.asarray(value.distances * np.abs(multipliers.astype(np.int64)) + rounding)


def largest_transformed(value: IntegerValue) -> Int64Array:
    """The largest ``|V|``: shape (6, 6, channels)."""
    products = np.einsum("iy,jx->ijyx", WINOGRAD_B, WINOGRAD_B)
    positive = np.maximum(products, 0).sum(axis=(2, 3))[:, :, None]
    negative = np.maximum(-products, 0).sum(axis=(2, 3))[:, :, None]
    lo, hi = value.limits
    below = value.zeros.astype(np.int64) - lo
    above = hi - value.zeros.astype(np.int64)
    forth, back = positive * above + negative * below, positive * below + negative * above
    return np.asarray(np.maximum(forth, back))


def largest_products(
    weights: NDArray[Any], shifts: NDArray[Any], value: IntegerValue
) -> Int64Array:
    """``sum |U| * |V|max + 2^(k-1)``: shape (6, 6, out channels)."""
    sums = np.einsum("ijoc,ijc->ijo", np.abs(weights.astype(np.int64)), largest_transformed(value))
    rounding = np.left_shift(1, shifts.astype(np.int64) - 1)
    return np.asarray(sums + rounding[:, :, None])


def largest_outputs(products: Int64Array, shifts: NDArray[Any], bias: NDArray[Any]) -> Int64Array:
    """``|bias| + sum |A| |M|max |A'|`` of each output channel, the largest of the 16."""
    sums = np.right_shift(products, shifts.astype(np.int64)[:, :, None])
    gains = np.abs(WINOGRAD_A)
    outputs = np.einsum("yi,ijo,xj->oyx", gains, sums, gains)
    return np.asarray(np.abs(bias.astype(np.int64)) + outputs.max(axis=(1, 2)))
