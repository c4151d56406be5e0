"""Quantisation steps on the standard's grid.

A density d gives 2**d steps to the octave, evenly between powers of two. The quantisation parameter
(QP) counts them, from 0 for a step of 1. It is coded in 6 + d bits, so that for every density the
steps go from 2**-32 to almost 2**32.
"""

from __future__ import annotations

import math

MAX_DENSITY = 7
_OCTAVES = 32
# A float32 has so many binary digits.
_FLOAT32_DIGITS = 24


def lowest_qp(density: int) -> int:
    """Return the QP of the finest step."""
    return -_OCTAVES << density


def highest_qp(density: int) -> int:
    """Return the QP of the coarsest step."""
    return (_OCTAVES << density) - 1


def qp_at_most(step: float, density: int) -> int:
    """Return the QP of the coarsest step that is not coarser than *step*, in range or not.

    Examples
    --------
    >>> [qp_at_most(step, 2) for step in (1, 1.24, 1.25, 2**-8)]
    [0, 0, 1, -32]
    """
    mantissa, exponent = math.frexp(step)
    per_octave = 1 << density
    return (exponent - 1) * per_octave + int((2 * mantissa - 1) * per_octave)


def qp_of_precision(largest: float, density: int) -> int:
    """Return the QP whose step is the distance of float32 values just below *largest*.

    No finer one gains anything.
    """
    if largest == 0:
        return lowest_qp(density)
    _, exponent = math.frexp(largest)
    return (exponent - _FLOAT32_DIGITS) << density


def clamped(qp: int, density: int) -> int:
    """Return the nearest QP that can be coded."""
    return min(max(qp, lowest_qp(density)), highest_qp(density))
