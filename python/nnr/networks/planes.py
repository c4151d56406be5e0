"""What a post filter takes: planes of samples and the QP that they were encoded with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from .._arguments import check_integer

MAX_QP = 63  # of VVC
# What a network of frames sees at the resolution of chroma: four phases of luma, Cb and Cr.
FRAME_CHANNELS = 6
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


def network_input(planes: Sequence[NDArray[Any]], qp: int, peak: int) -> NDArray[np.float32]:
    """What a network sees of a plane, or of the three of a frame, and the QP: (channels, H, W).

    Chroma has half the size of luma, rounded up, and luma of odd sizes is continued.
    """
    scaled = [plane.astype(np.float32) / np.float32(peak) for plane in planes]
    if len(scaled) > 1:
        luma = np.pad(scaled[0], [(0, side % 2) for side in scaled[0].shape], mode="edge")
        scaled[:1] = [luma[row::2, column::2] for row in (0, 1) for column in (0, 1)]
    return np.stack([*scaled, np.full_like(scaled[-1], np.float32(qp / MAX_QP))])
