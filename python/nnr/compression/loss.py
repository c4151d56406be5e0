"""What a network in another form loses on decoded pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from ..evaluation.metrics import psnr
from ..evaluation.tables import difference
from ..networks import PostFilter
from ..video.frame import Frame, Plane
from .calibration import Picture

# Video coding's mean of the PSNR of Y, Cb and Cr.
_FRAME_WEIGHTS = (6 / 8, 1 / 8, 1 / 8)
_LUMA_WEIGHTS = (1.0, 0.0, 0.0)


@dataclass(frozen=True)
class Loss:
    """What a reconstructed network costs beside the original, in dB, as the mean over pictures.

    Parameters
    ----------
    psnr : float
        How much lower the PSNR against the source is; negative where it is higher.
    change : float
        How much lower it would be, if what the outputs of the two differ by had nothing to do with
        the error of the original's output: that adds mean squares. It is never negative and grows
        evenly with the errors of weights, where *psnr* may hide them by chance.
    """

    psnr: float
    change: float


@dataclass(frozen=True, eq=False)
class _Reference:
    """What the original network makes of a picture."""

    output: Frame
    psnr: tuple[float, ...]


class LossMeter:
    """Compares networks with an original one.

    Parameters
    ----------
    pictures : sequence of Picture
    original : PostFilter
    threads : int, optional
        Of the networks. No result depends on it.
    """

    def __init__(
        self, pictures: Sequence[Picture], original: PostFilter, threads: int | None = None
    ) -> None:
        self._pictures = pictures
        self._threads = threads
        outputs = [self._filtered(original, picture) for picture in pictures]
        self._weights = _LUMA_WEIGHTS
        if any(_chroma_differs(*pair) for pair in zip(pictures, outputs, strict=True)):
            self._weights = _FRAME_WEIGHTS
        self._references = [
            _Reference(output, self._psnrs(picture.source, output))
            for picture, output in zip(pictures, outputs, strict=True)
        ]

    @property
    def metric(self) -> str:
        """Which PSNR it is, in words."""
        luma = self._weights == _LUMA_WEIGHTS
        return "luma PSNR" if luma else "PSNR of Y, Cb and Cr, 6:1:1"

    @property
    def psnr(self) -> float:
        """The mean PSNR of the original's output, in dB."""
        return fmean(self._mean(reference.psnr) for reference in self._references)

    def measure(self, post_filter: PostFilter) -> Loss:
        """Run another form of the network, and return what it loses."""
        losses = [
            self._loss(picture, reference, self._filtered(post_filter, picture))
            for picture, reference in zip(self._pictures, self._references, strict=True)
        ]
        return Loss(fmean(loss.psnr for loss in losses), fmean(loss.change for loss in losses))

    def _loss(self, picture: Picture, reference: _Reference, output: Frame) -> Loss:
        psnrs = self._psnrs(picture.source, output)
        losses = [difference(*pair) for pair in zip(reference.psnr, psnrs, strict=True)]
        changes = [
            _loss_of_noise(value, _psnr(*planes, output.bit_depth, output.bit_depth))
            for value, *planes in zip(
                reference.psnr, reference.output.planes, output.planes, strict=False
            )
        ]
        return Loss(self._mean(losses), self._mean(changes))

    def _psnrs(self, source: Frame, output: Frame) -> tuple[float, ...]:
        planes = zip(source.planes, output.planes, self._weights, strict=True)
        depths = source.bit_depth, output.bit_depth
        return tuple(_psnr(before, after, *depths) for before, after, weight in planes if weight)

    def _mean(self, values: Sequence[float]) -> float:
        return sum(
            value * weight for value, weight in zip(values, self._weights, strict=False) if weight
        )

    def _filtered(self, post_filter: PostFilter, picture: Picture) -> Frame:
        return post_filter.apply_frame(picture.decoded, qp=picture.qp, threads=self._threads)


def _psnr(source: Plane, output: Plane, source_depth: int, depth: int) -> float:
    return psnr(source, output, source_bit_depth=source_depth, bit_depth=depth)


def _loss_of_noise(signal: float, noise: float) -> float:
    """By how much noise, of this PSNR alone, lowers a PSNR."""
    if math.isinf(noise):
        return 0.0
    return 10 * math.log10(1 + 10 ** ((signal - noise) / 10))


def _chroma_differs(picture: Picture, output: Frame) -> bool:
    return not all(
        np.array_equal(before, after)
        for before, after in zip(picture.decoded.planes[1:], output.planes[1:], strict=True)
    )
