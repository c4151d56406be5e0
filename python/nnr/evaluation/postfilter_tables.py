"""The tables of the post filter's evaluation."""

from __future__ import annotations

from collections.abc import Sequence

from ..video.vvc import LoopFilters
from .bd_rates import BD_METRICS, BdRates
from .candidates import Candidate
from .results import ANCHORS, OVERALL, Metric, RowResult
from .tables import Table, decimal, difference

ANCHOR_HEADS: dict[LoopFilters, str] = {
    "none": "no filter",
    "deblock+sao": "deblock+SAO",
    "all": "all VVC filters",
}
NETWORK_HEADS = ("original CNN", "reconstructed CNN")
METRIC_HEADS: dict[Metric, str] = {
    "psnr": "Y",
    "psnr_u": "U",
    "psnr_v": "V",
    "psnr_yuv": "6:1:1",
    "ssim": "SSIM",
}
_PSNR_PLACES, _SSIM_PLACES = 3, 5
_PSNR_LOSS_PLACES, _SSIM_LOSS_PLACES = 4, 6


def size_table(network: str, candidates: Sequence[Candidate]) -> Table:
    """Table 1: the bytes of each form of the network."""
    original = candidates[0].sizes
    return Table(
        f"Table 1. Bytes of the network {network}",
        ["file", "bytes", "weights", "structure", "structure share", "ratio"],
        [
            [
                candidate.label,
                f"{candidate.sizes.total:,}",
                f"{candidate.sizes.payload:,}",
                f"{candidate.sizes.structure:,}",
                f"{candidate.sizes.structure / candidate.sizes.total:.2%}",
                f"{original.total / candidate.sizes.total:.3f}",
            ]
            for candidate in candidates
        ],
    )


def quality_table(
    title: str, metric: Metric, rows: Sequence[RowResult], networks: Sequence[str]
) -> Table:
    """Tables 2 and 3: one metric, row by row.

    Parameters
    ----------
    networks : sequence of str
        Labels of the original and of the reconstructed network.
    """
    return Table(
        title,
        ["QP", "sequences", "pictures", *ANCHOR_HEADS.values(), *NETWORK_HEADS, "loss"],
        [[*_row_heads(row), *_quality_cells(row, metric, networks)] for row in rows],
    )


def chroma_table(rows: Sequence[RowResult], networks: Sequence[str]) -> Table:
    """Table 7: the chroma planes and all three together, overall."""
    metrics: tuple[Metric, ...] = ("psnr_u", "psnr_v", "psnr_yuv")
    return Table(
        "Table 7. PSNR in dB of U, of V, and of all three planes (6:1:1), overall",
        ["QP", "planes", *ANCHOR_HEADS.values(), *NETWORK_HEADS, "loss"],
        [
            [_qps(row), METRIC_HEADS[metric], *_quality_cells(row, metric, networks)]
            for row in rows
            if row.label == OVERALL
            for metric in metrics
        ],
    )


def rate_table(rows: Sequence[RowResult]) -> Table:
    """Table 8: the bytes of the streams."""
    return Table(
        "Table 8. Bytes of the streams",
        ["QP", "sequences", "pictures", *ANCHOR_HEADS.values(), "all to none"],
        [
            [
                *_row_heads(row),
                *(f"{row.stream_bytes[key]:,}" for key in ANCHORS),
                f"{row.stream_bytes['all'] / row.stream_bytes['none'] - 1:+.2%}",
            ]
            for row in rows
        ],
    )


def loss_table(rows: Sequence[RowResult], candidates: Sequence[Candidate]) -> Table:
    """Table 9: what each form of the network takes and loses."""
    original, *reconstructed = candidates
    overall = [row for row in rows if row.label == OVERALL and len(row.qps) == 1]
    return Table(
        "Table 9. Forms of the network: bytes, and loss overall",
        [
            *("form", "bits", "bytes", "ratio"),
            *(f"dB at QP {_qps(row)}" for row in overall),
            *(f"SSIM at QP {_qps(row)}" for row in overall),
        ],
        [
            [
                candidate.label if candidate.form == "file" else candidate.form,
                "" if candidate.bits is None else str(candidate.bits),
                f"{candidate.sizes.total:,}",
                f"{original.sizes.total / candidate.sizes.total:.3f}",
                *(_loss(row, "psnr", original.label, candidate.label) for row in overall),
                *(_loss(row, "ssim", original.label, candidate.label) for row in overall),
            ]
            for candidate in sorted(reconstructed, key=_form_and_bits)
        ],
    )


def bd_table(title: str, rates: Sequence[BdRates]) -> Table:
    """Tables 10 and 11: BD-rates, a line a row and anchor, the networks side by side."""
    networks = list(dict.fromkeys(rate.network for rate in rates))
    lines: dict[tuple[str, LoopFilters], list[str]] = {}
    for rate in rates:
        cells = [decimal(rate.per_cent[metric], 2) for metric in BD_METRICS]
        lines.setdefault((rate.row, rate.anchor), []).extend(cells)
    return Table(
        title,
        [
            *("sequences", "against"),
            *(f"{name} {METRIC_HEADS[metric]}" for name in networks for metric in BD_METRICS),
        ],
        [[row, ANCHOR_HEADS[anchor], *cells] for (row, anchor), cells in lines.items()],
    )


def _quality_cells(row: RowResult, metric: Metric, networks: Sequence[str]) -> list[str]:
    places = _SSIM_PLACES if metric == "ssim" else _PSNR_PLACES
    values = row.values(metric)
    cells = [decimal(values[column], places) for column in (*ANCHORS, *networks)]
    return [*cells, _loss(row, metric, *networks)]


def _row_heads(row: RowResult) -> list[str]:
    return [_qps(row), row.label, str(row.frame_count)]


def _qps(row: RowResult) -> str:
    return ", ".join(map(str, row.qps))


def _form_and_bits(candidate: Candidate) -> tuple[int, int]:
    """Files come last, in the order in which they were given."""
    return ("fixed", "NNC", "file").index(candidate.form), candidate.bits or 0


def _loss(row: RowResult, metric: Metric, original: str, reconstructed: str) -> str:
    values = row.values(metric)
    places = _SSIM_LOSS_PLACES if metric == "ssim" else _PSNR_LOSS_PLACES
    return decimal(difference(values[original], values[reconstructed]), places)
