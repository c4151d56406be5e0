"""What `nnr.quantize` returns: packed codes and what it takes to turn them back into values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ._arguments import (
    Codes,
    as_float_array,
    channel_layout,
    check_axis,
    check_bits,
    check_float_dtype,
    check_integer,
    check_packed,
)
from ._ranges import Float32Array, RangeLike, channel_array, check_representable, steps


@dataclass(frozen=True, eq=False, repr=False)
class QuantizedArray:
    """A tensor as packed codes of a uniform quantiser.

    Code *c* stands for the value ``lo + c * step`` with ``step = (hi - lo) / (2**bits - 1)``.

    Parameters
    ----------
    packed : uint8 array of one dimension
        The codes as one bit stream in C order; see `nnr.pack`.
    bits : int
        Bits a code, 1 to 16.
    shape : tuple of int
        Shape of the tensor.
    dtype : dtype
        What the tensor was before, and what `dequantize` gives by default.
    lo, hi : float, or float32 arrays of one value a channel
        The range; numbers where *axis* is None.
    axis : int, optional
        The channel axis; None where one range covers the whole tensor.
    clipped : int
        How many values lay outside a range given by the caller.

    Examples
    --------
    >>> q = nnr.quantize(np.float32([0, 0.5, 1]), bits=2)
    >>> q
    QuantizedArray(shape=(3,), dtype=float32, bits=2, range 0 to 1, 12 -> 9 bytes)
    >>> q.codes()
    array([0, 2, 3], dtype=uint8)
    >>> np.asarray(q)
    array([0.       , 0.6666667, 1.       ], dtype=float32)
    """

    packed: NDArray[np.uint8]
    bits: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    lo: float | Float32Array
    hi: float | Float32Array
    axis: int | None = None
    clipped: int = 0

    def __post_init__(self) -> None:
        dtype = np.dtype(self.dtype)
        check_float_dtype(dtype, "dtype")
        shape = _checked_shape(self.shape)
        axis = check_axis(self.axis, len(shape))
        bits = check_bits(self.bits)
        outer, channels, inner = channel_layout(shape, axis)
        lo, hi = (_channel_values(value, channels) for value in (self.lo, self.hi))
        if not (np.isfinite(lo).all() and np.isfinite(hi).all() and (lo <= hi).all()):
            raise ValueError("lo and hi must be finite, and lo not above hi")
        check_representable(lo, hi, bits, axis)
        for name, value in (
            ("packed", check_packed(self.packed, outer * channels * inner, bits)),
            ("bits", bits),
            ("shape", shape),
            ("dtype", dtype),
            ("axis", axis),
            ("lo", float(lo[0]) if axis is None else lo),
            ("hi", float(hi[0]) if axis is None else hi),
        ):
            object.__setattr__(self, name, value)

    @property
    def channel_lo(self) -> Float32Array:
        """The lower ends of the ranges, one a channel; a single one where *axis* is None."""
        return channel_array(self.lo)

    @property
    def channel_hi(self) -> Float32Array:
        """The upper ends of the ranges, one a channel; a single one where *axis* is None."""
        return channel_array(self.hi)

    @property
    def step(self) -> float | Float32Array:
        """The quantisation step: a number, or one a channel; 0 for a range of one value."""
        step = steps(self.channel_lo, self.channel_hi, self.bits)
        return float(step[0]) if self.axis is None else step

    @property
    def size(self) -> int:
        """How many elements the tensor has."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the packed codes and of the ranges (8 a channel)."""
        return self.packed.nbytes + self.channel_lo.nbytes + self.channel_hi.nbytes

    def codes(self) -> Codes:
        """The codes with the tensor's shape: uint8 up to 8 bits, uint16 above."""
        from .bitpack import unpack

        return unpack(self.packed, self.bits, self.size).reshape(self.shape)

    def dequantize(
        self,
        *,
        out: NDArray[Any] | None = None,
        dtype: DTypeLike | None = None,
        threads: SupportsIndex | None = None,
    ) -> NDArray[Any]:
        """The reconstructed tensor; see `nnr.dequantize`."""
        from .quantize import dequantize

        return dequantize(self, out=out, dtype=dtype, threads=threads)

    def max_error(self, original: object | None = None) -> float:
        """Largest difference between the tensor and its reconstruction.

        Parameters
        ----------
        original : array-like, optional
            The tensor before; its true largest difference from `dequantize` is measured. Without
            it the result is the bound, half the largest step, which holds up to float32 rounding
            and, for 16-bit types, the rounding of the result to *dtype*.

        Raises
        ------
        ValueError
            Values were clipped and *original* is not given: then there is no bound.
        """
        if original is None:
            if self.clipped:
                raise ValueError(f"{self.clipped} values were clipped; pass the original array")
            return float(np.max(self.step, initial=0.0)) / 2
        values = as_float_array(original, "original")
        if values.shape != self.shape:
            raise ValueError(f"original must have shape {self.shape}, got {values.shape}")
        difference = values.astype(np.float64) - self.dequantize().astype(np.float64)
        return float(np.max(np.abs(difference), initial=0.0))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a QuantizedArray becomes an array only by computing a new one")
        values = self.dequantize()
        return values if dtype is None else values.astype(dtype, copy=False)

    def __repr__(self) -> str:
        if self.axis is None:
            ranges = f"range {self.lo:g} to {self.hi:g}"
        else:
            ranges = f"{self.channel_lo.size} ranges on axis {self.axis}"
        clipped = f", {self.clipped} clipped" if self.clipped else ""
        return (
            f"QuantizedArray(shape={self.shape}, dtype={self.dtype}, bits={self.bits}, {ranges}, "
            f"{self.size * self.dtype.itemsize} -> {self.nbytes} bytes{clipped})"
        )


def _checked_shape(shape: Sequence[SupportsIndex]) -> tuple[int, ...]:
    checked = tuple(check_integer(side, "shape") for side in shape)
    if any(side < 0 for side in checked):
        raise ValueError(f"shape must not hold negative sides, got {checked}")
    return checked


def _channel_values(value: RangeLike, channels: int) -> Float32Array:
    values = np.array(value, np.float32).reshape(-1)  # a copy: nobody else changes it
    if values.size != channels:
        raise ValueError(f"lo and hi must hold {channels} values, one a channel, got {values.size}")
    return np.require(values, requirements=["C_CONTIGUOUS", "ALIGNED"])
