"""The post filter on the page: its numbers, charts and pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..candidates import Candidate
from ..examples import Example
from ..postfilter_tables import ANCHOR_HEADS, NETWORK_HEADS
from ..report import PostFilterReport
from ..results import ANCHORS, OVERALL, RowResult
from ..tables import difference
from .charts import Axis, Series, legend, line_chart
from .comparison import View, comparison
from .histograms import weight_histograms
from .markup import figure, unbroken
from .part import Card, Part, Section
from .pictures import cropped, difference_uri, frame_uri

# The column's place is its style in every chart.
_COLUMN_HEADS = (*ANCHOR_HEADS.values(), *NETWORK_HEADS)
_NNC_STYLE = 5
# A loss below this, or a gain, is drawn here: a logarithmic axis has no zero.
_LEAST_LOSS = 1e-4
_LARGE, _SMALL = (640, 420), (420, 300)
_ERROR_GAIN, _LOSS_GAIN = 8, 64


def postfilter_part(report: PostFilterReport, examples: Sequence[Example]) -> Part:
    """Return what the page says of a post filter.

    Parameters
    ----------
    report : PostFilterReport
    examples : sequence of Example
        Frames to be compared by eye; see `PostFilterTask.examples`.
    """
    return Part(
        "Post filter",
        _lead(report),
        _cards(report),
        _sections(report, examples),
        report.tables(),
        report.definitions(),
    )


def _lead(report: PostFilterReport) -> str:
    sequences = len({(result.row, result.name) for result in report.results})
    qps = ", ".join(str(qp) for qp in dict.fromkeys(result.qp for result in report.results))
    return (
        "A convolutional network takes the place of VVC's in-loop filters, is compressed, and does "
        f"its work again: {sequences} sequences at QP {qps}, filtered by the network's original and "
        "by its reconstructed form."
    )


def _cards(report: PostFilterReport) -> list[Card]:
    fixed, entropy_coded = report.reconstructed, report.entropy_coded
    psnr = report.rows[-1].values("psnr")
    cards = [
        Card(
            f"{report.original.sizes.total / candidate.sizes.total:.2f} : 1",
            f"{how} of {candidate.bits} bits; "
            f"{psnr[report.original.label] - psnr[candidate.label]:.4f} dB lost",
        )
        for candidate, how in (
            (entropy_coded, "post filter as an NNC bitstream"),
            (fixed, "post filter with codes"),
        )
    ]
    cards += [
        Card(
            f"{psnr[fixed.label] - psnr[anchor]:+.2f} dB",
            f"PSNR-Y of the reconstructed CNN over {what}",
        )
        for anchor, what in (("all", "all of VVC's filters"), ("none", "no filter"))
    ]
    cards += [
        Card(
            f"{rates.per_cent['psnr']:+.2f} %",
            "BD-rate of the reconstructed CNN against all of VVC's filters",
        )
        for rates in report.bd_rates
        if (rates.row, rates.anchor, rates.network, rates.with_network)
        == (OVERALL, "all", fixed.label, False)
    ]
    return cards


def _sections(report: PostFilterReport, examples: Sequence[Example]) -> list[Section]:
    frames = "".join(_frame_comparison(report, example) for example in examples)
    histograms = weight_histograms(report.original.model, report.reconstructed.model)
    return [
        Section(
            "frames",
            "Before and after",
            "Move the line with a finger, the mouse or the arrow keys. The menus choose what is seen "
            "on either side, and how large.",
            f'<div class="pair">{frames}</div>',
        ),
        Section(
            "rate",
            "Rate and distortion",
            "A CNN costs the bits of the stream without in-loop filters; its own bytes are in no "
            "curve. Point at a marker for its numbers.",
            _rate_distortion(report),
        ),
        Section(
            "loss",
            "Size against loss",
            "Each marker is one compressed form of the network, with its bits a weight beside it. "
            "Losses below 0.0001 dB, and gains, count as 0.0001 dB. The option --sweep-bits adds more.",
            _loss_over_size(report),
        ),
        Section(
            "weights",
            "Weights before and after",
            f"Filled: {report.original.label}. Line: reconstructed from "
            f"{report.reconstructed.label} codes.",
            f'<div class="histograms">{"".join(histograms)}</div>',
        ),
    ]


def _rate_distortion(report: PostFilterReport) -> str:
    """PSNR over rate: overall, what the filters gain, and every row."""
    by_row: dict[str, list[RowResult]] = {}
    for row in report.rows:
        if len(row.qps) == 1:
            by_row.setdefault(row.label, []).append(row)
    overall = by_row.pop(OVERALL)
    large = figure("PSNR-Y over rate, overall", _rate_chart(report, OVERALL, overall, _LARGE))
    gains = figure("Gain over no filter, overall", _gain_chart(report, OVERALL, overall, _LARGE))
    small = "".join(
        figure(
            label,
            _rate_chart(report, label, rows, _SMALL) + _gain_chart(report, label, rows, _SMALL),
        )
        for label, rows in by_row.items()
    )
    keys = legend([(head, style) for style, head in enumerate(_COLUMN_HEADS)])
    return f'{keys}<div class="pair">{large}{gains}</div><div class="grid-of-charts">{small}</div>'


def _loss_over_size(report: PostFilterReport) -> str:
    """Loss of PSNR over the bytes of the network, one chart a QP."""
    overall = [row for row in report.rows if row.label == OVERALL and len(row.qps) == 1]
    charts = "".join(
        figure(f"Loss over size at QP {row.qps[0]}", _loss_chart(report, row)) for row in overall
    )
    forms = [("fixed length, bits a weight", 2), ("NNC bitstream (ISO/IEC 15938-17)", _NNC_STYLE)]
    if _of_form(report, "file"):
        forms.append(("file given", 1))
    return f'{legend(forms)}<div class="pair">{charts}</div>'


def _frame_comparison(report: PostFilterReport, example: Example) -> str:
    """All versions of a frame, any two of them side by side."""
    columns = [*ANCHORS, report.original.label, report.reconstructed.label]
    frames = [cropped(example.frames[column]) for column in columns]
    source = cropped(example.source)
    unfiltered, original, reconstructed = frames[0], *frames[-2:]
    views = [
        View("source", frame_uri(source), "what was encoded"),
        *(
            View(head, frame_uri(frame), _quality(example, column))
            for head, frame, column in zip(_COLUMN_HEADS, frames, columns, strict=True)
        ),
        *(
            View(name, difference_uri(*pair, gain), f"luma, {gain} times amplified around grey")
            for name, pair, gain in (
                ("error with no filter", (unfiltered, source), _ERROR_GAIN),
                ("error with reconstructed CNN", (reconstructed, source), _ERROR_GAIN),
                ("reconstructed minus original CNN", (reconstructed, original), _LOSS_GAIN),
            )
        ),
    ]
    rows, columns_shown = source.y.shape
    title = f"{example.name}, QP {example.qp}"
    return comparison(title, views, (columns_shown, rows), left=1, right=1 + len(ANCHORS) + 1)


def _quality(example: Example, column: str) -> str:
    quality = example.quality[column]
    values = [f"PSNR Y {quality.psnr[0]:.2f} dB"]
    if not math.isnan(quality.psnr_u[0]):
        values += [f"U {quality.psnr_u[0]:.2f} dB", f"V {quality.psnr_v[0]:.2f} dB"]
    values.append(f"SSIM {quality.ssim[0]:.4f}")
    return unbroken(values)


def _rate_chart(
    report: PostFilterReport,
    label: str,
    rows: Sequence[RowResult],
    size: tuple[int, int],
) -> str:
    series = [
        Series(
            head,
            [(row.bits_a_pixel(column), row.values("psnr")[column]) for row in rows],
            style,
            notes=[
                f"QP {row.qps[0]}, {row.bits_a_pixel(column):.4f} bits a pixel, "
                f"{row.values('psnr')[column]:.3f} dB"
                for row in rows
            ],
        )
        for style, (column, head) in enumerate(_columns(report))
    ]
    return line_chart(
        series,
        Axis("bits a pixel", logarithmic=True),
        Axis("PSNR-Y in dB"),
        description=f"{label}: PSNR of luma over the bits of the stream",
        size=size,
    )


def _gain_chart(
    report: PostFilterReport, label: str, rows: Sequence[RowResult], size: tuple[int, int]
) -> str:
    series = []
    for style, (column, head) in enumerate(_columns(report)):
        gains = [difference(row.values("psnr")[column], row.values("psnr")["none"]) for row in rows]
        points = [(float(row.qps[0]), gain) for row, gain in zip(rows, gains, strict=True)]
        notes = [f"QP {row.qps[0]}, {gain:+.3f} dB" for row, gain in zip(rows, gains, strict=True)]
        series.append(Series(head, sorted(points), style, notes=notes))
    return line_chart(
        series,
        Axis("QP", ticks=sorted(row.qps[0] for row in rows)),
        Axis("gain in PSNR-Y, dB"),
        description=f"{label}: what each filter gains over no filter, in dB of luma, over the QP",
        size=size,
    )


def _loss_chart(report: PostFilterReport, row: RowResult) -> str:
    forms = (("fixed", "fixed length", 2), ("NNC", "NNC", _NNC_STYLE), ("file", "file given", 1))
    series = [
        _loss_series(report, row, sorted(candidates, key=lambda c: c.sizes.total), label, style)
        for form, label, style in forms
        if (candidates := _of_form(report, form))
    ]
    return line_chart(
        series,
        Axis("bytes of the network's file", logarithmic=True),
        Axis("loss of PSNR-Y in dB", logarithmic=True),
        description=f"QP {row.qps[0]}: PSNR lost by compressing the network, over its bytes",
        size=_LARGE,
    )


def _loss_series(
    report: PostFilterReport,
    row: RowResult,
    candidates: Sequence[Candidate],
    label: str,
    style: int,
) -> Series:
    values = row.values("psnr")
    losses = [difference(values[report.original.label], values[c.label]) for c in candidates]
    return Series(
        label,
        [
            (float(candidate.sizes.total), max(loss, _LEAST_LOSS))
            for candidate, loss in zip(candidates, losses, strict=True)
        ],
        style,
        notes=[
            f"{candidate.label}, {candidate.sizes.total:,} bytes, {loss:.4f} dB"
            for candidate, loss in zip(candidates, losses, strict=True)
        ],
        # On the lowest line the markers stand too close for names.
        names=[
            str(candidate.bits or "") if loss > _LEAST_LOSS else ""
            for candidate, loss in zip(candidates, losses, strict=True)
        ],
    )


def _of_form(report: PostFilterReport, form: str) -> list[Candidate]:
    return [candidate for candidate in report.candidates if candidate.form == form]


def _columns(report: PostFilterReport) -> list[tuple[str, str]]:
    columns = [*ANCHORS, report.original.label, report.reconstructed.label]
    return list(zip(columns, _COLUMN_HEADS, strict=True))
