"""What compression did to one tensor, for people and programs that decide by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...quantized_array import QuantizedArray
from ..differences import differences


@dataclass(frozen=True)
class TensorRecord:
    """One tensor before and after.

    Parameters
    ----------
    name : str
    shape : tuple of int
    dtype : str
        NumPy's name of the original type.
    bits : int or None
        Bits a weight; None for a tensor that is stored as it is.
    axis : int or None
        The axis along which every index has a range of its own.
    original_bytes, stored_bytes : int
        Before and after, the latter with the ranges, 8 bytes each.
    lo, hi : float or None
        The range of the quantiser; the widest bounds where there are several.
    max_error, mean_error : float or None
        Of the absolute difference between original and reconstructed values; 0 for a tensor stored
        as it is, None where the original is not at hand.
    kept : str or None
        Why the tensor is stored as it is.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    bits: int | None
    axis: int | None
    original_bytes: int
    stored_bytes: int
    lo: float | None
    hi: float | None
    max_error: float | None
    mean_error: float | None
    kept: str | None

    @property
    def ratio(self) -> float:
        """Original bytes by stored bytes; 1 for an empty tensor."""
        return self.original_bytes / self.stored_bytes if self.stored_bytes else 1.0


def record_of_kept(name: str, array: NDArray[Any], reason: str) -> TensorRecord:
    """Return the record of a tensor that is stored as it is."""
    return TensorRecord(
        name=name,
        shape=array.shape,
        dtype=array.dtype.name,
        bits=None,
        axis=None,
        original_bytes=array.nbytes,
        stored_bytes=array.nbytes,
        lo=None,
        hi=None,
        max_error=0.0,
        mean_error=0.0,
        kept=reason,
    )


def record_of_quantized(
    name: str, quantized: QuantizedArray, original: NDArray[Any] | None = None
) -> TensorRecord:
    """Return the record of a quantised tensor, with its errors if the original is given."""
    max_error, mean_error = None, None
    if original is not None:
        max_error, mean_error = _errors(original, quantized.dequantize())
    return TensorRecord(
        name=name,
        shape=quantized.shape,
        dtype=quantized.dtype.name,
        bits=quantized.bits,
        axis=quantized.axis,
        original_bytes=quantized.size * quantized.dtype.itemsize,
        stored_bytes=quantized.nbytes,
        lo=float(np.min(quantized.lo)),
        hi=float(np.max(quantized.hi)),
        max_error=max_error,
        mean_error=mean_error,
        kept=None,
    )


def _errors(original: NDArray[Any], rebuilt: NDArray[Any]) -> tuple[float, float]:
    if original.size == 0:
        return 0.0, 0.0
    largest, total = 0.0, 0.0
    for difference in differences(original, rebuilt):
        largest = max(largest, float(difference.max()))
        total += float(difference.sum())
    return largest, total / original.size
