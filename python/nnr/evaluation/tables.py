"""Tables as Markdown: aligned in a terminal, and ready to be pasted into a report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A title, column heads, and cells that are already text.

    Examples
    --------
    >>> table = Table("Table 1. Sizes", ["model", "bytes"], [["original", "1,024"]])
    >>> print(table.markdown())
    Table 1. Sizes
    <BLANKLINE>
    | model    | bytes |
    |:---------|------:|
    | original | 1,024 |
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def text_columns(self) -> list[bool]:
        """Whether each column holds text, and not numbers."""
        return [
            any(cell[:1].isalpha() and cell != "inf" for cell in column)
            for column in zip(*self.rows, strict=True)
        ]

    def markdown(self) -> str:
        """Return the table with its columns aligned, text to the left and numbers to the right."""
        widths = [max(map(len, column)) for column in zip(self.heads, *self.rows, strict=True)]
        is_text = self.text_columns

        def line(cells: Sequence[str]) -> str:
            padded = (
                cell.ljust(width) if text else cell.rjust(width)
                for cell, width, text in zip(cells, widths, is_text, strict=True)
            )
            return f"| {' | '.join(padded)} |"

        rule = "|".join(
            ":" + "-" * (width + 1) if text else "-" * (width + 1) + ":"
            for width, text in zip(widths, is_text, strict=True)
        )
        return "\n".join(
            [self.title, "", line(self.heads), f"|{rule}|", *(line(row) for row in self.rows)]
        )


def in_order(tables: Iterable[Table]) -> list[Table]:
    """Sort tables by the numbers in their titles.

    Examples
    --------
    >>> in_order([Table("Table 10. Last", [], []), Table("Table 4. First", [], [])])[0].title
    'Table 4. First'
    """
    return sorted(tables, key=lambda table: int(table.title.split()[1].rstrip(".")))


def markdown(tables: Iterable[Table], lists: Mapping[str, Sequence[str]]) -> str:
    """Return tables, then lists of definitions under their headings.

    Examples
    --------
    >>> print(markdown([], {"Definitions": ["rate: bytes"]}))
    Definitions
    <BLANKLINE>
    - rate: bytes
    """
    parts = [table.markdown() for table in tables]
    for heading, lines in lists.items():
        parts += [heading, "\n".join(f"- {line}" for line in lines)]
    return "\n\n".join(parts)


def decimal(value: float, places: int) -> str:
    """Format a value; the minus of a value that rounds to zero is dropped, and NaN is a dash.

    Examples
    --------
    >>> decimal(-0.00001, 3), decimal(float("inf"), 3), decimal(float("nan"), 3)
    ('0.000', 'inf', '-')
    """
    if math.isnan(value):
        return "-"
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def difference(minuend: float, subtrahend: float) -> float:
    """Subtract, where two equal infinities (lossless pictures) differ by nothing.

    Examples
    --------
    >>> difference(float("inf"), float("inf"))
    0.0
    """
    return 0.0 if minuend == subtrahend else minuend - subtrahend
