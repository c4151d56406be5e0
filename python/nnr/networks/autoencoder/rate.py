"""Finding the quality of a picture by the size that its file may have."""

from __future__ import annotations

from typing import NamedTuple

from .autoencoder import AutoEncoder, RgbArray
from .file import MAX_QUALITY


class RatedFile(NamedTuple):
    """A file, and the quality that gave it."""

    data: bytes
    quality: int


def encode_within(autoencoder: AutoEncoder, picture: RgbArray, bpp: float) -> RatedFile:
    """Code a picture with the best quality whose file is small enough.

    Parameters
    ----------
    autoencoder : AutoEncoder
    picture : ndarray of uint8
        RGB, shape (height, width, 3).
    bpp : float
        The most bits a pixel, of the whole file.

    Raises
    ------
    ValueError
        No quality gives so small a file.
    """
    transformed = autoencoder.transform(picture[None])
    most = bpp * picture[..., 0].size / 8

    def coded(quality: int) -> RatedFile:
        return RatedFile(autoencoder.code(transformed, quality=quality)[0][0], quality)

    best = coded(0)
    if len(best.data) > most:
        least = 8 * len(best.data) / picture[..., 0].size
        raise ValueError(f"no quality takes {bpp:g} bits a pixel or less; 0 takes {least:.2f}")
    # Sizes rise with the quality, but for a byte here and there.
    high = MAX_QUALITY + 1
    while high - best.quality > 1:
        tried = coded((best.quality + high) // 2)
        if len(tried.data) <= most:
            best = tried
        else:
            high = tried.quality
    return best
