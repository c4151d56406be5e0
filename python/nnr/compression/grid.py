"""Tensors whose values are multiples of a step of the standard, as training on a grid leaves them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..coding.nnc.steps import lowest_qp

DENSITY = 2
"""Four steps to the octave: 4, 5, 6 and 7 quarters of a power of two."""

# Steps of four quarters are powers of two; those of six have the odd factor 3, and no others.
_ODD_FACTORS = (7, 5, 3, 1)
# Any float is a multiple of some power of two; one of 65,536 values is no grid.
_LARGEST_LEVEL = 1 << 15
# The highest bit of a level is not above that of a whole value, of which float64 holds 53.
_FLOAT_DIGITS = 53


def grid_qp(tensor: NDArray[Any]) -> int | None:
    """Return the QP of the coarsest step, at a density of 2, of which all values are multiples.

    Parameters
    ----------
    tensor : ndarray of floats

    Returns
    -------
    int or None
        None for values that are no multiples of one step, or of one finer than the 32,768th part of
        the largest; and for zeros alone, which need no grid.

    Examples
    --------
    >>> import numpy as np
    >>> from nnr.coding.nnc.steps import qp_at_most
    >>> weights = np.float32([-3, 0, 1, 8]) * np.float32(1.25 / 64)
    >>> grid_qp(weights), qp_at_most(1.25 / 64, 2)
    (-23, -23)
    >>> grid_qp(np.float32([0.1, 0.2, 0.7]))
    """
    values = np.abs(np.unique(tensor.astype(np.float64)))
    values = values[values > 0]
    if not values.size or not np.isfinite(values).all():
        return None
    mantissas, exponents = np.frexp(values)
    whole = np.ldexp(mantissas, _FLOAT_DIGITS).astype(np.int64)
    zeros = np.array([(int(value) & -int(value)).bit_length() - 1 for value in whole])
    lowest = int((exponents - _FLOAT_DIGITS + zeros).min())
    if int(exponents.max()) - lowest > _LARGEST_LEVEL.bit_length() + max(_ODD_FACTORS).bit_length():
        return None
    multiples = np.ldexp(values, -lowest).astype(np.int64)
    common = int(np.gcd.reduce(multiples))
    factor = next(factor for factor in _ODD_FACTORS if common % factor == 0)
    qp = (lowest << DENSITY) + _qp_of(factor)
    is_coarse = int(multiples.max()) // factor <= _LARGEST_LEVEL
    return qp if is_coarse and qp >= lowest_qp(DENSITY) else None


def _qp_of(odd: int) -> int:
    """The QP whose step is this odd number of at most 7."""
    octave = odd.bit_length() - 1
    return (octave << DENSITY) + ((odd << DENSITY) >> octave) - (1 << DENSITY)
