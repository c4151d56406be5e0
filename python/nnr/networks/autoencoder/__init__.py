"""Pictures as small files: networks for transform and prior, and a coder between them."""

from __future__ import annotations

from .autoencoder import AutoEncoder
from .file import EXTENSION
from .latents import Latents

__all__ = ["EXTENSION", "AutoEncoder", "Latents"]
