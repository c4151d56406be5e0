"""Rounds the weights of a convolution.

Weights come *folded*: times the scales of the input channels, so that they multiply integers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import bounds
from .layers import (
    UINT8,
    WINOGRAD_A,
    WINOGRAD_B,
    WINOGRAD_G,
    Float64Array,
    Int16Array,
    Int32Array,
    IntegerValue,
)

_SMALLEST_UNIT = 2.0**-100
# How much a unit grows where a bound is not kept yet.
_GROWTH = 1.01


@dataclass(frozen=True, eq=False)
class Folded:
    """A convolution between integers, in real numbers.

    Parameters
    ----------
    weights : ndarray of float64
        (out channel, in channel, kernel row, column); depthwise ones have one in channel.
    bias : ndarray of float64
    zeros, means : ndarray of float64
        The zeros of the input, and the means of ``q - zero``: (1, in channels), or for a depthwise
        convolution (out channels, 1).
    source : IntegerValue
        The input.
    """

    weights: Float64Array = field(repr=False)
    bias: Float64Array = field(repr=False)
    zeros: Float64Array = field(repr=False)
    means: Float64Array = field(repr=False)
    source: IntegerValue


@dataclass(frozen=True, eq=False)
class RoundedWeights:
    """Integers whose sums, times *units* an output channel, are those of a convolution."""

    weights: Int16Array
    bias: Int32Array
    units: Float64Array
    shifts: NDArray[np.uint8] | None = None


def round_direct(folded: Folded) -> RoundedWeights:
    """Weights of 8 bits for an input of uint8, of up to 16 bits for one of int16.

    What rounding the weights adds to a sum on average is taken off the bias.
    """
    weights = folded.weights
    limit = 127 if folded.source.dtype == UINT8 else 32767
    largest = max(abs(number) for number in folded.source.limits)
    sums = np.abs(weights).sum(axis=(1, 2, 3))
    units = np.abs(weights).max(axis=(1, 2, 3)) / limit
    units = np.maximum(units, (sums * largest + np.abs(folded.bias)) / bounds.LIMIT)
    units = np.maximum(units, _SMALLEST_UNIT)
    while True:
        rounded = np.rint(weights / units[:, None, None, None])
        errors = (rounded * units[:, None, None, None] - weights).sum(axis=(2, 3))
        bias = (folded.bias - (errors * folded.means).sum(axis=1)) / units
        bias = np.rint(bias) - (rounded.sum(axis=(2, 3)) * folded.zeros).sum(axis=1)
        over = np.abs(bias) + np.abs(rounded).sum(axis=(1, 2, 3)) * largest >= bounds.LIMIT
        if not over.any():
            return RoundedWeights(rounded.astype(np.int16), bias.astype(np.int32), units)
        units = np.where(over, units * _GROWTH, units)


def round_winograd(folded: Folded, smallest_units: Float64Array) -> RoundedWeights:
    """Transformed weights of up to 16 bits, as precise as the bounds on the sums allow.

    *smallest_units* keep the multipliers that follow precise.
    """
    transformed = np.einsum("iy,ocyx,jx->ijoc", WINOGRAD_G, folded.weights, WINOGRAD_G)
    largest = bounds.largest_transformed(folded.source).astype(np.float64)
    products = np.einsum("ijoc,ijc->ijo", np.abs(transformed), largest)
    gains = np.abs(WINOGRAD_A).astype(np.float64)
    outputs = np.einsum("yi,ijo,xj->oyx", gains, products, gains).max(axis=(1, 2))
    units = np.maximum(smallest_units, (outputs + np.abs(folded.bias)) / bounds.LIMIT)
    while True:
        shifts = _largest_shifts(transformed / units[:, None], largest)
        scaled = transformed / units[:, None] * 2.0 ** shifts[:, :, None, None]
        over = np.abs(scaled).max(axis=(0, 1, 3)) > 32767
        if not over.any():
            rounded = np.rint(scaled).astype(np.int16)
            bias = _winograd_bias(folded, rounded, shifts, units)
            sums = bounds.largest_products(rounded, shifts, folded.source)
            over = sums.max(axis=(0, 1)) >= bounds.LIMIT
            over |= bounds.largest_outputs(sums, shifts, bias) >= bounds.LIMIT
        if not over.any():
            return RoundedWeights(rounded, bias.astype(np.int32), units, shifts.astype(np.uint8))
        units = np.where(over, units * _GROWTH, units)


def _largest_shifts(weights: Float64Array, largest: Float64Array) -> NDArray[np.int64]:
    """The largest shift at each of 36 positions for which 16 and 32 bits are enough."""
    shifts = np.ones(weights.shape[:2], np.int64)
    for shift in range(2, bounds.LARGEST_SHIFT + 1):
        rounded = np.abs(np.rint(weights * 2.0**shift))
        sums = np.einsum("ijoc,ijc->ijo", rounded, largest) + 2.0 ** (shift - 1)
        fits = (rounded.max(axis=(2, 3)) <= 32767) & (sums.max(axis=2) < bounds.LIMIT)
        shifts[fits] = shift
    return shifts


def _winograd_bias(
    folded: Folded, rounded: Int16Array, shifts: NDArray[np.int64], units: Float64Array
) -> Float64Array:
    """The bias, less what rounding the weights adds on average."""
    scaled = rounded / 2.0 ** shifts[:, :, None, None] * units[:, None]
    flat = np.outer(WINOGRAD_B.sum(axis=1), WINOGRAD_B.sum(axis=1)).astype(np.float64)
    sums = np.einsum("ijoc,ij,c->ijo", scaled, flat, folded.means[0])
    outputs = np.einsum("yi,ijo,xj->oyx", WINOGRAD_A, sums, WINOGRAD_A).mean(axis=(1, 2))
    wanted = (folded.weights.sum(axis=(2, 3)) * folded.means).sum(axis=1)
    return np.asarray(np.rint((folded.bias - (outputs - wanted)) / units))
