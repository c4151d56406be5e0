"""The range of a tensor or of each of its channels."""

from __future__ import annotations

from typing import SupportsIndex

from . import _core
from ._arguments import (
    as_float_array,
    check_axis,
    check_threads,
    raise_not_finite,
)
from ._ranges import Float32Array


def minmax(
    array: object, *, axis: SupportsIndex | None = None, threads: SupportsIndex | None = None
) -> tuple[float, float] | tuple[Float32Array, Float32Array]:
    """Smallest and largest value, in one pass.

    Parameters
    ----------
    array : array-like of float16, bfloat16, float32 or float64
        Any shape and strides, at least one element; float64 is read as float32.
    axis : int, optional
        The channel axis: one range for each index along it. None is one range for the tensor.
    threads : int, optional
        None chooses; the result does not depend on it.

    Returns
    -------
    lo, hi : float, or float32 arrays of one value a channel where *axis* is given
        Zeros come out as +0.

    Raises
    ------
    TypeError
        The array is not of floats.
    ValueError
        It is empty, *axis* or *threads* is outside its range, or a value is NaN or infinite; the
        message names the first such index.

    Examples
    --------
    >>> nnr.minmax(np.float32([[1, -2], [3, 0.5]]))
    (-2.0, 3.0)
    >>> nnr.minmax(np.float32([[1, -2], [3, 0.5]]), axis=0)[1]
    array([1., 3.], dtype=float32)
    """
    values = as_float_array(array)
    channel_axis = check_axis(axis, values.ndim)
    workers = check_threads(threads)
    if values.size == 0:
        raise ValueError(f"array of shape {values.shape} is empty and has no range")
    lo, hi, not_finite = _core.minmax(values, channel_axis, workers)
    if not_finite is not None:
        raise_not_finite(values, not_finite, "array")
    return lo, hi  # type: ignore[return-value] # both are numbers or both arrays
