"""The pure-Python twin of the NNC codec (ISO/IEC 15938-17): its readable definition.

From the bits upwards: `bits`, `units` and `ndu` are the headers; `contexts` and `arithmetic` the
entropy coder; `layer` the syntax of a tensor's levels, said once for `coders` that read or write
and for `search`; `quantization` what levels stand for; `tensor`, `data_unit`, `decoder` and
`encoder` put them together.
"""

from __future__ import annotations

from .decoder import DecodedStream, decode_stream
from .encoder import EncoderOptions, encode_stream
from .layer import dq_index
from .ndu import Codebook
from .quantization import dequantize, step_size, trellis_quantize, uniform_quantize
from .tensor import choose_context_ids, decode_layer, encode_layer

__all__ = [
    "Codebook",
    "DecodedStream",
    "EncoderOptions",
    "choose_context_ids",
    "decode_layer",
    "decode_stream",
    "dequantize",
    "dq_index",
    "encode_layer",
    "encode_stream",
    "step_size",
    "trellis_quantize",
    "uniform_quantize",
]
