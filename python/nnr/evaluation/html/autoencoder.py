"""The auto-encoder on the page: its numbers, curves and pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from ..autoencoder_report import AutoEncoderReport, Example, RatePoint
from .charts import STYLE_COUNT, Axis, Series, legend, line_chart
from .markup import captioned_picture, figure, unbroken
from .part import Card, Part, Section
from .pictures import picture_uri

# The auto-encoder has the colour of the networks, and the first of the others that of VVC.
_STYLES = (3, 2, 1, 4, 5, 0, 6, 7)


def autoencoder_part(report: AutoEncoderReport) -> Part:
    """Return what the page says of an auto-encoder."""
    return Part(
        "Auto-encoder",
        f"An auto-encoder codes {report.picture_count:,} small pictures beside JPEG and others, its "
        "decoder in float32 and in integers of 8-bit weights.",
        _cards(report),
        [
            Section(
                "autoencoder",
                "Auto-encoder",
                f"Small pictures at {report.bpp:g} bits a pixel, magnified; then quality over rate, of "
                f"{report.curve_picture_count} of the pictures.",
                _pictures(report.examples) + _curves(report),
            )
        ],
        report.tables(),
        report.definitions(),
    )


def _cards(report: AutoEncoderReport) -> list[Card]:
    jpeg, reconstructed = report.rows[0], report.rows[-1]
    cards = [
        Card(
            f"{reconstructed.psnr:.2f} dB",
            f"PSNR of the {reconstructed.name} at {reconstructed.bpp:.2f} bits a pixel; "
            f"{jpeg.name} {jpeg.psnr:.2f} dB",
        )
    ]
    name, delta = next(iter(report.deltas().items()), ("", {"bd_rate": math.nan}))
    if math.isfinite(delta["bd_rate"]):
        cards.append(
            Card(f"{delta['bd_rate']:+.1f} %", f"BD-rate of the auto-encoder against {name}")
        )
    return cards


def _pictures(examples: Sequence[Example]) -> str:
    return f'<div class="small-pictures">{"".join(map(_example, examples))}</div>'


def _example(example: Example) -> str:
    title = f"picture {example.index}"
    pictures = (
        ("source", example.source, ""),
        ("JPEG", example.jpeg, _values(example.jpeg_psnr, example.jpeg_bytes)),
        (
            "auto-encoder",
            example.decoded,
            _values(example.decoded_psnr, example.decoded_bytes),
        ),
    )
    items = "".join(
        captioned_picture(picture_uri(samples, lossless=True), samples.shape, title, name, values)
        for name, samples, values in pictures
    )
    return figure(title, f"<ul>{items}</ul>")


def _values(psnr: float, size: int) -> str:
    return unbroken([f"{psnr:.2f} dB", f"{size:,} bytes"])


def _curves(report: AutoEncoderReport) -> str:
    drawn = {name: points for name, points in report.curves.items() if points}
    styles = dict(zip(drawn, _styles(len(drawn)), strict=True))
    charts = "".join(
        figure(
            f"{label} over rate",
            line_chart(
                [
                    _series(name, points, metric, styles[name], unit)
                    for name, points in drawn.items()
                ],
                Axis("bits a pixel"),
                Axis(f"{label}{unit and f' in {unit}'}"),
                description=f"{label} of each codec over bits a pixel",
            ),
        )
        for metric, label, unit in _METRICS
    )
    return f'{legend(list(styles.items()))}<div class="pair">{charts}</div>'


_Metric = Literal["psnr", "ssim"]
_METRICS: tuple[tuple[_Metric, str, str], ...] = (("psnr", "PSNR", "dB"), ("ssim", "SSIM", ""))


def _series(
    name: str, points: Sequence[RatePoint], metric: _Metric, style: int, unit: str
) -> Series:
    values = [point.psnr if metric == "psnr" else point.ssim for point in points]
    return Series(
        name,
        [(point.bpp, value) for point, value in zip(points, values, strict=True)],
        style,
        notes=[
            f"{point.bpp:.3f} bits a pixel, {value:.4f} {unit}".rstrip()
            for point, value in zip(points, values, strict=True)
        ],
    )


def _styles(count: int) -> list[int]:
    return [_STYLES[index % STYLE_COUNT] for index in range(count)]
