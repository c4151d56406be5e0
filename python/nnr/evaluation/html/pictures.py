"""Pictures of a page: frames and their differences as data that stands in the page itself."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...video.frame import Frame
from ...video.images import pillow_image, rgb_from_frame

# Larger pictures are cut to their middle, so that a page stays a few megabytes.
MAX_WIDTH, MAX_HEIGHT = 560, 420
_DIFFERENCE_QUALITY = 80
_GREY = 128


def cropped(frame: Frame) -> Frame:
    """Return the middle of a frame, at most 560x420 samples."""
    rows, columns = frame.y.shape
    height, width = min(rows, MAX_HEIGHT), min(columns, MAX_WIDTH)
    # Even, so that luma and chroma are cut at the same place.
    top, left = (rows - height) // 4 * 2, (columns - width) // 4 * 2
    luma = np.s_[top : top + height, left : left + width]
    chroma = np.s_[
        top // 2 : top // 2 + (height + 1) // 2, left // 2 : left // 2 + (width + 1) // 2
    ]
    return Frame(frame.y[luma], frame.u[chroma], frame.v[chroma], frame.bit_depth)


def frame_uri(frame: Frame) -> str:
    """Return a frame as an RGB picture without loss (WebP)."""
    return picture_uri(rgb_from_frame(frame), lossless=True)


def difference_uri(frame: Frame, reference: Frame, gain: int) -> str:
    """Return the luma of a frame minus that of another, amplified, around a middle grey."""
    scaled = [plane.y / (1 << (plane.bit_depth - 8)) for plane in (frame, reference)]
    amplified = np.rint(_GREY + gain * (scaled[0] - scaled[1]))
    return picture_uri(amplified.clip(0, 255).astype(np.uint8), lossless=False)


def picture_uri(picture: NDArray[np.uint8], *, lossless: bool) -> str:
    """Return an RGB or grey picture as a data URI.

    Examples
    --------
    >>> picture_uri(np.zeros((8, 8, 3), np.uint8), lossless=True)[:22]
    'data:image/webp;base64'
    """
    options: dict[str, Any] = {"lossless": True, "quality": 60, "method": 5}
    if not lossless:
        options = {"quality": _DIFFERENCE_QUALITY}
    data = io.BytesIO()
    pillow_image().fromarray(picture).save(data, format="WEBP", **options)
    return f"data:image/webp;base64,{base64.b64encode(data.getvalue()).decode()}"
