"""The fixed-length form: uniformly quantised weights of 1 to 16 bits in a safetensors file.

Any safetensors reader opens the file. A quantised tensor is one U8 entry under its own name, its
packed codes; a tensor that was not quantised is an ordinary entry. The topology is the entry
``nnr.topology``, the ranges of a tensor with one range a channel are the entry
``nnr.range/<name>``, two rows of float32: lowest and highest values. The header's metadata says
how to read them:

========================  ======================================================================
``nnr.format``            ``uniform/1``
``nnr.checksum``          XXH3-64 of all other metadata
``nnr.topology``          ``format=onnx xxh3=...``
``nnr.tensor/<name>``     ``bits=8 dtype=F32 shape=64,3,3,3 lo=-0.5 hi=0.25 xxh3=...`` for a
                          quantised tensor, with ``axis=0`` in place of the range where it is an
                          entry; ``xxh3=...`` for another
========================  ======================================================================

A tensor's checksum covers its name, its description and its bytes, so that any tensor can be
read, checked and rebuilt without the rest.
"""

from .compress import CompressedModel, compress
from .file import CompressedFile, is_compressed
from .record import TensorRecord

__all__ = ["CompressedFile", "CompressedModel", "TensorRecord", "compress", "is_compressed"]
