"""What a call costs beside its work: one tiny tensor, and a state dict of many small ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nnr

from .timing import rotate

SMALL = 100
TENSORS = 300
TENSOR_SIZES = (16, 64, 100, 256, 576, 1024)


@dataclass(frozen=True)
class Call:
    name: str
    run: Callable[[], object]
    passes: int = 1


def measure(seconds: float) -> dict[str, Any]:
    """Microseconds of each call, by minimum and by median."""
    return {
        f"{SMALL} floats": _microseconds(small_calls(), seconds),
        f"{TENSORS} tensors": _microseconds(state_dict_calls(), seconds),
    }


def small_calls() -> list[Call]:
    values = _values(SMALL)
    quantized = nnr.quantize(values)
    out, packed = np.empty_like(values), np.empty_like(quantized.packed)
    np.testing.assert_array_equal(quantized.packed, nnr.reference.quantize(values).packed)
    return [
        Call("np.multiply(x, 2)", partial(np.multiply, values, 2)),
        Call("nnr.minmax(x)", partial(nnr.minmax, values)),
        Call("nnr.quantize(x)", partial(nnr.quantize, values)),
        Call("nnr.quantize(x, out=)", partial(nnr.quantize, values, out=packed)),
        Call("nnr.quantize(x, lo=, hi=)", partial(nnr.quantize, values, lo=-8, hi=8)),
        Call("nnr.dequantize(q, out=)", partial(nnr.dequantize, quantized, out=out)),
    ]


def state_dict_calls() -> list[Call]:
    tensors = {f"layer{i}": _values(TENSOR_SIZES[i % len(TENSOR_SIZES)]) for i in range(TENSORS)}
    together = nnr.quantize_many(tensors)
    assert list(together) == list(tensors)
    for name, values in tensors.items():
        wanted = nnr.reference.quantize(values)
        np.testing.assert_array_equal(together[name].packed, wanted.packed)
        assert (together[name].lo, together[name].hi) == (wanted.lo, wanted.hi)

    def one_by_one() -> dict[str, nnr.QuantizedArray]:
        return {name: nnr.quantize(values) for name, values in tensors.items()}

    def multiplied() -> dict[str, NDArray[Any]]:
        return {name: np.multiply(values, 2) for name, values in tensors.items()}

    return [
        Call("np.multiply of each", multiplied),
        Call("nnr.quantize of each", one_by_one),
        Call("nnr.quantize_many(tensors)", partial(nnr.quantize_many, tensors)),
    ]


def _values(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(count).standard_normal(count, np.float32)


def _microseconds(calls: list[Call], seconds: float) -> dict[str, dict[str, float]]:
    return {
        call.name: {"min": timing.minimum * 1e6, "median": timing.median * 1e6}
        for call, timing in zip(calls, rotate(calls, seconds), strict=True)
    }
