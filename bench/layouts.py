"""What channel axes and strides cost: 4 MB of float32, every result newly allocated."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import nnr

from . import peers
from .cases import LO, STEP, ZERO_POINT, Case, Work
from .comparison import Result, entry_of, progress, ratios
from .contestants import NAME, Contestant
from .timing import rotate

WORKS = ("range", "quantise, known range", "quantise, range searched", "dequantise")


@dataclass(frozen=True)
class Layout:
    name: str
    shape: tuple[int, ...]
    axis: int | None = None  # of the channels, each with a range of its own
    is_transposed: bool = False


LAYOUTS = (
    Layout("one range", (1024, 1024)),
    Layout("one range, transposed", (1024, 1024), is_transposed=True),
    Layout("axis 0, rows of 1,024", (1024, 1024), axis=0),
    Layout("axis 0, runs of 9", ((1 << 20) // 9, 3, 3), axis=0),
    Layout("axis 1, runs of 9", (64, (1 << 14) // 9, 3, 3), axis=1),
    Layout("axis 1, columns", (1024, 1024), axis=1),
)


class LaidOut:
    """Values in a layout, and known ranges of which every other one is twice as wide."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.axis = layout.axis
        flat = Case(Work("quantize"), 4 * math.prod(layout.shape)).values
        values = flat.reshape(layout.shape)
        self.values = values.T if layout.is_transposed else values
        # What NumPy reduces, and how it has to see one value a channel.
        self.reduced = tuple(i for i in range(values.ndim) if i != self.axis)
        self.broadcast = [side if i == self.axis else 1 for i, side in enumerate(layout.shape)]
        wider = 1 + np.arange(math.prod(self.broadcast), dtype=np.float32) % 2
        self.lo, self.step = np.float32(LO) * wider, np.float32(STEP) * wider
        lo, hi = self.lo, self.lo + 255 * self.step
        self.known: dict[str, Any] = (
            {"lo": float(lo[0]), "hi": float(hi[0])}
            if self.axis is None
            else {"lo": lo, "hi": hi, "axis": self.axis}
        )
        self.quantized = nnr.reference.quantize(self.values, **self.known)

    def expected(self, work: str) -> Any:
        match work:
            case "range":
                return nnr.reference.minmax(self.values, axis=self.axis)
            case "quantise, known range":
                return self.quantized.codes()
            case "quantise, range searched":
                return nnr.reference.quantize(self.values, axis=self.axis).codes()
            case _:
                return nnr.reference.dequantize(self.quantized)


def measure(seconds: float) -> list[Result]:
    """Every work on every layout, *seconds* each."""
    cases = {layout: LaidOut(layout) for layout in LAYOUTS}
    todo = [
        (work, cases[layout])
        for work in WORKS
        for layout in LAYOUTS
        if not (work == "dequantise" and layout.is_transposed)  # codes are in C order always
    ]
    return [
        _compare(work, case, seconds)
        for work, case in progress(todo, lambda item: f"{item[0]}, {item[1].layout.name}")
    ]


def _compare(work: str, case: LaidOut, seconds: float) -> Result:
    entrants = contestants(work, case)
    for entrant in entrants:
        entrant.check(entrant.run())
    timings = rotate(entrants, seconds)
    entries = [entry_of(case.values.nbytes, *pair) for pair in zip(entrants, timings, strict=True)]
    return {
        "work": work,
        "layout": case.layout.name,
        "entries": entries,
        "ratios": ratios(entries),
    }


def contestants(work: str, case: LaidOut) -> list[Contestant]:
    expected = case.expected(work)

    def check(result: Any) -> None:
        assert np.array_equal(_read(result), expected), f"{work}, {case.layout.name}"

    calls = {NAME: _nnr(case), "numpy": _numpy(case)}
    if case.axis is not None and "torch" in peers.installed():
        calls["torch"] = _torch(case, case.axis)
    return [
        Contestant(library, work, of_library[work], check, "new")
        for library, of_library in calls.items()
        if work in of_library
    ]


def _read(result: Any) -> Any:
    """Codes or floats, whatever holds them."""
    if isinstance(result, nnr.QuantizedArray):
        return result.codes()
    if hasattr(result, "int_repr") and result.is_quantized:
        return result.int_repr().numpy()
    return result


Calls = dict[str, Callable[[], object]]


def _nnr(case: LaidOut) -> Calls:
    values, axis = case.values, case.axis
    return {
        "range": partial(nnr.minmax, values, axis=axis, threads=1),
        "quantise, known range": partial(nnr.quantize, values, **case.known, threads=1),
        "quantise, range searched": partial(nnr.quantize, values, axis=axis, threads=1),
        "dequantise": partial(nnr.dequantize, case.quantized, threads=1),
    }


def _numpy(case: LaidOut) -> Calls:
    values, reduced = case.values, case.reduced
    known_lo, known_step = case.lo.reshape(case.broadcast), case.step.reshape(case.broadcast)
    inverse, codes = 1 / known_step, case.quantized.codes()

    def quantize(lo: Any, inverse: Any) -> Any:
        levels = np.clip(np.rint((values - lo) * inverse), 0, np.float32(255))
        return levels.astype(np.uint8, order="C")  # as all do; of itself it would keep the strides

    def quantize_searched() -> Any:
        lo, hi = (f(values, axis=reduced, keepdims=True) for f in (np.min, np.max))
        step = np.float32((hi.astype(np.float64) - lo) / 255)
        return quantize(lo, np.float32(1 / step.astype(np.float64)))

    return {
        "range": lambda: (values.min(axis=reduced), values.max(axis=reduced)),
        "quantise, known range": partial(quantize, known_lo, inverse),
        "quantise, range searched": quantize_searched,
        "dequantise": lambda: codes * known_step + known_lo,
    }


def _torch(case: LaidOut, axis: int) -> Calls:
    import torch

    quantize = partial(
        torch.quantize_per_channel,
        torch.from_numpy(case.values),
        torch.from_numpy(case.step),
        torch.full(case.step.shape, ZERO_POINT),
        axis,
        torch.quint8,
    )
    return {
        "quantise, known range": quantize,
        "dequantise": partial(torch.dequantize, quantize()),
    }
