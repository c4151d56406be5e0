"""Tensors whose values are multiples of a step of the standard, as training on a grid leaves them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..coding.nnc.steps import lowest_qp, qp_at_most

# Any float is a multiple of some power of two; one of 65,536 values is no grid.
_LARGEST_LEVEL = 1 << 15
# The highest bit of a level is not above that of a whole value, of which float64 holds 53.
_FLOAT_DIGITS = 53


def grid_qp(tensor: NDArray[Any], density: int) -> int | None:
    """Return the QP of the coarsest step of which all values are multiples.

    Parameters
    ----------
    tensor : ndarray of floats
    density : int
        Of the QP.

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
    >>> grid_qp(weights, 2), qp_at_most(1.25 / 64, 2)
    (-23, -23)
    >>> grid_qp(np.float32([0.1, 0.2, 0.7]), 2)
    """
    values = np.abs(np.unique(tensor.astype(np.float64)))
    values = values[values > 0]
    if not values.size or not np.isfinite(values).all():
        return None
    mantissas, exponents = np.frexp(values)
    whole = np.ldexp(mantissas, _FLOAT_DIGITS).astype(np.int64)
    zeros = np.array([(int(value) & -int(value)).bit_length() - 1 for value in whole])
    lowest = int((exponents - _FLOAT_DIGITS + zeros).min())
    if int(exponents.max()) - lowest > _LARGEST_LEVEL.bit_length() + density + 1:
        return None
    multiples = np.ldexp(values, -lowest).astype(np.int64)
    common = int(np.gcd.reduce(multiples))
    # A step is a power of two times a whole number below 2^(density + 1), and the power is known.
    factor = next(odd for odd in range((2 << density) - 1, 0, -2) if common % odd == 0)
    qp = (lowest << density) + qp_at_most(factor, density)
    is_coarse = int(multiples.max()) // factor <= _LARGEST_LEVEL
    return qp if is_coarse and qp >= lowest_qp(density) else None
