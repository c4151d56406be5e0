"""The evaluation as one page to look at: pictures, charts, tables, and no network access."""

from __future__ import annotations

from .page import report_page

__all__ = ["report_page"]
