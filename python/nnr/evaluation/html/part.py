"""What one use case contributes to a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..tables import Table


@dataclass(frozen=True)
class Card:
    """One number for the top of the page, and what it means."""

    value: str
    meaning: str


@dataclass(frozen=True)
class Section:
    """A part of the page with its heading.

    Parameters
    ----------
    identifier : str
        What links lead to.
    title, introduction : str
        Plain text.
    content : str
        HTML.
    """

    identifier: str
    title: str
    introduction: str
    content: str


@dataclass(frozen=True)
class Part:
    """One use case: its numbers, sections, tables and definitions.

    Parameters
    ----------
    name : str
        What the definitions are headed by.
    lead : str
        A sentence or two for the top of the page.
    """

    name: str
    lead: str
    cards: Sequence[Card]
    sections: Sequence[Section]
    tables: Sequence[Table]
    definitions: Sequence[str]
