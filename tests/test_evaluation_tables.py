"""Averages and tables, by hand."""

from __future__ import annotations

import math

import pytest

from nnr.evaluation.results import (
    ANCHORS,
    Anchor,
    Quality,
    SequenceResult,
    averaged,
    row_by_name,
    row_by_size,
)
from nnr.evaluation.tables import Table, decimal, difference
from nnr.video import Frame, FrameFormat, FrameSequence


def sequence(name: str, width: int, height: int) -> FrameSequence:
    def read_frame(index: int) -> Frame:
        raise NotImplementedError

    return FrameSequence(name, FrameFormat(width, height), 1, read_frame)


def result(row: str, qp: int, psnr: list[float], stream_bytes: int) -> SequenceResult:
    anchors = {key: Anchor(stream_bytes + i) for i, key in enumerate(ANCHORS)}
    u, v = ([value + more for value in psnr] for more in (4, 8))
    quality = {"none": Quality(psnr, u, v, [value / 100 for value in psnr])}
    return SequenceResult("a", row, FrameFormat(2, 2), len(psnr), qp, anchors, quality)


def test_rows_are_labelled_by_class_size_or_name() -> None:
    sizes = {"B": (1920, 1080), "C": (832, 480), "D": (416, 240)}
    for letter, size in sizes.items():
        assert row_by_size(sequence("a", *size)) == f"{size[0]}x{size[1]} ({letter} size)"
    assert row_by_size(sequence("a", 240, 416)) == "240x416"
    assert row_by_name(sequence("kitten", 832, 480)) == "kitten 832x480"


def test_averages_over_pictures_then_sequences_then_rows() -> None:
    results = [
        result("352x288", 32, [40.0], 100),
        result("416x240 (D size)", 32, [30.0, 32.0], 10),
        result("416x240 (D size)", 32, [36.0], 20),
        result("1920x1080 (B size)", 32, [20.0], 1000),
        result("416x240 (D size)", 37, [10.0], 1),
    ]
    rows = averaged(results)
    assert [(row.qps, row.label, row.frame_count) for row in rows] == [
        ((32,), "1920x1080 (B size)", 1),
        ((32,), "416x240 (D size)", 3),
        ((32,), "352x288", 1),
        ((32,), "overall", 5),
        ((37,), "416x240 (D size)", 1),
        ((37,), "overall", 1),
        ((32, 37), "overall", 5),
    ]
    assert rows[1].values("psnr")["none"] == pytest.approx((31 + 36) / 2)
    assert rows[1].values("ssim")["none"] == pytest.approx((0.31 + 0.36) / 2)
    assert rows[3].values("psnr")["none"] == pytest.approx((20 + 33.5 + 40) / 3)
    assert rows[1].stream_bytes == {"none": 30, "deblock+sao": 32, "all": 34}
    assert rows[3].stream_bytes["none"] == 1130
    assert rows[6].values("psnr")["none"] == pytest.approx(
        (rows[3].values("psnr")["none"] + 10) / 2
    )
    assert rows[6].stream_bytes["none"] == 1131
    # (6 Y + U + V) / 8, with U and V 4 and 8 above Y.
    assert rows[1].values("psnr_yuv")["none"] == pytest.approx((31 + 36) / 2 + 1.5)
    # Three pictures of 2x2 samples.
    assert rows[1].pixel_count == 3 * 4
    assert rows[1].bits_a_pixel("none") == rows[1].bits_a_pixel("a network") == 30 * 8 / 12
    assert rows[1].bits_a_pixel("all") == 34 * 8 / 12


def test_pictures_without_colour_are_left_out() -> None:
    grey = result("416x240 (D size)", 32, [30.0], 1)
    for values in (grey.quality["none"].psnr_u, grey.quality["none"].psnr_v):
        values[0] = math.nan
    coloured = result("416x240 (D size)", 32, [40.0], 1)
    row, overall = averaged([grey, coloured])
    assert (row.values("psnr")["none"], row.values("psnr_u")["none"]) == (35, 44)
    assert row.values("psnr_yuv")["none"] == overall.values("psnr_yuv")["none"] == 41.5
    assert math.isnan(averaged([grey])[0].values("psnr_yuv")["none"])


def test_markdown_is_aligned() -> None:
    text = Table("T", ["name", "n"], [["a", "1,000"], ["longer", "-2"]]).markdown()
    assert text == (
        "T\n\n| name   |     n |\n|:-------|------:|\n| a      | 1,000 |\n| longer |    -2 |"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.23456, "1.2346"),
        (-0.00004, "0.0000"),
        (-0.00006, "-0.0001"),
        (math.inf, "inf"),
        (math.nan, "-"),
    ],
)
def test_decimal(value: float, text: str) -> None:
    assert decimal(value, 4) == text


def test_lossless_pictures_differ_by_nothing() -> None:
    assert difference(math.inf, math.inf) == 0
    assert difference(math.inf, 50) == math.inf
