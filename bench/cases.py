"""What is measured: each kind of work, on inputs that all contestants share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

import nnr

SIZES = {"4 KB": 1 << 12, "256 KB": 1 << 18, "4 MB": 1 << 22, "64 MB": 1 << 26}

# The known range: the step is a power of two and zero is a code, so that libraries which store a
# step and a zero point describe exactly the same quantiser as those which store a range.
ZERO_POINT = 128
STEP = 1 / 32
LO = -ZERO_POINT * STEP
HI = LO + 255 * STEP

DTYPES: dict[str, np.dtype[Any]] = {
    "float32": np.dtype(np.float32),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float16": np.dtype(np.float16),
}

Kind = Literal["range", "quantize", "quantize-whole", "dequantize", "pack", "unpack"]


@dataclass(frozen=True)
class Work:
    """One kind of work, whatever the size."""

    kind: Kind
    dtype: str = "float32"
    bits: int = 8

    @property
    def title(self) -> str:
        floats = {
            "range": "range of",
            "quantize": "quantise, known range:",
            "quantize-whole": "quantise, range searched:",
            "dequantize": "dequantise to",
        }
        if self.kind not in floats:
            return f"{self.kind} {self.bits}-bit codes"
        bits = "" if self.bits == 8 else f", {self.bits} bits"
        return f"{floats[self.kind]} {self.dtype}{bits}"


COMPARED = (
    Work("range"),
    Work("quantize"),
    Work("quantize-whole"),
    Work("dequantize"),
    Work("pack", bits=4),
    Work("unpack", bits=4),
    *(
        Work(kind, dtype)
        for dtype in ("bfloat16", "float16")
        for kind in ("range", "quantize", "dequantize")
    ),
)
WIDTHS = tuple(Work(kind, bits=bits) for kind in ("pack", "unpack") for bits in range(1, 17))


class Case:
    """One kind of work on one size: inputs, made when first asked for, and expected results.

    *nbytes* counts the side that GB/s counts: the floats, or for codes uint32, whatever the type
    that a library holds them in.
    """

    def __init__(self, work: Work, nbytes: int) -> None:
        self.work = work
        self.nbytes = nbytes
        self.dtype = DTYPES[work.dtype]
        self.is_of_codes = work.kind in ("pack", "unpack")
        self.count = nbytes // (4 if self.is_of_codes else self.dtype.itemsize)

    @cached_property
    def values(self) -> NDArray[Any]:
        """Floats within the known range, like weights: normal around zero."""
        drawn = np.random.default_rng(1).standard_normal(self.count, np.float32)
        np.clip(drawn, LO, HI, out=drawn)
        # On a grid this fine no sum or product of the quantiser rounds, so that every order of
        # operations must give the same code.
        drawn = np.rint(drawn * np.float32(1 << 20)) / np.float32(1 << 20)
        return aligned_copy(drawn.astype(self.dtype))

    @cached_property
    def codes(self) -> NDArray[Any]:
        """Random codes, in the type that nnr holds them in."""
        dtype = np.uint8 if self.work.bits <= 8 else np.uint16
        drawn = np.random.default_rng(2).integers(0, 1 << self.work.bits, self.count, dtype)
        return aligned_copy(drawn)

    @cached_property
    def packed(self) -> NDArray[np.uint8]:
        return aligned_copy(nnr.reference.pack(self.codes, self.work.bits))

    @cached_property
    def expected(self) -> Any:
        """What the reference makes of the inputs."""
        match self.work.kind:
            case "range":
                return nnr.reference.minmax(self.values)
            case "quantize":
                return nnr.reference.quantize(self.values, lo=LO, hi=HI).packed
            case "quantize-whole":
                return nnr.reference.quantize(self.values, self.work.bits).packed
            case "dequantize":
                return nnr.reference.dequantize(self.quantized)
            case "pack":
                return self.packed
            case "unpack":
                return self.codes

    @property
    def quantized(self) -> nnr.QuantizedArray:
        """The codes as a tensor of the known range."""
        bits, shape = self.work.bits, (self.count,)
        return nnr.QuantizedArray(self.packed, bits, shape, self.dtype, LO, HI)

    def equal(self, read: Callable[[Any], Any] = lambda result: result) -> Callable[[Any], None]:
        """A check that what *read* makes of a result is what the reference gives."""

        def check(result: Any) -> None:
            got, wanted = read(result), self.expected
            if isinstance(wanted, np.ndarray):
                got = np.asarray(got).reshape(-1)
                assert got.dtype == wanted.dtype, f"{got.dtype} is not {wanted.dtype}"
            assert np.array_equal(got, wanted), f"{self.work.title}: differs from the reference"

        return check

    def close(self, read: Callable[[Any], Any], step: float) -> Callable[[Any], None]:
        """A check that a result stands for values within one *step* of the input.

        For libraries that quantise with a definition of their own.
        """

        def check(result: Any) -> None:
            error = np.abs(np.asarray(read(result)).reshape(-1) - self.values).max()
            assert error <= step, f"{self.work.title}: off by {error}, more than {step}"

        return check


def aligned_copy(array: NDArray[Any]) -> NDArray[Any]:
    copy = aligned_empty(array.size, array.dtype)
    copy[:] = array
    return copy


def aligned_empty(count: int, dtype: Any) -> NDArray[Any]:
    """An array that starts at a cache line, so that no contestant pays for split loads."""
    line = 64
    nbytes = count * np.dtype(dtype).itemsize
    memory = np.empty(nbytes + line, np.uint8)
    start = -memory.ctypes.data % line
    return memory[start : start + nbytes].view(dtype)


def reused(count: int, dtype: Any) -> NDArray[Any]:
    """An output that is there before and after the call, its pages touched."""
    array = aligned_empty(count, dtype)
    array.view(np.uint8)[:] = 0
    return array
