"""Networks on the native engine: `Network` for any tensor, and what is made of networks.

`PostFilter` improves frames of video, `AutoEncoder` codes pictures.
"""

from __future__ import annotations

from pathlib import Path

from .autoencoder import AutoEncoder
from .integer import IntegerNetwork
from .network import Network
from .postfilter import PostFilter

__all__ = ["POSTFILTER", "AutoEncoder", "IntegerNetwork", "Network", "PostFilter"]

POSTFILTER = Path(__file__).with_name("weights") / "postfilter.onnx"
"""The bundled post filter for VVC All Intra without in-loop filters, QP 22 to 42: Y, Cb and Cr."""
