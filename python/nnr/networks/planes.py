"""What a post filter takes: planes of samples and the QP that they were encoded with."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from .._arguments import check_integer

MAX_QP = 63  # of VVC
_BYTE_BITS = 8
_MAX_BITS = 16


def check_qp(qp: SupportsIndex) -> int:
    """*qp* as an int of 0 to 63."""
    value = check_integer(qp, "qp")
    if not 0 <= value <= MAX_QP:
        raise ValueError(f"qp must be 0 to {MAX_QP}, got {value}")
    return value


def check_plane(plane: NDArray[Any], bit_depth: SupportsIndex | None) -> int:
    """The peak value of the plane's samples."""
    if not isinstance(plane, np.ndarray) or plane.dtype not in (np.uint8, np.uint16):
        got = plane.dtype if isinstance(plane, np.ndarray) else type(plane).__name__
        raise TypeError(f"plane must be an array of uint8 or uint16, got {got}")
    if plane.ndim != 2 or plane.size == 0:
        raise ValueError(f"plane must have shape (height, width), not empty, got {plane.shape}")
    if plane.dtype == np.uint8:
        bits = _BYTE_BITS if bit_depth is None else check_integer(bit_depth, "bit_depth")
        if bits != _BYTE_BITS:
            raise ValueError(f"bit_depth must be 8 for a plane of uint8, got {bits}")
        return (1 << _BYTE_BITS) - 1
    if bit_depth is None:
        raise ValueError("bit_depth must be given for a plane of uint16")
    bits = check_integer(bit_depth, "bit_depth")
    if not _BYTE_BITS < bits <= _MAX_BITS:
        raise ValueError(f"bit_depth must be 9 to 16 for a plane of uint16, got {bits}")
    peak = (1 << bits) - 1
    if (largest := int(plane.max())) > peak:
        raise ValueError(f"plane holds {largest}, more than {bits} bits a sample")
    return peak
