"""Charts of the page as text: what is drawn, and what is left out."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest

from nnr.evaluation.html.charts import STYLE_COUNT, Axis, Series, legend, line_chart, number
from nnr.evaluation.html.comparison import View, comparison

RATE, QUALITY = Axis("bits", logarithmic=True), Axis("dB")


def drawn(*series: Series, x: Axis = RATE, y: Axis = QUALITY) -> ET.Element:
    """The chart, which has to be well-formed."""
    return ET.fromstring(line_chart(series, x, y, description="a <test> & more"))


def coordinates(chart: ET.Element) -> list[tuple[float, float]]:
    (curve,) = (path for path in chart.iter("path") if path.get("class") == "curve")
    numbers = [float(text) for text in re.findall(r"-?[0-9.]+", curve.get("d", ""))]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def test_points_lie_by_their_values() -> None:
    chart = drawn(Series("a", [(1, 30), (10, 35), (100, 40)], 0))
    (x1, y1), (x2, y2), (x3, y3) = coordinates(chart)
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)  # equal ratios
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.2)  # equal differences, upwards
    assert y1 > y2
    assert chart.get("aria-label") == "a <test> & more"


def test_what_is_not_finite_is_left_out() -> None:
    points = [(1.0, 30.0), (2.0, math.inf), (4.0, math.nan), (8.0, 33.0)]
    chart = drawn(Series("a", points, 0, notes=["p", "q", "r", "s"], names=["1", "2", "", "4"]))
    assert len(coordinates(chart)) == 2
    assert [title.text for title in chart.iter("title")] == ["a: p", "a: s"]
    assert [t.text for t in chart.iter("text") if t.get("class") == "name"] == ["1", "4"]


def test_without_any_value_it_says_so() -> None:
    for series in ((), (Series("a", [(1.0, math.inf)], 0),)):
        assert [text.text for text in drawn(*series).iter("text")] == ["no values"]


@pytest.mark.parametrize("values", [(5.0,), (5.0, 5.0), (-3.0, 7.0), (1e-9, 2e-9), (1e9, 3e9)])
def test_any_range_has_ticks(values: tuple[float, ...]) -> None:
    points = [(float(index + 1), value) for index, value in enumerate(values)]
    chart = drawn(Series("a", points, 0), x=Axis("n"))
    ticks = [text.text for text in chart.iter("text") if text.get("class") == "tick y"]
    assert 2 <= len(ticks) <= 8
    assert len(set(ticks)) == len(ticks)


def test_narrow_logarithmic_ranges_have_ticks_too() -> None:
    chart = drawn(Series("a", [(0.31, 1), (0.39, 2)], 0))
    assert len([text for text in chart.iter("text") if text.get("class") == "tick"]) >= 2


def test_every_style_has_a_marker_of_its_own() -> None:
    keys = legend([(str(style), style) for style in range(STYLE_COUNT)])
    markers = re.findall(r'class="marker" d="([^"]+)"', keys)
    assert len(set(markers)) == STYLE_COUNT


def test_numbers_are_short() -> None:
    values = (0.0, 0.05, 1.0, 12345.678, -0.25, 0.0002)
    assert [number(value) for value in values] == ["0", "0.05", "1", "12,346", "-0.25", "0.0002"]


def test_names_are_text_and_no_markup() -> None:
    views = [View("<i>&", "data:,", '"1"'), View("other", "data:,", "2")]
    figure = comparison("<script>", views, (2, 2), left=0, right=1)
    assert "<script>" not in figure
    assert "<i>&" not in figure
    assert "&lt;i&gt;&amp;" in figure
