"""PSNR and SSIM of one plane against another, with the definitions that video coding uses."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..video.frame import Plane

DEFINITIONS = (
    (
        "PSNR: 10 log10(peak^2 / mean squared error) with peak = 255 * 2^(bit depth - 8), "
        "that is 1020 at 10 bits (the peak VTM and VVenC use); "
        "a source of fewer bits is scaled up exactly by a power of two"
    ),
    (
        "SSIM: Gaussian window 11x11, sigma 1.5, K1 = 0.01, K2 = 0.03, L = the same peak, biased "
        "(co)variances, mean over the windows that lie wholly inside the picture"
    ),
)

_SSIM_SIGMA = 1.5
_SSIM_RADIUS = 5
SSIM_MIN_SIDE = 2 * _SSIM_RADIUS + 1
_SSIM_K1, _SSIM_K2 = 0.01, 0.03
# Rows of SSIM output computed at a time: what a strip needs stays in the processor's cache.
_SSIM_STRIP_ROWS = 32

# Pictures measured together: what they need stays in the processor's cache.
_PICTURES_AT_ONCE = 16

Float64Plane = NDArray[np.float64]
Float64Array = NDArray[np.float64]


def psnr(
    source: Plane, decoded: Plane, *, source_bit_depth: int = 8, bit_depth: int | None = None
) -> float:
    """Peak signal-to-noise ratio of a decoded plane, in dB; infinite for equal planes.

    Parameters
    ----------
    source, decoded : uint8 or uint16 array of one shape (height, width)
    source_bit_depth : int
        Bits a sample of *source*. If *decoded* has more, *source* is scaled up by a power of two.
    bit_depth : int, optional
        Bits a sample of *decoded*; by default those of *source*.

    Returns
    -------
    float
        ``10 * log10(peak**2 / mse)`` with ``peak = 255 << (bit_depth - 8)``.

    Examples
    --------
    >>> import numpy as np
    >>> from nnr.evaluation import psnr
    >>> source = np.zeros((4, 4), np.uint8)
    >>> round(psnr(source, source + np.uint8(1)), 2)
    48.13
    >>> round(psnr(source, np.full((4, 4), 4, np.uint16), bit_depth=10), 2)
    48.13
    """
    reference, test, peak = _matched(source, decoded, source_bit_depth, bit_depth)
    error = reference - test
    mean_squared = float(np.mean(error * error))
    return 10 * math.log10(peak * peak / mean_squared) if mean_squared else math.inf


def ssim(
    source: Plane, decoded: Plane, *, source_bit_depth: int = 8, bit_depth: int | None = None
) -> float:
    """Structural similarity of a decoded plane, 1 for equal planes.

    Wang et al. 2004 without down-sampling: Gaussian window of 11x11 and sigma 1.5, K1 0.01,
    K2 0.03, biased (co)variances, mean over the windows that lie wholly inside the picture.

    Parameters
    ----------
    source, decoded : uint8 or uint16 array of one shape (height, width)
        At least 11x11.
    source_bit_depth, bit_depth : int
        As for `psnr`; the dynamic range is ``255 << (bit_depth - 8)``.

    Examples
    --------
    >>> import numpy as np
    >>> from nnr.evaluation import ssim
    >>> source = np.arange(400, dtype=np.uint16).reshape(20, 20).astype(np.uint8)
    >>> ssim(source, source)
    1.0
    """
    reference, test, peak = _matched(source, decoded, source_bit_depth, bit_depth)
    rows = reference.shape[0] - 2 * _SSIM_RADIUS
    columns = reference.shape[1] - 2 * _SSIM_RADIUS
    if rows < 1 or columns < 1:
        raise ValueError(
            f"planes must be at least {SSIM_MIN_SIDE}x{SSIM_MIN_SIDE} for SSIM, got {source.shape}"
        )
    total = 0.0
    for top in range(0, rows, _SSIM_STRIP_ROWS):
        strip = slice(top, min(top + _SSIM_STRIP_ROWS, rows) + 2 * _SSIM_RADIUS)
        total += float(_ssim_map(reference[strip], test[strip], peak).sum())
    return float(total / (rows * columns))


def rgb_quality(
    sources: NDArray[np.uint8], decoded: NDArray[np.uint8]
) -> tuple[Float64Array, Float64Array]:
    """PSNR and SSIM of each of several RGB pictures of one size.

    Parameters
    ----------
    sources, decoded : uint8 array of shape (pictures, height, width, 3)
        At least 11x11.

    Returns
    -------
    psnr, ssim : float64 array of shape (pictures,)
        `psnr` over all samples of a picture; of a picture without any error that of one sample off
        by 1. `ssim` of the three colours, averaged.

    Examples
    --------
    >>> import numpy as np
    >>> from nnr.evaluation import rgb_quality
    >>> source = np.zeros((2, 16, 16, 3), np.uint8)
    >>> [values.round(2).tolist() for values in rgb_quality(source, source + np.uint8(1))]
    [[48.13, 48.13], [0.87, 0.87]]
    """
    if sources.shape != decoded.shape or sources.ndim != 4 or sources.shape[3] != 3:
        raise ValueError(
            "sources and decoded must be of one shape (pictures, height, width, 3), "
            f"got {sources.shape} and {decoded.shape}"
        )
    if min(sources.shape[1:3]) < SSIM_MIN_SIDE:
        raise ValueError(
            f"pictures must be at least {SSIM_MIN_SIDE}x{SSIM_MIN_SIDE} for SSIM, "
            f"got {sources.shape[1:3]}"
        )
    peak = 255
    psnrs, ssims = np.empty(len(sources)), np.empty(len(sources))
    for start in range(0, len(sources), _PICTURES_AT_ONCE):
        part = slice(start, start + _PICTURES_AT_ONCE)
        # Pictures and colours last, where filtering rows and columns goes over all of them.
        reference, test = (
            np.ascontiguousarray(pictures[part].transpose(1, 2, 0, 3), np.float64)
            for pictures in (sources, decoded)
        )
        errors = ((reference - test) ** 2).sum(axis=(0, 1, 3)).clip(1)
        psnrs[part] = 10 * np.log10(peak * peak * sources[0].size / errors)
        ssims[part] = _ssim_map(reference, test, peak).mean(axis=(0, 1, 3))
    return psnrs, ssims


def _matched(
    source: Plane, decoded: Plane, source_bit_depth: int, bit_depth: int | None
) -> tuple[Float64Plane, Float64Plane, int]:
    """Both planes in units of *decoded*, and the peak there."""
    bit_depth = source_bit_depth if bit_depth is None else bit_depth
    if source.shape != decoded.shape or source.ndim != 2 or not source.size:
        raise ValueError(
            "source and decoded must be non-empty planes of one shape, "
            f"got {source.shape} and {decoded.shape}"
        )
    if not 8 <= source_bit_depth <= bit_depth <= 16:
        raise ValueError(
            "bit depths must be 8 to 16 and the decoded plane's no less than the source's, "
            f"got {bit_depth} and {source_bit_depth}"
        )
    reference = source.astype(np.float64)
    reference *= 1 << (bit_depth - source_bit_depth)
    return reference, decoded.astype(np.float64), 255 << (bit_depth - 8)


def _ssim_map(reference: Float64Plane, test: Float64Plane, peak: int) -> Float64Plane:
    c1, c2 = (_SSIM_K1 * peak) ** 2, (_SSIM_K2 * peak) ** 2
    mean_r, mean_t = _windowed(reference), _windowed(test)
    # Only the sum of the two variances is needed, so one filtering serves both.
    squares = _windowed(reference * reference + test * test)
    product = _windowed(reference * test)
    mean_product, mean_squares = mean_r * mean_t, mean_r * mean_r + mean_t * mean_t
    numerator = (2 * mean_product + c1) * (2 * (product - mean_product) + c2)
    denominator = (mean_squares + c1) * (squares - mean_squares + c2)
    return np.divide(numerator, denominator)


def _windowed(plane: Float64Plane) -> Float64Plane:
    """Gaussian-weighted means over the windows wholly inside the plane."""
    vertical = _filtered_rows(plane)
    return _filtered_rows(vertical.swapaxes(0, 1)).swapaxes(0, 1)


def _filtered_rows(plane: Float64Plane) -> Float64Plane:
    offsets = np.arange(-_SSIM_RADIUS, _SSIM_RADIUS + 1)
    window = np.exp(-0.5 * (offsets / _SSIM_SIGMA) ** 2)
    window /= window.sum()
    count = plane.shape[0] - 2 * _SSIM_RADIUS
    result: Float64Plane = plane[_SSIM_RADIUS : _SSIM_RADIUS + count] * window[_SSIM_RADIUS]
    for distance in range(1, _SSIM_RADIUS + 1):
        low, high = _SSIM_RADIUS - distance, _SSIM_RADIUS + distance
        result += (plane[low : low + count] + plane[high : high + count]) * window[low]
    return result
