"""gguf, the Python side of llama.cpp: Q8_0, blocks of 32 values with a float16 scale each."""

from __future__ import annotations

import importlib.metadata
from functools import partial

import numpy as np
from gguf import GGMLQuantizationType, quants

from ..cases import Case
from ..contestants import Contestant, Factory

NAME = "gguf"


def version() -> str:
    return importlib.metadata.version("gguf")


def _quantize_whole(case: Case) -> list[Contestant]:
    q8_0 = GGMLQuantizationType.Q8_0
    run = partial(quants.quantize, case.values, q8_0)
    # Half a step of the widest block, and what a scale of 11 bits adds to it.
    largest = float(np.abs(case.values).max())
    check = case.close(partial(quants.dequantize, qtype=q8_0), largest / 127)
    note = "another format: blocks of 32 values with a scale each"
    return [Contestant(NAME, "quantize(Q8_0)", run, check, "new", note)]


WORKS: dict[str, Factory] = {"quantize-whole": _quantize_whole}
