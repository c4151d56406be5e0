"""Quantisation parameters that have to be found by coding: for an error, or for a size."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ..differences import differences
from .encoder import Encoder
from .search import largest
from .steps import highest_qp, lowest_qp, qp_at_most

# What part of its step the error of a quantiser is.
_ERROR_PER_STEP = 12**-0.5
_ERROR_PER_DEPENDENT_STEP = 0.5
_BYTE_BITS = 8
_GUESSED_LEVELS = 256
# Further than from one end of all parameters to the other.
_FAR = 1e6


def encode_as_asked(encoder: Encoder) -> None:
    """Code everything, again and again where what is asked for can only be tried.

    Raises
    ------
    ValueError
        It is not within reach.
    """
    quantizer = encoder.options.quantizer
    others = [index for index, planned in enumerate(encoder.planned) if not planned.common]
    encoder.run(others, values=quantizer.kind == "rmse")
    _keep_maximum_errors(encoder)
    if quantizer.kind == "rmse":
        _search_rmse(encoder, quantizer.value)
    elif quantizer.kind == "target_size":
        _search_size(encoder, int(quantizer.value))


def errors(encoder: Encoder, index: int) -> tuple[float, float, float]:
    """Return the largest error of a tensor, their sum, and the sum of their squares."""
    planned = encoder.planned[index]
    exact = planned.raw and planned.original.dtype.itemsize <= planned.coded.dtype.itemsize
    if exact or not planned.is_float:
        return 0.0, 0.0, 0.0
    biggest = total = squares = 0.0
    for part in differences(np.asarray(planned.original), encoder.rebuilt(index)):
        if planned.raw:
            # Infinity less infinity is no error.
            part = np.nan_to_num(part, copy=False, nan=0.0)
        biggest = max(biggest, float(part.max()))
        total += float(part.sum())
        squares += float(np.dot(part, part))
    return biggest, total, squares


def _keep_maximum_errors(encoder: Encoder) -> None:
    """Rounding to float32, and to the type of the tensor, comes on top of half a step."""
    density = encoder.options.density
    wrong = _beyond_maximum(encoder, range(len(encoder.planned)))
    while wrong:
        for index, excess in wrong.items():
            planned = encoder.planned[index]
            planned.qp -= max(1, math.ceil(math.log2(excess) * (1 << density)))
            if not planned.raw and planned.qp < encoder.planner.finest(planned):
                planned.leave_raw()
            elif planned.raw:
                raise ValueError(
                    f"tensor {planned.name!r}: a max_error of {planned.max_error} is not "
                    f"within reach of {planned.original.dtype} and float32"
                )
        encoder.run(wrong)
        wrong = _beyond_maximum(encoder, wrong)


def _beyond_maximum(encoder: Encoder, indices: Iterable[int]) -> dict[int, float]:
    """The tensors that have a larger error than allowed, and how many times as large."""
    found = {}
    for index in indices:
        allowed = encoder.planned[index].max_error
        if allowed is None:
            continue
        error = errors(encoder, index)[0]
        if error > allowed:
            found[index] = error / allowed
    return found


def _search_rmse(encoder: Encoder, wanted: float) -> None:
    """Find the coarsest common QP of which the error of all float elements is small enough."""
    density, dq = encoder.options.density, encoder.options.dq is not False
    planned = encoder.planned
    count = sum(each.coded.size for each in planned if each.is_float)
    fixed = sum(errors(encoder, index)[2] for index, each in enumerate(planned) if not each.common)

    def measure(qp: int) -> float:
        encoder.set_common(qp, values=True)
        squares = fixed + sum(errors(encoder, index)[2] for index in encoder.common)
        rmse = math.sqrt(squares / count) if count else 0.0
        if rmse <= wanted:
            encoder.keep()
        return rmse

    def predict(qp: int, rmse: float) -> int:
        return _moved(qp, (math.log2(wanted / rmse) if rmse else math.inf) * (1 << density))

    guess = qp_at_most(wanted / (_ERROR_PER_DEPENDENT_STEP if dq else _ERROR_PER_STEP), density)
    if largest(measure, wanted, predict, guess, _bounds(encoder)) is None:
        raise ValueError(f"an rmse of {wanted} is not within reach")
    encoder.take_kept()


def _search_size(encoder: Encoder, wanted: int) -> None:
    """Find the finest common QP of which the whole file is small enough."""
    elements = sum(encoder.planned[index].coded.size for index in encoder.common)
    per_octave = 1 << encoder.options.density
    sizes: dict[int, int] = {}

    def measure(negative: int) -> float:
        encoder.set_common(-negative)
        sizes[negative] = len(encoder.data())
        if sizes[negative] <= wanted:
            encoder.keep()
        return sizes[negative]

    def predict(negative: int, size: float) -> int:
        below = [item for item in sizes.items() if item[1] <= wanted]
        above = [item for item in sizes.items() if item[1] > wanted]
        if below and above:
            (x0, y0), (x1, y1) = max(below), min(above)
            return x0 + int((x1 - x0) * (wanted - y0) / (y1 - y0))
        # One octave is a bit a weight, where weights take several.
        octaves = (wanted - size) * _BYTE_BITS / max(elements, 1)
        return _moved(negative, octaves * per_octave)

    first, last = _bounds(encoder)
    if largest(measure, wanted, predict, -_guess(encoder), (-last, -first)) is None:
        raise ValueError(
            f"target_size {wanted} is not within reach: it takes {min(sizes.values())} bytes at least"
        )
    encoder.take_kept()


def _guess(encoder: Encoder) -> int:
    limits = [encoder.planned[index].limits or (0.0, 0.0) for index in encoder.common]
    widest = max((hi - lo for lo, hi in limits), default=0.0)
    return qp_at_most(widest / _GUESSED_LEVELS or 1.0, encoder.options.density)


def _bounds(encoder: Encoder) -> tuple[int, int]:
    lowest = lowest_qp(encoder.options.density)
    # Without anything to search for, one attempt is enough.
    return lowest, highest_qp(encoder.options.density) if encoder.common else lowest


def _moved(start: int, distance: float) -> int:
    return start + int(min(max(distance, -_FAR), _FAR))
