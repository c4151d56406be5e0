"""Compressed, interoperable representation of trained neural networks (MPEG-NNR).

``nnr.quantize(array, bits=8)`` quantises one tensor, ``nnr.load(path)`` reads a model,
``nnr.encode(model, bits=8)`` makes a bitstream of it.
"""

from __future__ import annotations

from . import cpu, reference
from ._core import version as __version__
from .bitpack import pack, unpack
from .coding.nnc import NncFile, decode, encode
from .coding.uniform import CompressedFile, CompressedModel, compress
from .compression import compress_to_loss
from .errors import BitstreamError, ExternalToolError, MissingExtraError, UnsupportedOperatorError
from .minmax import minmax
from .models import Model, Topology, load
from .networks import AutoEncoder, IntegerNetwork, Network, PostFilter
from .quantize import dequantize, quantize, quantize_many
from .quantized_array import QuantizedArray

__all__ = [
    "AutoEncoder",
    "BitstreamError",
    "CompressedFile",
    "CompressedModel",
    "ExternalToolError",
    "IntegerNetwork",
    "MissingExtraError",
    "Model",
    "Network",
    "NncFile",
    "PostFilter",
    "QuantizedArray",
    "Topology",
    "UnsupportedOperatorError",
    "__version__",
    "compress",
    "compress_to_loss",
    "cpu",
    "decode",
    "dequantize",
    "encode",
    "load",
    "minmax",
    "pack",
    "quantize",
    "quantize_many",
    "reference",
    "unpack",
]
