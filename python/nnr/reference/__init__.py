"""The NumPy twins of the array functions and kernels: same names, same arguments, same bits.

They say in the fewest words what the native core computes, and the tests hold it to them.
"""

from __future__ import annotations

from .bitpack import pack, unpack
from .minmax import minmax
from .quantize import dequantize, quantize, quantize_many

__all__ = ["dequantize", "minmax", "pack", "quantize", "quantize_many", "unpack"]
