"""The page as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

from ..._core import version
from ..examples import Example
from ..report import PostFilterReport
from ..results import RowResult
from .figures import frame_comparison, loss_over_size, rate_distortion
from .histograms import weight_histograms
from .markup import list_html, paragraph, section, table_html

Section = tuple[str, str, str]
"""Identifier, title, content."""


def report_page(report: PostFilterReport, examples: Sequence[Example]) -> str:
    """Return one self-contained HTML page; it fetches nothing.

    Parameters
    ----------
    report : PostFilterReport
    examples : sequence of Example
        Frames to be compared by eye; see `PostFilterTask.examples`.
    """
    sections = _post_filter_sections(report, examples)
    package = files(__package__)
    return Template(package.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title="What compressing a network costs",
        lead=escape(_lead(report)),
        style=package.joinpath("page.css").read_text(encoding="utf-8"),
        script=package.joinpath("page.js").read_text(encoding="utf-8"),
        summary=_summary(report),
        contents="".join(
            f'<li><a href="#{identifier}">{escape(title)}</a></li>'
            for identifier, title, _ in sections
        ),
        sections="".join(section(*part) for part in sections),
        version=escape(version),
    )


def _post_filter_sections(report: PostFilterReport, examples: Sequence[Example]) -> list[Section]:
    frames = "".join(frame_comparison(report, example) for example in examples)
    histograms = weight_histograms(report.original.model, report.reconstructed.model)
    return [
        (
            "frames",
            "Look at it",
            paragraph(
                "Move the line with a finger, the mouse, or the arrow keys. The menus choose what is seen "
                "on either side."
            )
            + f'<div class="pair">{frames}</div>',
        ),
        (
            "rate",
            "Rate and distortion",
            paragraph(
                "A CNN costs the bits of the stream without in-loop filters. Its own bytes are in no "
                "curve. Point at a marker for its numbers."
            )
            + rate_distortion(report),
        ),
        (
            "loss",
            "Size against loss",
            paragraph(
                "Each marker is one compressed form of the network, with its bits a weight beside it. "
                "Losses below 0.0001 dB, and gains, lie on the lowest line."
            )
            + loss_over_size(report),
        ),
        (
            "weights",
            "Weights before and after",
            paragraph(
                f"Filled: {report.original.label}. Line: reconstructed from "
                f"{report.reconstructed.label} codes."
            )
            + f'<div class="histograms">{"".join(histograms)}</div>',
        ),
        ("tables", "Tables", "".join(map(table_html, report.tables()))),
        ("definitions", "Definitions", list_html(report.definitions())),
    ]


def _lead(report: PostFilterReport) -> str:
    sequences = len({(result.row, result.name) for result in report.results})
    qps = ", ".join(str(qp) for qp in dict.fromkeys(result.qp for result in report.results))
    return (
        f"A convolutional network takes the place of VVC's in-loop filters, is compressed, and does "
        f"its work again. {sequences} sequences at QP {qps}, in the network's original and in its "
        f"reconstructed form."
    )


def _summary(report: PostFilterReport) -> str:
    row = report.rows[-1]
    psnr, original = row.values("psnr"), report.original.sizes.total
    fixed, entropy_coded = report.reconstructed, report.entropy_coded
    cards = [
        (
            f"{original / entropy_coded.sizes.total:.2f} : 1",
            f"smaller as an NNC bitstream of {fixed.bits} bits, {_loss(report, row, entropy_coded.label)} dB lost",
        ),
        (
            f"{original / fixed.sizes.total:.2f} : 1",
            f"smaller with codes of {fixed.bits} bits, {_loss(report, row, fixed.label)} dB lost",
        ),
        (
            f"{psnr[fixed.label] - psnr['all']:+.2f} dB",
            "PSNR-Y of the reconstructed CNN over all of VVC's filters",
        ),
        (
            f"{psnr[fixed.label] - psnr['none']:+.2f} dB",
            "PSNR-Y of the reconstructed CNN over no filter",
        ),
    ]
    cards += [
        (
            f"{rates.per_cent['psnr']:+.2f} %",
            "BD-rate of the reconstructed CNN against all of VVC's filters",
        )
        for rates in report.bd_rates
        if (rates.row, rates.anchor, rates.network, rates.with_network)
        == (row.label, "all", fixed.label, False)
    ]
    return "".join(
        f"<li><strong>{escape(value)}</strong><span>{escape(meaning)}</span></li>"
        for value, meaning in cards
    )


def _loss(report: PostFilterReport, row: RowResult, label: str) -> str:
    values = row.values("psnr")
    return f"{values[report.original.label] - values[label]:.4f}"
