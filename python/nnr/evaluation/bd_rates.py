"""BD-rates of the networks against what VVC's own filters do, with and without their bytes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..video.vvc import LoopFilters
from .bd import DEFINITION as BD_DEFINITION
from .bd import bd_rate
from .candidates import Candidate
from .results import OVERALL, Metric, SequenceResult, mean

BD_METRICS: tuple[Metric, ...] = ("psnr", "psnr_u", "psnr_v", "psnr_yuv")
BD_ANCHORS: tuple[LoopFilters, ...] = ("all", "deblock+sao")
# As the common test conditions have them: a cubic needs so many points to say something.
MIN_QPS = 4

DEFINITIONS = (
    BD_DEFINITION,
    (
        "BD-rate of a row: mean over its sequences, overall the mean over the rows; rates of a CNN are "
        "bytes of the streams with no filter, and with the network's bytes its whole file is added "
        "once a sequence, to every QP; - where two curves have no quality in common"
    ),
)


@dataclass(frozen=True)
class BdRates:
    """BD-rates of one network in one row of the tables.

    Parameters
    ----------
    row : str
        The table row, or ``overall``.
    anchor : {"all", "deblock+sao"}
        The loop filters that the network is compared with.
    network : str
        Label of the candidate.
    with_network : bool
        Whether the bytes of the network's file count.
    per_cent : dict
        By metric; negative where the network saves bits, NaN where the curves share no quality.
    """

    row: str
    anchor: LoopFilters
    network: str
    with_network: bool
    per_cent: dict[Metric, float]


def bd_rates(results: Sequence[SequenceResult], candidates: Iterable[Candidate]) -> list[BdRates]:
    """Compare every network with the loop filters, row by row; nothing below four QPs.

    Parameters
    ----------
    results : sequence of SequenceResult
        All QPs of a sequence stand together, in the same order for each.
    candidates : iterable of Candidate
    """
    qp_count = len({result.qp for result in results})
    if qp_count < MIN_QPS:
        return []
    sequences = [results[i : i + qp_count] for i in range(0, len(results), qp_count)]
    return [
        rates
        for candidate in candidates
        for with_network in (False, True)
        for anchor in BD_ANCHORS
        for rates in _by_row(sequences, candidate, anchor, with_network=with_network)
    ]


def _by_row(
    sequences: Sequence[Sequence[SequenceResult]],
    candidate: Candidate,
    anchor: LoopFilters,
    *,
    with_network: bool,
) -> list[BdRates]:
    network_bytes = candidate.sizes.total if with_network else 0
    rows: dict[str, list[dict[Metric, float]]] = {}
    for curve in sequences:
        values = {
            metric: _bd_rate(curve, candidate.label, anchor, metric, network_bytes)
            for metric in BD_METRICS
        }
        rows.setdefault(curve[0].row, []).append(values)
    means = {row: _means(values) for row, values in rows.items()}
    means[OVERALL] = _means(list(means.values()))
    return [
        BdRates(row, anchor, candidate.label, with_network, values) for row, values in means.items()
    ]


def _means(values: Sequence[dict[Metric, float]]) -> dict[Metric, float]:
    return {metric: mean(value[metric] for value in values) for metric in BD_METRICS}


def _bd_rate(
    curve: Sequence[SequenceResult],
    network: str,
    anchor: LoopFilters,
    metric: Metric,
    network_bytes: int,
) -> float:
    anchor_quality = [mean(result.quality[anchor].values(metric)) for result in curve]
    quality = [mean(result.quality[network].values(metric)) for result in curve]
    if not (_is_curve(anchor_quality) and _is_curve(quality)):
        return math.nan
    anchor_bytes = [result.anchors[anchor].stream_bytes for result in curve]
    unfiltered_bytes = [result.anchors["none"].stream_bytes + network_bytes for result in curve]
    return bd_rate(anchor_bytes, anchor_quality, unfiltered_bytes, quality)


def _is_curve(quality: Sequence[float]) -> bool:
    """Whether each point has a quality of its own; grey and lossless pictures have none."""
    return all(map(math.isfinite, quality)) and len(set(quality)) == len(quality)
