"""FastPFor: bit packing of 32-bit integers, blocks of 128 with a width each."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pyfastpfor

from ..cases import Case, reused
from ..contestants import Contestant, Factory

NAME = "fastpfor"
CODEC = "simdbinarypacking"
NOTE = "a format of its own: the codes come back equal"


def version() -> str:
    return str(pyfastpfor.__version__)


def _pack(case: Case) -> list[Contestant]:
    codec, codes = pyfastpfor.getCodec(CODEC), case.codes.astype(np.uint32)
    # Random codes do not compress; a block's width costs it a byte, the whole a few words.
    packed = reused(codes.size + codes.size // 64 + 64, np.uint32)
    encode = partial(codec.encodeArray, codes, codes.size, packed, packed.size)

    def check(words: int) -> None:
        decoded = np.empty_like(codes)
        codec.decodeArray(packed, words, decoded, decoded.size)
        assert np.array_equal(decoded, codes)

    return [Contestant(NAME, f"{CODEC} encode", encode, check, "reused", NOTE)]


def _unpack(case: Case) -> list[Contestant]:
    codec, codes = pyfastpfor.getCodec(CODEC), case.codes.astype(np.uint32)
    packed = reused(codes.size + codes.size // 64 + 64, np.uint32)
    words = codec.encodeArray(codes, codes.size, packed, packed.size)
    decoded = reused(codes.size, np.uint32)
    decode = partial(codec.decodeArray, packed, words, decoded, decoded.size)

    def check(count: Any) -> None:
        assert count == codes.size
        assert np.array_equal(decoded, codes)

    return [Contestant(NAME, f"{CODEC} decode", decode, check, "reused", NOTE)]


WORKS: dict[str, Factory] = {"pack": _pack, "unpack": _unpack}
