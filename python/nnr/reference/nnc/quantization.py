"""Step sizes, quantisers, and what levels stand for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .layer import STATE_TRANSITIONS, Levels
from .ndu import Codebook

Float32Array = NDArray[np.float32]

_UNREACHABLE = float(np.finfo(np.float64).max) / 2
# The trellis looks at multiples of the step up to two above a weight.
_MAX_MULTIPLE = 2**31 - 4


def step_size(qp: int, qp_density: int) -> float:
    """The step size of a quantisation parameter, a float32.

    ``2**qp_density`` values of *qp* double it. Infinite where *qp* is far out of range.
    """
    steps = 1 << qp_density
    try:
        exact = math.ldexp(steps + (qp & (steps - 1)), (qp >> qp_density) - qp_density)
    except OverflowError:
        return math.inf
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float32(exact))


def uniform_quantize(weights: NDArray[np.float32], step: float) -> Levels:
    """Levels of the uniform quantiser: ``weights / step``, halves away from zero.

    Parameters
    ----------
    weights : ndarray of float32
    step : float
        The step size, a float32.
    """
    inverse = np.float32(1 / step)
    with np.errstate(over="ignore"):  # and found by the check
        scaled = np.asarray(weights, np.float32) * inverse
    magnitudes = np.floor(np.abs(scaled).astype(np.float64) + 0.5)
    _check_levels(magnitudes)
    levels: Levels = (np.sign(scaled) * magnitudes).astype(np.int32)
    return levels


def trellis_quantize(weights: NDArray[np.float32], step: float) -> Levels:
    """Levels of dependent quantisation, as coded: the path of least squared error.

    Parameters
    ----------
    weights : ndarray of float32
        Taken in C order, which has to be the order in which the levels are coded.
    step : float
        The step size, a float32; quantised values are multiples of it.

    Returns
    -------
    ndarray of int32
        Of the shape of *weights*. `nnr.reference.nnc.dq_index` says what each stands for.
    """
    weights = np.asarray(weights, np.float32)
    scaled = np.abs(weights.astype(np.float64)) * (1 / step)
    _check_levels(scaled)
    costs = [0.0] + [_UNREACHABLE] * 7
    survivors: list[list[tuple[int, int]]] = []
    for x in scaled.reshape(-1).tolist():
        costs, steps = _extend(costs, x)
        survivors.append(steps)
    state = costs.index(min(costs))
    magnitudes = np.zeros(weights.size, np.int32)
    for place in reversed(range(weights.size)):
        state, magnitudes[place] = survivors[place][state]
    signs = np.where(weights < 0, -1, 1)
    return (magnitudes.reshape(weights.shape) * signs).astype(np.int32)


def _extend(costs: list[float], x: float) -> tuple[list[float], list[tuple[int, int]]]:
    """One weight of the trellis: costs, and from where with which level, for each next state."""
    candidates = [(0.0, 0)] * 4
    first = max(1, math.floor(x) - 1)
    for index in range(first, first + 4):
        candidates[index % 4] = ((x - index) * (x - index), (index + 1) // 2)
    zero = (x * x, 0)
    best = [math.inf] * 8
    steps = [(0, 0)] * 8
    for state, cost in enumerate(costs):
        # Even states reach even multiples of the step, odd states the odd ones, and both zero.
        even, odd = (candidates[3], candidates[1]) if state & 1 else (candidates[0], candidates[2])
        to_even, to_odd = STATE_TRANSITIONS[state]
        for target, (distortion, level) in ((to_even, even), (to_even, zero), (to_odd, odd)):
            if cost + distortion < best[target]:
                best[target] = cost + distortion
                steps[target] = state, level
    return best, steps


def _check_levels(magnitudes: NDArray[np.float64]) -> None:
    if magnitudes.size and not magnitudes.max() < _MAX_MULTIPLE:
        raise ValueError("weights are not finite, or too large for this step size")


def dequantize(
    levels: Levels, step: float, codebook: Codebook | None = None
) -> NDArray[np.floating]:
    """The values of levels (after the doubling of dependent quantisation).

    float32; with a codebook float64, which is what the product of two integers and a step needs.

    Raises
    ------
    IndexError
        If a level lies outside the codebook.
    """
    if codebook is None:
        with np.errstate(over="ignore"):  # a damaged step size makes infinities
            return levels.astype(np.float32) * np.float32(step)
    places = levels.astype(np.int64) + codebook.zero_offset
    if places.size and (places.min() < 0 or places.max() >= len(codebook.entries)):
        raise IndexError("a level lies outside the codebook")
    return np.array(codebook.entries, np.float64)[places] * step
