"""BD-rates of networks, on curves made up by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nnr.evaluation.bd_rates import BdRates, bd_rates
from nnr.evaluation.candidates import Candidate
from nnr.evaluation.postfilter_tables import bd_table
from nnr.evaluation.results import ANCHORS, Anchor, Quality, SequenceResult
from nnr.models import Model
from nnr.models.file_sizes import FileSizes
from nnr.networks import POSTFILTER, PostFilter
from nnr.video import FrameFormat

QPS = (22, 27, 32, 37)
BYTES = np.array([8000, 4000, 2000, 1000])
PSNR = np.array([42.0, 39.0, 36.0, 33.0])


@pytest.fixture(scope="module")
def candidate() -> Candidate:
    sizes = FileSizes(500, 400)
    return Candidate("8 bit", "fixed", 8, sizes, PostFilter.load(POSTFILTER), Model({}), "")


def sequence(row: str, saved: float) -> list[SequenceResult]:
    """A curve a column: the network has the quality of all filters with *saved* of the bytes less."""

    def result(qp: int, size: int, psnr: float) -> SequenceResult:
        anchors = {key: Anchor(size) for key in ANCHORS} | {
            "none": Anchor(round(size * (1 - saved)))
        }
        quality = {
            key: Quality([psnr], [psnr + 4], [math.nan], [0.9]) for key in (*ANCHORS, "8 bit")
        }
        return SequenceResult("a", row, FrameFormat(2, 2), 1, qp, anchors, quality)

    return [result(*point) for point in zip(QPS, BYTES.tolist(), PSNR.tolist(), strict=True)]


def of(rates: list[BdRates], row: str, *, with_network: bool) -> BdRates:
    (found,) = (
        rate
        for rate in rates
        if (rate.row, rate.anchor, rate.with_network) == (row, "all", with_network)
    )
    return found


def test_rows_are_means_of_sequences_and_overall_of_rows(candidate: Candidate) -> None:
    results = sequence("C", 0.1) + sequence("C", 0.3) + sequence("D", 0.4)
    rates = bd_rates(results, [candidate])
    values = {row: of(rates, row, with_network=False).per_cent for row in ("C", "D", "overall")}
    assert values["C"]["psnr"] == pytest.approx(-20)
    assert values["D"]["psnr_u"] == pytest.approx(-40)
    assert values["overall"]["psnr"] == pytest.approx(-30)
    assert all(math.isnan(value["psnr_v"]) for value in values.values())


def test_the_network_counts_once_a_sequence(candidate: Candidate) -> None:
    (dear,) = (of(bd_rates(sequence("C", 0.0), [candidate]), "C", with_network=True),)
    # 500 bytes more at every point: half as much again for the smallest stream.
    assert 6.25 < dear.per_cent["psnr"] < 50
    free = replace(candidate, sizes=FileSizes(0, 0))
    rates = bd_rates(sequence("C", 0.0), [free])
    assert of(rates, "C", with_network=True).per_cent["psnr"] == pytest.approx(0)


def test_fewer_than_four_qps_have_none(candidate: Candidate) -> None:
    assert bd_rates(sequence("C", 0.1)[:3], [candidate]) == []


def test_lossless_points_have_none(candidate: Candidate) -> None:
    results = sequence("C", 0.1)
    results[0].quality["all"].psnr[0] = math.inf
    rates = bd_rates(results, [candidate])
    assert math.isnan(of(rates, "C", with_network=False).per_cent["psnr"])


def test_table(candidate: Candidate) -> None:
    rates = bd_rates(sequence("C", 0.1), [candidate])
    table = bd_table("T", [rate for rate in rates if not rate.with_network])
    assert table.heads == ["sequences", "against", "8 bit Y", "8 bit U", "8 bit V", "8 bit 6:1:1"]
    assert table.rows[0] == ["C", "all VVC filters", "-10.00", "-10.00", "-", "-"]
    assert [row[:2] for row in table.rows] == [
        [row, anchor] for anchor in ("all VVC filters", "deblock+SAO") for row in ("C", "overall")
    ]
