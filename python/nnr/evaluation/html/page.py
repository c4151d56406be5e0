"""The page as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

from ..._core import version
from ..tables import in_order
from .markup import heading, list_html, table_html
from .part import Card, Part, Section

_TITLE = "What compressing a network costs"


def report_page(parts: Sequence[Part]) -> str:
    """Return one self-contained HTML page; it fetches nothing.

    Parameters
    ----------
    parts : sequence of Part
        The use cases, from `postfilter_part` and `autoencoder_part`.
    """
    sections = [section for part in parts for section in part.sections]
    sections += [_tables(parts), _definitions(parts)]
    return Template(_text("page.html")).substitute(
        title=_TITLE,
        lead=escape(" ".join(part.lead for part in parts)),
        style=_text("page.css"),
        script=_text("page.js"),
        summary="".join(_card(card) for part in parts for card in part.cards),
        contents="".join(
            f'<li><a href="#{section.identifier}">{escape(section.title)}</a></li>'
            for section in sections
        ),
        sections="".join(map(_section, sections)),
        version=escape(version),
    )


def _tables(parts: Sequence[Part]) -> Section:
    tables = in_order(table for part in parts for table in part.tables)
    return Section("tables", "Tables", "", "".join(map(table_html, tables)))


def _definitions(parts: Sequence[Part]) -> Section:
    lists = "".join(heading(part.name) + list_html(part.definitions) for part in parts)
    return Section("definitions", "Definitions", "", lists)


def _section(section: Section) -> str:
    introduction = f"<p>{escape(section.introduction)}</p>" if section.introduction else ""
    return (
        f'<section id="{section.identifier}"><h2>{escape(section.title)}</h2>'
        f"{introduction}{section.content}</section>"
    )


def _card(card: Card) -> str:
    return f"<li><strong>{escape(card.value)}</strong><span>{escape(card.meaning)}</span></li>"


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
