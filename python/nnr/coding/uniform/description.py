"""The metadata of the fixed-length form: its text, its checksums, and their reading."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from ..._ranges import FLOAT32_MAX
from ...models.dtypes import QUANTIZABLE
from ...models.model import RESERVED_PREFIX
from ...models.safetensors import MAXIMUM_RANK
from ...quantized_array import QuantizedArray

FORMAT_KEY = RESERVED_PREFIX + "format"
FORMAT = "uniform/1"
CHECKSUM_KEY = RESERVED_PREFIX + "checksum"
TOPOLOGY_TEXT = "format=onnx"
TENSOR_PREFIX = RESERVED_PREFIX + "tensor/"
RANGE_PREFIX = RESERVED_PREFIX + "range/"

_CHECKSUM_FIELD = "xxh3"


@dataclass(frozen=True)
class Description:
    """How the packed codes of one tensor are to be read.

    Either ``axis`` is given, and the ranges are an entry of their own, or ``lo`` and ``hi`` are.
    """

    bits: int
    dtype: str
    shape: tuple[int, ...]
    axis: int | None = None
    lo: float = 0.0
    hi: float = 0.0

    @property
    def packed_bytes(self) -> int:
        """The bytes of the codes, the last one filled with zeros."""
        return (math.prod(self.shape) * self.bits + 7) // 8

    @classmethod
    def of(cls, quantized: QuantizedArray, dtype: str) -> Description:
        """Describe a quantised tensor whose type safetensors calls *dtype*."""
        if quantized.axis is not None:
            return cls(quantized.bits, dtype, quantized.shape, quantized.axis)
        lo, hi = float(quantized.lo), float(quantized.hi)
        return cls(quantized.bits, dtype, quantized.shape, None, lo, hi)

    def text(self) -> str:
        """Decimal numbers as Python writes them: read back, they are exactly the same."""
        shape = ",".join(map(str, self.shape))
        place = f"lo={self.lo!r} hi={self.hi!r}" if self.axis is None else f"axis={self.axis}"
        return f"bits={self.bits} dtype={self.dtype} shape={shape} {place}"

    @classmethod
    def parse(cls, text: str) -> Description:
        """Invert `text`; anything else is a ``ValueError``."""
        fields = dict(field.split("=", 1) for field in text.split(" "))
        shape = fields.get("shape", "")
        axis = fields.get("axis")
        description = cls(
            bits=int(fields.get("bits", "0")),
            dtype=fields.get("dtype", ""),
            shape=tuple(map(int, shape.split(","))) if shape else (),
            axis=None if axis is None else int(axis),
            lo=float(fields.get("lo", "0.0")),
            hi=float(fields.get("hi", "0.0")),
        )
        # One spelling alone is valid, which refuses unknown, missing and repeated fields too.
        if description.text() != text or not description._is_valid():
            raise ValueError(f"malformed description {text!r}")
        return description

    def _is_valid(self) -> bool:
        return (
            self.bits > 0
            and self.dtype in QUANTIZABLE
            and len(self.shape) <= MAXIMUM_RANK
            and min(self.shape, default=1) > 0
            and (self.axis is None or 0 <= self.axis < len(self.shape))
            and all(abs(bound) <= FLOAT32_MAX for bound in (self.lo, self.hi))
        )


def with_checksum(text: str, checksum: str) -> str:
    """Append a checksum to *text*."""
    return f"{text} {_CHECKSUM_FIELD}={checksum}".lstrip()


def without_checksum(text: str) -> tuple[str, str]:
    """Invert `with_checksum`: the text, and its checksum."""
    before, _, checksum = text.rpartition(f"{_CHECKSUM_FIELD}=")
    return before.removesuffix(" "), checksum


def entry_checksum(
    name: str, text: str, dtype: str, shape: tuple[int, ...], *parts: NDArray[np.uint8]
) -> str:
    """XXH3-64 of an entry: what is said about it, then its bytes.

    Parameters
    ----------
    name, text : str
        The tensor's name and its description without the checksum.
    dtype, shape
        Of the entry itself, as the header has them.
    *parts : flat uint8 arrays
        The bytes of the entry, then those of the ranges if they are an entry too.
    """
    digest = xxhash.xxh3_64(json.dumps([name, text, dtype, shape]).encode())
    for part in parts:
        digest.update(part.data)
    return digest.hexdigest()


def metadata_checksum(metadata: Mapping[str, str]) -> str:
    """XXH3-64 of the metadata without its checksum, however the file spells and orders it."""
    covered = {key: value for key, value in metadata.items() if key != CHECKSUM_KEY}
    return xxhash.xxh3_64(json.dumps(covered, sort_keys=True).encode()).hexdigest()
