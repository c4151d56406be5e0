"""Tables and texts as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..results import OVERALL
from ..tables import Table


def table_html(table: Table) -> str:
    """Return a table that scrolls sideways where it is too wide; overall rows stand out."""
    kinds = [' class="text"' if text else "" for text in table.text_columns]
    heads = "".join(
        f'<th scope="col"{kind}>{escape(head)}</th>'
        for head, kind in zip(table.heads, kinds, strict=True)
    )
    rows = "".join(_row(row, kinds) for row in table.rows)
    return (
        f'<div class="table" tabindex="0" role="group" aria-label="{escape(table.title)}">'
        f"<table><caption>{escape(table.title)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def list_html(lines: Sequence[str]) -> str:
    """Return lines of plain text as a list."""
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def heading(text: str) -> str:
    """Return the heading of a part of a section."""
    return f"<h3>{escape(text)}</h3>"


def figure(caption: str, content: str, *, kind: str = "") -> str:
    """Return a figure with the caption above it."""
    return f'<figure class="{kind}"><figcaption>{escape(caption)}</figcaption>{content}</figure>'


def unbroken(values: Sequence[str]) -> str:
    """Join values so that a line is broken between them, and not within one."""
    return ", ".join(value.replace(" ", "\N{NO-BREAK SPACE}") for value in values)


def captioned_picture(uri: str, shape: tuple[int, ...], title: str, name: str, values: str) -> str:
    """Return a picture as an item of a list, with its name and its quality below."""
    height, width = shape[:2]
    return (
        f'<li><img src="{uri}" width="{width}" height="{height}" '
        f'alt="{escape(f"{title}: {name}")}"><b>{escape(name)}</b>{escape(values)}</li>'
    )


def _row(cells: Sequence[str], kinds: Sequence[str]) -> str:
    emphasis = ' class="overall"' if OVERALL in cells else ""
    row = "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(cells, kinds, strict=True))
    return f"<tr{emphasis}>{row}</tr>"
