"""The evaluation as one page to look at: pictures, charts, tables, and no network access."""

from __future__ import annotations

from .autoencoder import autoencoder_part
from .page import report_page
from .part import Part
from .postfilter import postfilter_part

__all__ = ["Part", "autoencoder_part", "postfilter_part", "report_page"]
