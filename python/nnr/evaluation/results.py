"""What an evaluation measured, picture by picture, and how it is averaged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal

from ..video.frame import FrameFormat
from ..video.sequence import FrameSequence
from ..video.vvc import LoopFilters, VvcStream

Metric = Literal["psnr", "ssim"]

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
    """Luma PSNR in dB and SSIM of each picture, in order."""

    psnr: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)

    def add(self, following: Quality) -> None:
        """Append the pictures that follow."""
        self.psnr += following.psnr
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


@dataclass(frozen=True)
class RowResult:
    """The sequences of one table row at one QP, or the mean of several such rows."""

    qps: tuple[int, ...]
    label: str
    frame_count: int
    stream_bytes: dict[LoopFilters, int]
    psnr: dict[str, float]
    ssim: dict[str, float]

    def values(self, metric: Metric) -> dict[str, float]:
        """Return the means by column."""
        return self.psnr if metric == "psnr" else self.ssim


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
        overall.append(_overall(rows_of_qp, sum(row.frame_count for row in rows_of_qp)))
        rows += [*rows_of_qp, overall[-1]]
    # At every QP the pictures are the same ones.
    return rows if len(overall) == 1 else [*rows, _overall(overall, overall[0].frame_count)]


def _row(label: str, results: list[SequenceResult]) -> RowResult:
    first = results[0]
    return RowResult(
        (first.qp,),
        label,
        sum(result.frame_count for result in results),
        {key: sum(result.anchors[key].stream_bytes for result in results) for key in first.anchors},
        {
            key: fmean(fmean(result.quality[key].psnr) for result in results)
            for key in first.quality
        },
        {
            key: fmean(fmean(result.quality[key].ssim) for result in results)
            for key in first.quality
        },
    )


def _overall(rows: list[RowResult], frame_count: int) -> RowResult:
    first = rows[0]
    return RowResult(
        tuple(sorted({qp for row in rows for qp in row.qps})),
        OVERALL,
        frame_count,
        {key: sum(row.stream_bytes[key] for row in rows) for key in first.stream_bytes},
        {key: fmean(row.psnr[key] for row in rows) for key in first.psnr},
        {key: fmean(row.ssim[key] for row in rows) for key in first.ssim},
    )


def _size(sequence: FrameSequence) -> str:
    return f"{sequence.format.width}x{sequence.format.height}"
