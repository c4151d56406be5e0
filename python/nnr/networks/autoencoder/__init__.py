"""Pictures as small files: networks for transform and prior, and a coder between them."""

from __future__ import annotations

from .autoencoder import DEFAULT_MAX_PIXELS, AutoEncoder
from .file import EXTENSION
from .latents import Latents, Transformed

__all__ = ["DEFAULT_MAX_PIXELS", "EXTENSION", "AutoEncoder", "Latents", "Transformed"]
