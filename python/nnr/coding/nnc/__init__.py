"""ISO/IEC 15938-17: entropy-coded weights of neural networks, ``.nnr`` and ``.nnc`` files.

A bitstream is a sequence of units: a start, a set of parameters, topologies, and a data unit for
each tensor. What is said of a tensor stands before its values, so that any of them is found and
decoded without the rest. What this package adds stands in a unit that other readers skip; see
`nnr.coding.nnc.description`.
"""

from .decode import decode
from .encode import encode
from .encode_model import EncodedModel, encode_model
from .file import NncFile
from .record import NncRecord
from .series import DecodedModel

__all__ = [
    "DecodedModel",
    "EncodedModel",
    "NncFile",
    "NncRecord",
    "decode",
    "encode",
    "encode_model",
]
