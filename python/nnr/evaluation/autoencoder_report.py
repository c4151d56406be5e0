"""What an evaluation of the auto-encoder found: tables for people, JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import version
from .._json import plain_json
from .bd import DEFINITION as BD_DEFINITION
from .bd import bd_psnr, bd_rate, value_at
from .tables import Table, decimal

_TABLE_RATES = (0.5, 1.0, 2.0, 3.0, 4.3, 6.0)
_ABSENT = "-"


@dataclass(frozen=True)
class RatePoint:
    """Means over pictures: bits a pixel, PSNR in dB, SSIM."""

    bpp: float
    psnr: float
    ssim: float


@dataclass(frozen=True)
class CodedRow:
    """One row of the table: a codec at a setting, with means over pictures."""

    name: str
    setting: float
    bpp: float
    psnr: float
    ssim: float


@dataclass(frozen=True, eq=False)
class Example:
    """One picture, and what became of it.

    Parameters
    ----------
    index : int
        Its number among the pictures.
    source, jpeg, decoded : ndarray of uint8
        RGB, shape (height, width, 3): the picture, JPEG 4:4:4 with whole files at the rate of the
        table, and the reconstructed auto-encoder's.
    jpeg_psnr, decoded_psnr : float
        In dB.
    jpeg_bytes, decoded_bytes : int
        Of the files.
    """

    index: int
    source: NDArray[np.uint8] = field(repr=False)
    jpeg: NDArray[np.uint8] = field(repr=False)
    decoded: NDArray[np.uint8] = field(repr=False)
    jpeg_psnr: float
    decoded_psnr: float
    jpeg_bytes: int
    decoded_bytes: int


@dataclass(frozen=True)
class AutoEncoderReport:
    """The outcome of an `AutoEncoderTask`.

    Parameters
    ----------
    origin : str
        Where the pictures come from.
    picture_count : int
    bpp : float
        The rate of the table.
    rows : sequence of CodedRow
        JPEG's, then the original and the reconstructed auto-encoder's.
    curves : mapping of str to list of RatePoint
        By codec, the auto-encoder's first, each by rising rate.
    curve_picture_count : int
    examples : sequence of Example
    file_sizes : mapping of str to int
        Bytes of the auto-encoder's files.
    versions : mapping of str to str
        Of the codecs.
    """

    origin: str
    picture_count: int
    bpp: float
    rows: Sequence[CodedRow]
    curves: Mapping[str, list[RatePoint]]
    curve_picture_count: int
    examples: Sequence[Example]
    file_sizes: Mapping[str, int]
    versions: Mapping[str, str]

    def tables(self) -> list[Table]:
        """Return Table 4 of one rate, 5 of the curves, and 6 of the deltas between them."""
        return [self._rate_table(), self._curve_table(), self._delta_table()]

    def definitions(self) -> list[str]:
        """Return what every number means and how it came about."""
        sizes = ", ".join(f"{name} {size:,}" for name, size in self.file_sizes.items())
        versions = "; ".join(f"{name}: {text}" for name, text in self.versions.items())
        return [
            self.origin,
            (
                "bpp: mean bits a pixel; of whole files, or of JPEG's entropy-coded data alone, "
                "without any header. One setting of each codec for all pictures"
            ),
            (
                "PSNR: 10 log10(255^2 / mean squared error) over the RGB samples of a picture, mean "
                "over pictures; a picture without error counts as one with one sample off by 1"
            ),
            (
                "SSIM: of each of R, G and B, Gaussian window 11x11, sigma 1.5, K1 = 0.01, "
                "K2 = 0.03, L = 255, biased (co)variances, mean over the windows that lie wholly "
                "inside the picture, over colours and pictures"
            ),
            (
                "CNN-AE: .nna files, decoded by the float32 original of the decoder's network; "
                "reconstructed: by the integer network of 8-bit weights, bit-exact on every machine. "
                "The prior that decodes the latents is of integers in both, and the encoder chooses "
                "them looking at what the integer network gives"
            ),
            f"bytes of the networks: {sizes}",
            (
                "JPEG: the standard's quantisation tables times a factor, Huffman tables optimised "
                "for each picture; WebP: method 6; AVIF: 4:4:4, speed 6; JPEG XL: effort 7"
            ),
            (
                f"curves: of {self.curve_picture_count} of the pictures, evenly spread; PSNR between "
                "measured points by monotone cubics over log rate"
            ),
            BD_DEFINITION,
            f"versions: {versions}",
        ]

    def markdown(self) -> str:
        """Return tables and definitions, ready to be printed or pasted."""
        definitions = "\n".join(f"- {line}" for line in self.definitions())
        tables = "\n\n".join(table.markdown() for table in self.tables())
        return f"{tables}\n\nDefinitions\n\n{definitions}"

    def json_object(self) -> dict[str, Any]:
        """Return everything but the pictures as plain JSON values; what is not known is null."""
        report = {
            "nnr": version,
            "origin": self.origin,
            "pictures": self.picture_count,
            "bpp": self.bpp,
            "definitions": self.definitions(),
            "rows": [asdict(row) for row in self.rows],
            "curves": {
                name: [asdict(point) for point in points] for name, points in self.curves.items()
            },
            "deltas": self.deltas(),
            "file_sizes": dict(self.file_sizes),
            "versions": dict(self.versions),
            "examples": [
                {
                    "index": example.index,
                    "jpeg_psnr": example.jpeg_psnr,
                    "decoded_psnr": example.decoded_psnr,
                    "jpeg_bytes": example.jpeg_bytes,
                    "decoded_bytes": example.decoded_bytes,
                }
                for example in self.examples
            ],
            "tables": [asdict(table) for table in self.tables()],
        }
        plain: dict[str, Any] = plain_json(report)
        return plain

    def deltas(self) -> dict[str, dict[str, float]]:
        """Return BD-rate in per cent and BD-PSNR in dB of the auto-encoder against each codec."""
        own, *others = self.curves.items()
        return {
            name: {
                "bd_rate": _delta(bd_rate, anchor, own[1]),
                "bd_psnr": _delta(bd_psnr, anchor, own[1]),
            }
            for name, anchor in others
        }

    def _rate_table(self) -> Table:
        return Table(
            f"Table 4. {self.picture_count:,} pictures of 32x32 at {self.bpp:g} bits a pixel",
            ["codec", "bpp", "PSNR", "SSIM"],
            [
                [row.name, decimal(row.bpp, 3), decimal(row.psnr, 3), decimal(row.ssim, 4)]
                for row in self.rows
            ],
        )

    def _curve_table(self) -> Table:
        return Table(
            "Table 5. PSNR in dB by bits a pixel",
            ["codec", *(f"{rate:g}" for rate in _TABLE_RATES)],
            [
                [name, *(_cell(_psnr_at(points, rate), 2) for rate in _TABLE_RATES)]
                for name, points in self.curves.items()
            ],
        )

    def _delta_table(self) -> Table:
        own = next(iter(self.curves))
        return Table(
            f"Table 6. {own} against the others, 0.5 to 6 bits a pixel",
            ["codec", "BD-rate %", "BD-PSNR dB"],
            [
                [name, _cell(delta["bd_rate"], 1), _cell(delta["bd_psnr"], 2)]
                for name, delta in self.deltas().items()
            ],
        )


def _delta(function: Any, anchor: list[RatePoint], test: list[RatePoint]) -> float:
    if min(len(anchor), len(test)) < 2:
        return math.nan
    columns = [[point.bpp for point in anchor], [point.psnr for point in anchor]]
    columns += [[point.bpp for point in test], [point.psnr for point in test]]
    return float(function(*columns))


def _psnr_at(points: list[RatePoint], rate: float) -> float:
    if len(points) < 2:
        return math.nan
    return value_at([point.bpp for point in points], [point.psnr for point in points], rate)


def _cell(value: float, places: int) -> str:
    return decimal(value, places) if math.isfinite(value) else _ABSENT
