"""Line charts as SVG text: axes, curves, markers, and nothing that has to be fetched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

Point = tuple[float, float]

# Drawn around (0, 0), about eight units wide, so that curves differ by more than colour.
_MARKERS = (
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z",
    "M-3.6,-3.6h7.2v7.2h-7.2z",
    "M0,-4.8L4.6,3.6H-4.6z",
    "M0,-5L5,0L0,5L-5,0z",
    "M0,4.8L4.6,-3.6H-4.6z",
    "M-4.4,-1.6h2.8v-2.8h3.2v2.8h2.8v3.2h-2.8v2.8h-3.2v-2.8h-2.8z",
    "M0,-4.8L4.6,-1.5L2.8,3.9H-2.8L-4.6,-1.5z",
    "M-4.4,-2.4L-2.4,-4.4L0,-2L2.4,-4.4L4.4,-2.4L2,0L4.4,2.4L2.4,4.4L0,2L-2.4,4.4L-4.4,2.4L-2,0z",
)
STYLE_COUNT = len(_MARKERS)
_TICKS, _MIN_TICKS = 5, 3
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 16, 12, 46
# What a curve may come near the frame, as a share of the range of its values.
_MARGIN = 0.06


@dataclass(frozen=True)
class Series:
    """One curve.

    Parameters
    ----------
    label : str
    points : sequence of (float, float)
        In drawing order; one that is not finite, such as the PSNR of equal pictures, is left out.
    style : int
        Colour and marker, 0 to ``STYLE_COUNT - 1``; one curve has one style on a whole page.
    notes : sequence of str
        What each point says of itself when pointed at; by default its coordinates.
    names : sequence of str
        Short text that stands beside each point; by default none.
    """

    label: str
    points: Sequence[Point]
    style: int
    notes: Sequence[str] = ()
    names: Sequence[str] = ()

    def drawable(self) -> Series:
        """Return the curve without what cannot be drawn, and with a note and a name a point."""
        notes = self.notes or [f"{number(x)}, {number(y)}" for x, y in self.points]
        names = self.names or [""] * len(self.points)
        kept = [
            (point, note, name)
            for point, note, name in zip(self.points, notes, names, strict=True)
            if all(map(math.isfinite, point))
        ]
        points, notes, names = zip(*kept, strict=True) if kept else ((), (), ())
        return replace(self, points=points, notes=notes, names=names)


@dataclass(frozen=True)
class Axis:
    """What an axis measures, whether it does so by powers, and where its ticks are to stand."""

    label: str
    logarithmic: bool = False
    ticks: Sequence[float] = ()


@dataclass(frozen=True)
class _Scale:
    """Values to positions between *start* and *end*."""

    low: float
    high: float
    start: float
    end: float
    axis: Axis

    def __call__(self, value: float) -> float:
        low, high, at = self.low, self.high, value
        if self.axis.logarithmic:
            low, high, at = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        if self.axis.ticks:
            return list(self.axis.ticks)
        powers = _powers(self.low, self.high) if self.axis.logarithmic else []
        return powers if len(powers) >= _MIN_TICKS else _round_steps(self.low, self.high)


def line_chart(
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    *,
    description: str,
    size: tuple[int, int] = (640, 420),
) -> str:
    """Draw curves with their axes.

    Parameters
    ----------
    series : sequence of Series
        Points are above 0 where an axis is logarithmic. Curves without points are not drawn.
    x, y : Axis
    description : str
        What somebody who cannot see the chart is told.
    size : (int, int)
        Width and height in units of the drawing, which scales with the page.

    Returns
    -------
    str
        An ``svg`` element; colours and fonts are the page's.

    Examples
    --------
    >>> curve = Series("a codec", [(0.5, 30.0), (1.0, 34.0)], style=0)
    >>> svg = line_chart([curve], Axis("bpp"), Axis("dB"), description="PSNR over rate")
    >>> svg.startswith('<svg class="chart"'), svg.count('class="curve"')
    (True, 1)
    """
    width, height = size
    drawn = [curve for curve in (one.drawable() for one in series) if curve.points]
    head = (
        f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(description)}">'
    )
    if not drawn:
        return f'{head}<text class="axis" x="{width / 2}" y="{height / 2}">no values</text></svg>'
    across = _scale([p[0] for s in drawn for p in s.points], x, _LEFT, width - _RIGHT)
    up = _scale([p[1] for s in drawn for p in s.points], y, height - _BOTTOM, _TOP)
    curves = "".join(_curve(one, across, up) for one in drawn)
    return f"{head}{_axes(across, up, x, y, width, height)}{curves}</svg>"


def legend(series: Sequence[tuple[str, int]]) -> str:
    """List labels with the line and the marker of their styles."""
    items = "".join(
        f'<li><svg class="key s{style}" viewBox="-14 -6 28 12" aria-hidden="true">'
        f'<path class="line" d="M-13,0H13"/><path class="marker" d="{_MARKERS[style]}"/></svg>'
        f"{escape(label)}</li>"
        for label, style in series
    )
    return f'<ul class="legend">{items}</ul>'


def number(value: float) -> str:
    """Write a value with as many digits as a reader of a chart needs.

    Examples
    --------
    >>> number(0.25), number(200000.0), number(0.0001)
    ('0.25', '200,000', '0.0001')
    """
    if value and abs(value) < 1e-3:
        return f"{value:.3g}" if abs(value) < 1e-4 else f"{value:.4f}".rstrip("0")
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _scale(values: Sequence[float], axis: Axis, start: float, end: float) -> _Scale:
    low, high = min(values), max(values)
    if axis.logarithmic:
        ratio = max(high / low, 1.01) ** _MARGIN
        return _Scale(low / ratio, high * ratio, start, end, axis)
    margin = (high - low) * _MARGIN or 1.0
    return _Scale(low - margin, high + margin, start, end, axis)


def _axes(across: _Scale, up: _Scale, x: Axis, y: Axis, width: int, height: int) -> str:
    bottom, right = height - _BOTTOM, width - _RIGHT
    parts = [
        f'<path class="grid" d="M{across(tick):.1f},{_TOP}V{bottom}"/>'
        f'<text class="tick" x="{across(tick):.1f}" y="{bottom + 18}">{number(tick)}</text>'
        for tick in across.ticks()
    ]
    parts += [
        f'<path class="grid" d="M{_LEFT},{up(tick):.1f}H{right}"/>'
        f'<text class="tick y" x="{_LEFT - 8}" y="{up(tick) + 4:.1f}">{number(tick)}</text>'
        for tick in up.ticks()
    ]
    middle = (_TOP + bottom) / 2
    parts += [
        f'<path class="frame" d="M{_LEFT},{_TOP}V{bottom}H{right}"/>',
        f'<text class="axis" x="{(_LEFT + right) / 2}" y="{height - 8}">{escape(x.label)}</text>',
        f'<text class="axis" transform="translate(14 {middle}) rotate(-90)">{escape(y.label)}</text>',
    ]
    return "".join(parts)


def _curve(series: Series, across: _Scale, up: _Scale) -> str:
    places = [(across(x), up(y)) for x, y in series.points]
    line = "L".join(f"{x:.1f},{y:.1f}" for x, y in places)
    markers = "".join(
        f'<path class="marker" transform="translate({x:.1f} {y:.1f})" '
        f'd="{_MARKERS[series.style]}"><title>{escape(f"{series.label}: {note}")}</title></path>'
        for (x, y), note in zip(places, series.notes, strict=True)
    )
    names = "".join(
        f'<text class="name" x="{x:.1f}" y="{y - 9:.1f}">{escape(name)}</text>'
        for (x, y), name in zip(places, series.names, strict=True)
        if name
    )
    return (
        f'<g class="s{series.style}" data-series="{escape(series.label)}">'
        f'<path class="curve" d="M{line}"/>{markers}{names}</g>'
    )


def _round_steps(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, about as many as fit."""
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(index * step, 12) for index in range(first, last + 1)]


def _powers(low: float, high: float) -> list[float]:
    """Powers of ten, with their doubles and halves where they are few."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    powers = [10.0**exponent for exponent in exponents]
    inside = [power for power in powers if low <= power <= high]
    if len(inside) >= _TICKS - 1:
        return inside
    finer = [factor * power for power in powers for factor in (1, 2, 5)]
    return [value for value in finer if low <= value <= high]
