"""Curves as CompressAI's plotting program reads them: one JSON object a curve."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .._json import plain_json
from .autoencoder_report import AutoEncoderReport
from .postfilter_tables import ANCHOR_HEADS, NETWORK_HEADS
from .report import PostFilterReport
from .results import ANCHORS, METRICS, OVERALL, Metric, RowResult

_METRIC_NAMES: dict[Metric, str] = {
    "psnr": "psnr-y",
    "psnr_u": "psnr-u",
    "psnr_v": "psnr-v",
    "psnr_yuv": "psnr-yuv",
    "ssim": "ssim-y",
}


def postfilter_curves(report: PostFilterReport) -> dict[str, dict[str, Any]]:
    """Return the overall curve of every column, by a name that is good for a file.

    Returns
    -------
    dict
        Of objects with ``name``, ``description`` and ``results``: ``bpp`` (bits of the streams
        over luma samples, in rising order), ``psnr-y`` and so on, each a list with a value a QP.
    """
    rows = [row for row in report.rows if row.label == OVERALL and len(row.qps) == 1]
    rows.sort(key=lambda row: row.qps[0], reverse=True)
    columns = [*ANCHORS, report.original.label, report.reconstructed.label]
    heads = [*ANCHOR_HEADS.values(), *NETWORK_HEADS]
    return {
        _file_name(head): curve(
            f"VVC {head}",
            f"{report.encoder}, All Intra, preset {report.preset}, "
            f"QP {', '.join(str(row.qps[0]) for row in rows)}",
            _results(rows, column),
        )
        for column, head in zip(columns, heads, strict=True)
    }


def autoencoder_curves(report: AutoEncoderReport) -> dict[str, dict[str, Any]]:
    """Return the curve of every codec, by a name that is good for a file.

    Returns
    -------
    dict
        Of objects as `postfilter_curves` returns them, with ``psnr-rgb`` and ``ssim-rgb``.
    """
    return {
        _file_name(name): curve(
            name,
            f"{report.versions[name]}; means over {report.curve_picture_count} pictures; {report.origin}",
            {
                "bpp": [point.bpp for point in points],
                "psnr-rgb": [point.psnr for point in points],
                "ssim-rgb": [point.ssim for point in points],
            },
        )
        for name, points in report.curves.items()
    }


def curve(name: str, description: str, results: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return one curve; null for what is not finite.

    Examples
    --------
    >>> curve("codec", "tested", {"bpp": [0.5], "psnr-rgb": [30.0]})["results"]
    {'bpp': [0.5], 'psnr-rgb': [30.0]}
    """
    return {"name": name, "description": description, "results": plain_json(dict(results))}


def _results(rows: Sequence[RowResult], column: str) -> dict[str, list[float]]:
    quality = {
        _METRIC_NAMES[metric]: [row.values(metric)[column] for row in rows] for metric in METRICS
    }
    return {"bpp": [row.bits_a_pixel(column) for row in rows], **quality}


def _file_name(head: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", head.lower()))
