"""Compressed, interoperable representation of trained neural networks (MPEG-NNR).

``nnr.quantize(array, bits=8)`` quantises one tensor, ``nnr.load(path)`` reads a model.
"""

from __future__ import annotations

from . import cpu, reference
from ._core import version as __version__
from .bitpack import pack, unpack
from .errors import BitstreamError, ExternalToolError, MissingExtraError, UnsupportedOperatorError
from .minmax import minmax
from .quantize import dequantize, quantize
from .quantized_array import QuantizedArray

__all__ = [
    "BitstreamError",
    "ExternalToolError",
    "MissingExtraError",
    "QuantizedArray",
    "UnsupportedOperatorError",
    "__version__",
    "cpu",
    "dequantize",
    "minmax",
    "pack",
    "quantize",
    "reference",
    "unpack",
]
