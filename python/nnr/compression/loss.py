"""What a network in another form loses on decoded pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from ..evaluation.metrics import psnr
from ..evaluation.tables import difference
from ..networks import PostFilter
from ..video.frame import Frame
from .calibration import Picture

# Video coding's mean of the PSNR of Y, Cb and Cr.
_FRAME_WEIGHTS = (6 / 8, 1 / 8, 1 / 8)
_LUMA_WEIGHTS = (1.0,)

# How many times as large as the loss of PSNR the change of the output may be.
_MOST_HIDDEN = 2.0


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

    @property
    def counted(self) -> float:
        """What must not be above the loss that is allowed.

        It is *psnr* unless that hides more than half of *change*, as it does for a network that
        does these pictures no good: chance would not be so kind to others.
        """
        return max(self.psnr, self.change / _MOST_HIDDEN)


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
        self._weights = _FRAME_WEIGHTS if original.filters_chroma else _LUMA_WEIGHTS
        self._references = [
            _Reference(output, self._psnrs(picture.source, output))
            for picture, output in zip(pictures, outputs, strict=True)
        ]

    @property
    def metric(self) -> str:
        """Which PSNR it is, in words."""
        return "luma PSNR" if len(self._weights) == 1 else "PSNR of Y, Cb and Cr, 6:1:1"

    @property
    def picture_count(self) -> int:
        """How many pictures there are, all QPs together."""
        return len(self._pictures)

    @property
    def qps(self) -> list[int]:
        """The QPs of the pictures."""
        return list(dict.fromkeys(picture.qp for picture in self._pictures))

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
        noises = self._psnrs(reference.output, output)
        changes = map(_loss_of_noise, reference.psnr, noises)
        return Loss(self._mean(losses), self._mean(list(changes)))

    def _psnrs(self, source: Frame, output: Frame) -> tuple[float, ...]:
        """The PSNR of each plane that the network filters."""
        return tuple(
            psnr(before, after, source_bit_depth=source.bit_depth, bit_depth=output.bit_depth)
            for before, after, _ in zip(source.planes, output.planes, self._weights, strict=False)
        )

    def _mean(self, values: Sequence[float]) -> float:
        """Of the planes of one picture."""
        return sum(value * weight for value, weight in zip(values, self._weights, strict=True))

    def _filtered(self, post_filter: PostFilter, picture: Picture) -> Frame:
        return post_filter.apply_frame(picture.decoded, qp=picture.qp, threads=self._threads)


def _loss_of_noise(signal: float, noise: float) -> float:
    """By how much noise, of this PSNR alone, lowers a PSNR."""
    if math.isinf(noise):
        return 0.0
    return 10 * math.log10(1 + 10 ** ((signal - noise) / 10))
