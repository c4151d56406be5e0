"""What an evaluation of the post filter found: tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .._core import version
from .._json import plain_json
from ..video.images import DEFINITION as PHOTOGRAPH_DEFINITION
from .candidates import ORIGINAL, Candidate
from .metrics import DEFINITIONS as METRIC_DEFINITIONS
from .results import (
    ANCHORS,
    AVERAGING,
    OVERALL,
    Metric,
    RowResult,
    SequenceResult,
    averaged,
    row_definitions,
)
from .tables import Table, decimal, difference

_ANCHOR_HEADS = {
    "none": "no filter",
    "deblock+sao": "deblock+SAO",
    "all": "all VVC filters",
}
_VALUE_PLACES: dict[Metric, int] = {"psnr": 3, "ssim": 5}
_LOSS_PLACES: dict[Metric, int] = {"psnr": 4, "ssim": 6}


@dataclass(frozen=True)
class PostFilterReport:
    """The outcome of a `PostFilterTask`.

    Parameters
    ----------
    network : str
        Name of the original network's file.
    candidates : sequence of Candidate
        The original, the reconstructed one of Tables 1 to 3, and those of the sweep.
    results : sequence of SequenceResult
    encoder : str
        Encoder version.
    preset : str
    sweep_bits : sequence of int
        Widths of Table 5; empty for no such table.
    """

    network: str
    candidates: Sequence[Candidate]
    results: Sequence[SequenceResult]
    encoder: str
    preset: str
    sweep_bits: Sequence[int] = ()

    def tables(self) -> list[Table]:
        """Return Tables 1 to 3 of sizes, PSNR and SSIM, 4 of stream bytes, 5 of the sweep."""
        rows = averaged(self.results)
        tables = [
            self._size_table(),
            self._quality_table("Table 2. Luma PSNR in dB", "psnr", rows),
            self._quality_table("Table 3. Luma SSIM", "ssim", rows),
            _rate_table(rows),
        ]
        if self.sweep_bits:
            overall = [row for row in rows if row.label == OVERALL and len(row.qps) == 1]
            tables.append(self._sweep_table(overall))
        return tables

    def definitions(self) -> list[str]:
        """Return what every number means and how it came about."""
        qps = " and ".join(str(qp) for qp in dict.fromkeys(r.qp for r in self.results))
        reconstructed = self.candidates[1].label
        return [
            "plane: luma of the decoder's 10-bit pictures against the luma of the source",
            *METRIC_DEFINITIONS,
            AVERAGING,
            *row_definitions(result.row for result in self.results),
            (
                f"VVC: {self.encoder}, which also decodes; All Intra, preset {self.preset}, "
                f"QP {qps} in every slice (read back from the headers of each stream)"
            ),
            (
                "no filter: all in-loop filters off; deblock+SAO: those VTM 1.0 had; all VVC filters: "
                "deblocking, SAO, ALF and CCALF (VVenC has no LMCS)"
            ),
            (
                "CNN: the network on the pictures of the stream with no filter, in float arithmetic; "
                f"original with its {ORIGINAL} weights, reconstructed with those that "
                f"{reconstructed} codes give back"
            ),
            "loss: original CNN minus reconstructed CNN; negative where reconstruction gained",
            (
                "codes: uniform quantiser of fixed length over the exact range of each tensor; "
                "tensors of rank below 2 (biases) stay float32"
            ),
            (
                "rate: bytes of whole streams; a CNN column has those of no filter, "
                "and the network's own bytes are in no rate"
            ),
            f"photographs (PNG, JPEG): {PHOTOGRAPH_DEFINITION}",
        ]

    def markdown(self) -> str:
        """Return tables and definitions, ready to be printed or pasted."""
        definitions = "\n".join(f"- {line}" for line in self.definitions())
        tables = "\n\n".join(table.markdown() for table in self.tables())
        return f"{tables}\n\nDefinitions\n\n{definitions}"

    def json_object(self) -> dict[str, Any]:
        """Return everything as plain JSON values; the infinite PSNR of equal planes is null."""
        report = {
            "nnr": version,
            "network": self.network,
            "encoder": self.encoder,
            "preset": self.preset,
            "definitions": self.definitions(),
            "networks": [
                {
                    "label": candidate.label,
                    "bits": candidate.bits,
                    "total_bytes": candidate.sizes.total,
                    "structure_bytes": candidate.sizes.structure,
                }
                for candidate in self.candidates
            ],
            "results": [asdict(result) for result in self.results],
            "averages": [asdict(row) for row in averaged(self.results)],
            "tables": [asdict(table) for table in self.tables()],
        }
        plain: dict[str, Any] = plain_json(report)
        return plain

    def _size_table(self) -> Table:
        original, reconstructed = self.candidates[:2]
        return Table(
            f"Table 1. Bytes of the network {self.network}",
            ["file", "bytes", "weights", "structure", "structure share", "ratio"],
            [
                [
                    candidate.label,
                    f"{candidate.sizes.total:,}",
                    f"{candidate.sizes.payload:,}",
                    f"{candidate.sizes.structure:,}",
                    f"{candidate.sizes.structure / candidate.sizes.total:.2%}",
                    f"{original.sizes.total / candidate.sizes.total:.3f}",
                ]
                for candidate in (original, reconstructed)
            ],
        )

    def _quality_table(self, title: str, metric: Metric, rows: list[RowResult]) -> Table:
        original, reconstructed = (candidate.label for candidate in self.candidates[:2])
        columns = [*ANCHORS, original, reconstructed]
        heads = [*_ANCHOR_HEADS.values(), "original CNN", "reconstructed CNN"]
        return Table(
            title,
            ["QP", "sequences", "pictures", *heads, "loss"],
            [
                [
                    *_row_heads(row),
                    *(
                        decimal(row.values(metric)[column], _VALUE_PLACES[metric])
                        for column in columns
                    ),
                    _loss(row, metric, original, reconstructed),
                ]
                for row in rows
            ],
        )

    def _sweep_table(self, overall: list[RowResult]) -> Table:
        original = self.candidates[0]
        by_bits = {candidate.bits: candidate for candidate in self.candidates[1:]}
        swept = [by_bits[bits] for bits in self.sweep_bits]
        return Table(
            "Table 5. Width of the codes: bytes, and loss overall",
            [
                *("bits", "bytes", "ratio"),
                *(f"dB at QP {_qps(row)}" for row in overall),
                *(f"SSIM at QP {_qps(row)}" for row in overall),
            ],
            [
                [
                    str(candidate.bits),
                    f"{candidate.sizes.total:,}",
                    f"{original.sizes.total / candidate.sizes.total:.3f}",
                    *(_loss(row, "psnr", original.label, candidate.label) for row in overall),
                    *(_loss(row, "ssim", original.label, candidate.label) for row in overall),
                ]
                for candidate in swept
            ],
        )


def _rate_table(rows: list[RowResult]) -> Table:
    return Table(
        "Table 4. Bytes of the streams",
        ["QP", "sequences", "pictures", *_ANCHOR_HEADS.values(), "all to none"],
        [
            [
                *_row_heads(row),
                *(f"{row.stream_bytes[key]:,}" for key in ANCHORS),
                f"{row.stream_bytes['all'] / row.stream_bytes['none'] - 1:+.2%}",
            ]
            for row in rows
        ],
    )


def _row_heads(row: RowResult) -> list[str]:
    return [_qps(row), row.label, str(row.frame_count)]


def _qps(row: RowResult) -> str:
    return ", ".join(map(str, row.qps))


def _loss(row: RowResult, metric: Metric, original: str, reconstructed: str) -> str:
    values = row.values(metric)
    return decimal(difference(values[original], values[reconstructed]), _LOSS_PLACES[metric])
