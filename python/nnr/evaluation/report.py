"""What an evaluation of the post filter found: tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from .._core import version
from .._json import plain_json
from ..video.images import DEFINITION as PHOTOGRAPH_DEFINITION
from . import postfilter_tables as tables
from .bd_rates import DEFINITIONS as BD_DEFINITIONS
from .bd_rates import BdRates, bd_rates
from .candidates import ORIGINAL, Candidate
from .metrics import DEFINITIONS as METRIC_DEFINITIONS
from .results import (
    AVERAGING,
    COLOUR_DEFINITION,
    RowResult,
    SequenceResult,
    averaged,
    row_definitions,
)
from .tables import Table, markdown


@dataclass(frozen=True)
class PostFilterReport:
    """The outcome of a `PostFilterTask`.

    Parameters
    ----------
    network : str
        Name of the original network's file.
    candidates : sequence of Candidate
        The original, the reconstructed one of Tables 2 and 3, and all others.
    results : sequence of SequenceResult
        All QPs of a sequence together.
    encoder : str
        Encoder version.
    preset : str
    """

    network: str
    candidates: Sequence[Candidate]
    results: Sequence[SequenceResult]
    encoder: str
    preset: str

    @property
    def original(self) -> Candidate:
        """The network before it is compressed."""
        return self.candidates[0]

    @property
    def reconstructed(self) -> Candidate:
        """The network of the tables' column of that name."""
        return self.candidates[1]

    @property
    def entropy_coded(self) -> Candidate:
        """The NNC bitstream of as many bits as `reconstructed`."""
        bits = self.reconstructed.bits
        return next(c for c in self.candidates if (c.form, c.bits) == ("NNC", bits))

    @cached_property
    def rows(self) -> list[RowResult]:
        """The averages that the tables show."""
        return averaged(self.results)

    @cached_property
    def bd_rates(self) -> list[BdRates]:
        """BD-rates of the original, the reconstructed and all other forms of that width."""
        return bd_rates(self.results, self._main_candidates())

    def tables(self) -> list[Table]:
        """Return Tables 1 to 3 and 7 to 9, and with four or more QPs the BD-rates, 10 and 11.

        Those between are the auto-encoder's.
        """
        labels = [self.original.label, self.reconstructed.label]
        shown = [
            tables.size_table(self.network, self._main_candidates()),
            tables.quality_table("Table 2. Luma PSNR in dB", "psnr", self.rows, labels),
            tables.quality_table("Table 3. Luma SSIM", "ssim", self.rows, labels),
            tables.chroma_table(self.rows, labels),
            tables.rate_table(self.rows),
            tables.loss_table(self.rows, self.candidates),
        ]
        return shown + self._bd_tables(labels)

    def definitions(self) -> list[str]:
        """Return what every number means and how it came about."""
        qps = " and ".join(str(qp) for qp in dict.fromkeys(r.qp for r in self.results))
        return [
            (
                "planes: Y (luma), U (Cb) and V (Cr) of the decoder's 10-bit pictures against those of "
                "the source; Tables 2, 3 and 9 are of luma"
            ),
            *METRIC_DEFINITIONS,
            COLOUR_DEFINITION,
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
                f"{self.reconstructed.label} codes give back"
            ),
            "loss: original CNN minus reconstructed CNN; negative where reconstruction gained",
            (
                "fixed: uniform quantiser, codes of fixed length over the exact range of each tensor; "
                "tensors of rank below 2 (biases) stay float32"
            ),
            "NNC: entropy coded, ISO/IEC 15938-17, with dependent quantisation; the graph included",
            (
                "rate: bytes of whole streams; a CNN column has those of no filter, "
                "and the network's own bytes are in no rate unless a table says so"
            ),
            *(BD_DEFINITIONS if self.bd_rates else ()),
            f"photographs (PNG, JPEG): {PHOTOGRAPH_DEFINITION}",
        ]

    def markdown(self) -> str:
        """Return tables and definitions, ready to be printed or pasted."""
        return markdown(self.tables(), {"Definitions": self.definitions()})

    def json_object(self) -> dict[str, Any]:
        """Return everything as plain JSON values; null for infinite PSNRs, and for none."""
        report = {
            "nnr": version,
            "network": self.network,
            "encoder": self.encoder,
            "preset": self.preset,
            "definitions": self.definitions(),
            "networks": [
                {
                    "label": candidate.label,
                    "form": candidate.form,
                    "bits": candidate.bits,
                    "total_bytes": candidate.sizes.total,
                    "structure_bytes": candidate.sizes.structure,
                }
                for candidate in self.candidates
            ],
            "results": [asdict(result) for result in self.results],
            "averages": [asdict(row) for row in self.rows],
            "bd_rates": [asdict(rates) for rates in self.bd_rates],
            "tables": [asdict(table) for table in self.tables()],
        }
        plain: dict[str, Any] = plain_json(report)
        return plain

    def _main_candidates(self) -> list[Candidate]:
        """The original, and what is not only there for the sweep."""
        files = (candidate for candidate in self.candidates if candidate.form == "file")
        return [self.original, self.reconstructed, self.entropy_coded, *files]

    def _bd_tables(self, labels: Sequence[str]) -> list[Table]:
        if not self.bd_rates:
            return []
        alone = [
            rates for rates in self.bd_rates if rates.network in labels and not rates.with_network
        ]
        with_network = [rates for rates in self.bd_rates if rates.with_network]
        return [
            tables.bd_table("Table 10. BD-rate in per cent", alone),
            tables.bd_table(
                "Table 11. BD-rate in per cent, with the network's bytes in every sequence",
                with_network,
            ),
        ]
