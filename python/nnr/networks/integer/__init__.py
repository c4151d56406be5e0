"""Networks of integers, which give the same bits on every machine; docs/integer.md defines them."""

from __future__ import annotations

from .compile import OutputFormat, compile_graph
from .convert import integer_bit_depth, network_to_integer, postfilter_to_integer
from .file import is_integer_file
from .layers import IntegerGraph, IntegerValue
from .network import IntegerNetwork
from .observe import Observer
from .ranges import ChannelStatistics, observe_ranges
from .validate import validate

__all__ = [
    "ChannelStatistics",
    "IntegerGraph",
    "IntegerNetwork",
    "IntegerValue",
    "Observer",
    "OutputFormat",
    "compile_graph",
    "integer_bit_depth",
    "is_integer_file",
    "network_to_integer",
    "observe_ranges",
    "postfilter_to_integer",
    "validate",
]
