"""What an evaluation measured, picture by picture, and how it is averaged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal, cast, get_args

from ..video.frame import FrameFormat
from ..video.sequence import FrameSequence
from ..video.vvc import LoopFilters, VvcStream

Metric = Literal["psnr", "psnr_u", "psnr_v", "psnr_yuv", "ssim"]
"""PSNR of luma, of each chroma plane and of all three; SSIM of luma."""

METRICS: tuple[Metric, ...] = get_args(Metric)
# What the three planes count in the mean of their PSNRs.
_LUMA_WEIGHT, _CHROMA_WEIGHT = 6, 1

COLOUR_DEFINITION = (
    "6:1:1: (6 PSNR-Y + PSNR-U + PSNR-V) / 8 of each picture. A picture without colour (each chroma "
    "plane of the source is one value) has no PSNR-U, PSNR-V and 6:1:1, and is left out of their means"
)
AVERAGING = (
    "averaging: values per picture, then the mean over a sequence's pictures, then over the "
    "sequences of a row; overall is the mean over the rows of a QP, and the last row the mean over "
    "the QPs. Bytes are summed"
)
ANCHORS: tuple[LoopFilters, ...] = ("none", "deblock+sao", "all")
OVERALL = "overall"
CLASS_ROWS_DEFINITION = (
    "rows: B, C and D are the JVET classes whose picture size it is; "
    "nothing here knows whether the sequences are JVET's"
)

_CLASS_ROWS = {
    size: f"{size} ({letter} size)"
    for size, letter in {"1920x1080": "B", "832x480": "C", "416x240": "D"}.items()
}


@dataclass
class Quality:
    """PSNR in dB of luma and chroma, and SSIM of luma, of each picture in order.

    NaN stands for the chroma of a picture that has no colour.
    """

    psnr: list[float] = field(default_factory=list)
    psnr_u: list[float] = field(default_factory=list)
    psnr_v: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)

    @property
    def psnr_yuv(self) -> list[float]:
        """The mean of the three PSNRs of each picture, luma counted six times."""
        return [
            (_LUMA_WEIGHT * y + _CHROMA_WEIGHT * (u + v)) / (_LUMA_WEIGHT + 2 * _CHROMA_WEIGHT)
            for y, u, v in zip(self.psnr, self.psnr_u, self.psnr_v, strict=True)
        ]

    def values(self, metric: Metric) -> list[float]:
        """Return the values of one metric."""
        return cast(list[float], getattr(self, metric))

    def add(self, following: Quality) -> None:
        """Append the pictures that follow."""
        self.psnr += following.psnr
        self.psnr_u += following.psnr_u
        self.psnr_v += following.psnr_v
        self.ssim += following.ssim


@dataclass
class Anchor:
    """A sequence as VVC codes it with some of its in-loop filters.

    Parameters
    ----------
    stream_bytes : int
        Bytes of the whole stream, parameter sets included.
    commands : list of str
        How it was encoded, one command a chunk of pictures.
    """

    stream_bytes: int = 0
    commands: list[str] = field(default_factory=list)

    def add(self, stream: VvcStream) -> None:
        """Append the stream of the pictures that follow."""
        self.stream_bytes += len(stream.data)
        self.commands.append(stream.command)


@dataclass(frozen=True)
class SequenceResult:
    """One sequence at one QP.

    Parameters
    ----------
    row : str
        The table row it counts in.
    anchors : dict
        By `LoopFilters`.
    quality : dict
        By column: each of the anchors, and the label of each network.
    """

    name: str
    row: str
    source_format: FrameFormat
    frame_count: int
    qp: int
    anchors: dict[LoopFilters, Anchor]
    quality: dict[str, Quality]

    @property
    def pixel_count(self) -> int:
        """Luma samples of all its pictures."""
        return self.frame_count * self.source_format.width * self.source_format.height


@dataclass(frozen=True)
class RowResult:
    """The sequences of one table row at one QP, or the mean of several such rows.

    Parameters
    ----------
    pixel_count : int
        Luma samples of all pictures at one QP.
    stream_bytes : dict
        By `LoopFilters`, summed.
    means : dict
        By metric, then by column.
    """

    qps: tuple[int, ...]
    label: str
    frame_count: int
    pixel_count: int
    stream_bytes: dict[LoopFilters, int]
    means: dict[Metric, dict[str, float]]

    def values(self, metric: Metric) -> dict[str, float]:
        """Return the means by column."""
        return self.means[metric]

    def bits_a_pixel(self, column: str) -> float:
        """Return the bits of a column's streams over the luma samples, in a row of one QP.

        A network has the stream with no filter.
        """
        anchor: LoopFilters = next((key for key in ANCHORS if key == column), "none")
        return 8 * self.stream_bytes[anchor] / self.pixel_count


def row_by_size(sequence: FrameSequence) -> str:
    """Label the row of a sequence by its picture size and the JVET class that has it."""
    size = _size(sequence)
    return _CLASS_ROWS.get(size, size)


def row_definitions(labels: Iterable[str]) -> list[str]:
    """Return what is to be said of these rows."""
    return [CLASS_ROWS_DEFINITION] if set(labels) & set(_CLASS_ROWS.values()) else []


def row_by_name(sequence: FrameSequence) -> str:
    """Label the row of a sequence by its own name."""
    return f"{sequence.name} {_size(sequence)}"


def averaged(results: Sequence[SequenceResult]) -> list[RowResult]:
    """Average into the rows of every QP, each QP's followed by its overall row.

    Rows keep the order of the sequences, classes B, C and D first. The mean over several QPs is
    the last row.
    """
    classes = list(_CLASS_ROWS.values())
    rows: list[RowResult] = []
    overall: list[RowResult] = []
    for qp in dict.fromkeys(result.qp for result in results):
        of_qp = [result for result in results if result.qp == qp]
        labels = list(dict.fromkeys(result.row for result in of_qp))
        ordered = [label for label in classes if label in labels]
        ordered += [label for label in labels if label not in classes]
        rows_of_qp = [
            _row(label, [result for result in of_qp if result.row == label]) for label in ordered
        ]
        counts = (
            sum(row.frame_count for row in rows_of_qp),
            sum(row.pixel_count for row in rows_of_qp),
        )
        overall.append(_overall(rows_of_qp, *counts))
        rows += [*rows_of_qp, overall[-1]]
    # At every QP the pictures are the same ones.
    if len(overall) == 1:
        return rows
    return [*rows, _overall(overall, overall[0].frame_count, overall[0].pixel_count)]


def mean(values: Iterable[float]) -> float:
    """Average what is there; NaN where nothing is.

    Examples
    --------
    >>> mean([1.0, float("nan"), 3.0])
    2.0
    """
    there = [value for value in values if not math.isnan(value)]
    return fmean(there) if there else math.nan


def _row(label: str, results: list[SequenceResult]) -> RowResult:
    first = results[0]
    return RowResult(
        (first.qp,),
        label,
        sum(result.frame_count for result in results),
        sum(result.pixel_count for result in results),
        {key: sum(result.anchors[key].stream_bytes for result in results) for key in first.anchors},
        {
            metric: {
                key: mean(mean(result.quality[key].values(metric)) for result in results)
                for key in first.quality
            }
            for metric in METRICS
        },
    )


def _overall(rows: list[RowResult], frame_count: int, pixel_count: int) -> RowResult:
    first = rows[0]
    return RowResult(
        tuple(sorted({qp for row in rows for qp in row.qps})),
        OVERALL,
        frame_count,
        pixel_count,
        {key: sum(row.stream_bytes[key] for row in rows) for key in first.stream_bytes},
        {
            metric: {key: mean(row.values(metric)[key] for row in rows) for key in columns}
            for metric, columns in first.means.items()
        },
    )


def _size(sequence: FrameSequence) -> str:
    return f"{sequence.format.width}x{sequence.format.height}"
