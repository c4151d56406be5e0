"""OpenCV: pixel functions that happen to be a quantiser."""

from __future__ import annotations

from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..cases import LO, STEP, ZERO_POINT, Case, reused
from ..contestants import Contestant, Factory

NAME = "opencv"
cv2.setNumThreads(1)


def version() -> str:
    return cv2.__version__


def _row(array: NDArray[Any]) -> NDArray[Any]:
    """One line of pixels: OpenCV would make a column of an array of one dimension."""
    return array.reshape(1, -1)


def _range(case: Case) -> list[Contestant]:
    if case.work.dtype != "float32":
        return []
    run = partial(cv2.minMaxLoc, _row(case.values))
    check = case.equal(lambda result: result[:2])  # the places follow
    return [Contestant(NAME, "minMaxLoc", run, check)]


def _quantize(case: Case) -> list[Contestant]:
    if case.work.dtype != "float32":
        return []
    # |x / step + zero point| is the same quantiser for values from lo on.
    out = _row(reused(case.count, np.uint8))
    run = partial(
        cv2.convertScaleAbs, _row(case.values), dst=out, alpha=1 / STEP, beta=float(ZERO_POINT)
    )
    note = "a value below the range would come back mirrored; there is none"
    return [Contestant(NAME, "convertScaleAbs(dst)", run, case.equal(), "reused", note)]


def _quantize_whole(case: Case) -> list[Contestant]:
    # Searches the range in one pass and converts in a second, with one multiply-add in float32.
    # Where that rounds otherwise than subtracting first, a code may be the one beside.
    out = _row(reused(case.count, np.uint8))
    run = partial(
        cv2.normalize,
        _row(case.values),
        out,
        alpha=0,
        beta=255,
        norm_type=cv2.NORM_MINMAX,
        dtype=cv2.CV_8U,
    )

    def check(codes: NDArray[np.uint8]) -> None:
        difference = np.abs(codes.reshape(-1).astype(np.int16) - case.expected)
        assert difference.max() <= 1

    note = "multiplies before it subtracts the minimum: within one code"
    return [Contestant(NAME, "normalize(dst)", run, check, "reused", note)]


def _dequantize(case: Case) -> list[Contestant]:
    if case.work.dtype != "float32":
        return []
    table = (np.arange(256) * STEP + LO).astype(np.float32)
    out = _row(reused(case.count, np.float32))
    run = partial(cv2.LUT, _row(case.codes), table, out)
    return [Contestant(NAME, "LUT(dst)", run, case.equal(), "reused")]


WORKS: dict[str, Factory] = {
    "range": _range,
    "quantize": _quantize,
    "quantize-whole": _quantize_whole,
    "dequantize": _dequantize,
}
