"""How far a reconstructed tensor is from the original."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Elements that are looked at at a time, so that memory does not grow with the tensor.
_CHUNK = 1 << 20


def differences(original: NDArray[Any], rebuilt: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """Yield the absolute differences, part by part.

    Examples
    --------
    >>> [part.tolist() for part in differences(np.float32([1, 2]), np.float32([1, 1.5]))]
    [[0.0, 0.5]]
    """
    original, rebuilt = original.reshape(-1), rebuilt.reshape(-1)
    for start in range(0, original.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        # Of infinities, which are stored as they are.
        with np.errstate(invalid="ignore"):
            yield np.abs(original[part].astype(np.float64) - rebuilt[part].astype(np.float64))
