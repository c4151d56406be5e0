"""From options to what is coded of each tensor, and with which quantisation parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ..._arguments import raise_not_finite
from ...models.model import Model
from .description import Origin
from .options import EncodeOptions
from .representation import to_coded
from .rules import Quantizer, Settings, settings_of
from .series import Series
from .steps import clamped, lowest_qp, qp_at_most, qp_of_precision

# Vectors are few and matter: a bias is added once to what sums thousands of weights.
_VECTOR_OCTAVES = 2
_VECTOR_LEVELS = 1 << 14
_FACTOR_ENDS = ("_G", "_H")
_WORTH_A_CODEBOOK = 256
# Of the native core.
_LARGEST_LEVEL = 1 << 29
_COMMON = ("rmse", "target_size")


@dataclass(eq=False, slots=True)
class Planned:
    """One tensor on its way into the bitstream.

    Parameters
    ----------
    name, original
        As the caller gave them.
    coded : float32 or int32 array
    origin : Origin or None
        What the description has to say of it.
    qp : int
    is_vector : bool
        Whether its step is to be finer than that of weights.
    common : bool
        Whether the QP follows one of the whole model that is searched for.
    raw, dq, codebook, scan_order, rdo
        Of the native core.
    max_error : float or None
        What is guaranteed.
    limits : (float, float) or None
        The lowest and the highest value, where they were needed.
    note : str
        Why it is not coded as asked.
    """

    name: str
    original: NDArray[Any]
    coded: NDArray[Any]
    origin: Origin | None
    is_float: bool
    is_vector: bool = False
    qp: int = 0
    common: bool = False
    raw: bool = False
    dq: bool = False
    codebook: bool = False
    scan_order: int = 0
    rdo: float = 0.0
    max_error: float | None = None
    limits: tuple[float, float] | None = None
    note: str = ""

    def leave_raw(self) -> None:
        """Give up quantising it."""
        self.raw, self.note = True, "too fine for a step"


class Planner:
    """Applies options to tensors.

    Parameters
    ----------
    options : EncodeOptions
    """

    def __init__(self, options: EncodeOptions) -> None:
        self.options = options
        self._density = options.density
        self._lowest = lowest_qp(options.density)
        self._vector_qp = options.vector_qp
        self._rdo = (0.0 if options.is_nncodec else 1.0) if options.rdo is None else options.rdo

    def plan(self, model: Model) -> list[Planned]:
        """Return all tensors in their order.

        Raises
        ------
        TypeError, ValueError
            A tensor cannot be coded as asked; the message names it.
        """
        _check_names(model)
        if self.options.is_nncodec and not model.tensors:
            raise ValueError("NNCodec takes no model without tensors; leave out profile")
        settings = settings_of(model.tensors, self.options.parsed_rules, self.options.settings)
        return [
            self._planned(name, array, settings.get(name, self.options.settings))
            for name, array in model.tensors.items()
        ]

    def set_common(self, planned: Planned, qp: int) -> None:
        """Give a tensor the QP that follows from *qp* for the weights of the model."""
        if planned.is_vector:
            planned.qp = self._finer(planned, qp)
            return
        if planned.common:
            qp = max(qp, self._precision(planned))
        planned.qp = clamped(qp, self._density)

    def finest(self, planned: Planned) -> int:
        """Return the QP of the finest step that is of use and can be coded."""
        return max(self._precision(planned), self._lowest)

    def _planned(self, name: str, array: NDArray[Any], settings: Settings) -> Planned:
        coded, origin, is_float = to_coded(name, array)
        if self.options.is_nncodec:
            _check_for_nncodec(name, array, origin)
        planned = Planned(name, array, coded, origin, is_float)
        if planned.coded.ndim > 1:
            planned.scan_order = settings.scan_order or 0
        if not is_float:
            return planned
        quantizer = settings.quantizer
        assert quantizer is not None
        planned.codebook = bool(settings.codebook)
        planned.dq = settings.dq if settings.dq is not None else quantizer.kind != "max_error"
        planned.rdo = self._rdo
        # What a rule says is meant for vectors as it is.
        planned.is_vector = array.ndim < 2 and quantizer is self.options.quantizer
        self._quantize(planned, quantizer)
        return planned

    def _quantize(self, planned: Planned, quantizer: Quantizer) -> None:
        kind, value = quantizer
        if kind == "raw":
            planned.raw = True
        elif kind == "qp":
            self._quantize_by_qp(planned, int(value) * self.options.qp_scale)
        elif kind == "bits":
            self._quantize_by_bits(planned, (1 << int(value)) - 1)
        elif kind in _COMMON:
            planned.common = True
            self._measure(planned)
        elif kind == "max_error":
            self._quantize_by_error(planned, value)
        else:
            qp = qp_at_most(value, self._density)
            if qp < self._lowest:
                raise ValueError(f"a step of {value} is too fine; the finest is 2**-32")
            self.set_common(planned, qp)

    def _quantize_by_qp(self, planned: Planned, qp: int) -> None:
        if planned.is_vector and self._vector_qp is not None:
            planned.qp = self._vector_qp
        else:
            self.set_common(planned, qp)

    def _quantize_by_error(self, planned: Planned, allowed: float) -> None:
        if planned.dq:
            raise ValueError(
                f"tensor {planned.name!r}: max_error needs the uniform quantiser, not dq"
            )
        planned.max_error, planned.rdo = allowed, 0.0
        qp = qp_at_most(2 * allowed, self._density)
        lo, hi = self._measure(planned)
        too_fine = qp < self.finest(planned)
        if too_fine or max(-lo, hi) > _LARGEST_LEVEL * _core.nnc_step_size(qp, self._density):
            planned.leave_raw()
            return
        self.set_common(planned, qp)

    def _quantize_by_bits(self, planned: Planned, steps: int) -> None:
        lo, hi = self._measure(planned)
        # A constant tensor has to be reached from zero.
        span = hi - lo or abs(hi)
        if span == 0:
            return
        # All of a constant tensor is in its codebook, which is worth that others see float64. Not in
        # a series, where programs differ in whether a level of zero is a value of zero.
        if lo == hi and planned.coded.size >= _WORTH_A_CODEBOOK and not self.options.in_series:
            planned.codebook = True
        # The quantisers that dependent quantisation chooses from have twice the step each.
        step = span / steps / (2 if planned.dq else 1)
        qp = max(qp_at_most(step, self._density), self._precision(planned))
        if qp < self._lowest:
            planned.leave_raw()
            return
        self.set_common(planned, qp)

    def _finer(self, planned: Planned, qp: int) -> int:
        """The QP of a vector beside weights of *qp*."""
        lo, hi = self._measure(planned)
        fine = qp - (_VECTOR_OCTAVES << self._density)
        if span := hi - lo or abs(hi):
            fine = min(fine, qp_at_most(span / _VECTOR_LEVELS, self._density))
            precision = self._precision(planned)
            fine = max(fine, precision if planned.common else min(qp, precision))
        return clamped(fine, self._density)

    def _precision(self, planned: Planned) -> int:
        lo, hi = self._measure(planned)
        return qp_of_precision(max(-lo, hi), self._density)

    def _measure(self, planned: Planned) -> tuple[float, float]:
        """The lowest and the highest value."""
        if planned.limits is None:
            if not planned.coded.size:
                planned.limits = 0.0, 0.0
                return planned.limits
            lo, hi, bad = _core.minmax(planned.coded, None, 0)
            if bad is not None:
                raise_not_finite(planned.coded, bad, f"tensor {planned.name!r}: array")
            planned.limits = float(lo), float(hi)
        return planned.limits


class TaskMaker:
    """Makes what the native core codes.

    Parameters
    ----------
    options : EncodeOptions
    series : Series
        The state before this step; empty if there is none.
    """

    def __init__(self, options: EncodeOptions, series: Series) -> None:
        self._series = series
        self._free_number = max((state.node[1] for state in series.values()), default=0)
        self._begins_series = options.series
        self._unary_length = options.coded_unary_length
        self._row_skipping = options.row_skipping
        self._optimize_contexts = options.optimize_contexts
        self._nncodec = options.is_nncodec

    def task(self, planned: Planned, number: int) -> _core.NncEncodeTask:
        """Return the task of the tensor with this place in the model.

        A tensor of a series keeps the number that it began with, and what is empty has no past.
        """
        # NNCodec numbers steps from 1 on, and has the first one build on nothing at all.
        depth, parent = (1, (0, False)) if self._begins_series else (0, None)
        levels = history = None
        state = self._series.get(planned.name) if self._series else None
        if state is not None:
            number = state.node[1]
        elif self._series:
            number = self._free_number = self._free_number + 1
        if state is not None and planned.coded.size and state.active.shape == planned.coded.shape:
            levels = None if planned.raw else state.levels
            history = None if planned.raw else state.active
            depth, parent = state.node[2] + 1, (0, levels is not None)
        return _core.NncEncodeTask(
            planned.name,
            planned.coded,
            planned.qp,
            dq=planned.dq,
            rdo=planned.rdo,
            unary_length=self._unary_length,
            scan_order=planned.scan_order,
            row_skipping=self._row_skipping,
            optimize_contexts=self._optimize_contexts,
            codebook=planned.codebook,
            raw=planned.raw,
            nncodec=self._nncodec,
            node=(0, number, depth),
            parent=parent,
            base_levels=levels,
            history=history,
        )


def _check_names(model: Model) -> None:
    for name in model.tensors:
        if "\0" in name:
            raise ValueError(f"tensor {name!r}: the name must not hold NUL")
        if not name.isascii():
            _check_encodable(name, f"tensor {name!r}: the name")
    for key, value in model.metadata.items():
        _check_encodable(key + value, f"metadata {key!r}")


def _check_encodable(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} cannot be encoded as UTF-8") from None


def _check_for_nncodec(name: str, array: NDArray[Any], origin: Origin | None) -> None:
    if array.dtype not in (np.float32, np.int32):
        raise TypeError(
            f"tensor {name!r}: NNCodec takes float32 and int32, got {array.dtype}; "
            "leave out profile"
        )
    if origin is not None:
        raise ValueError(
            f"tensor {name!r}: NNCodec takes no shape {array.shape}; leave out profile"
        )
    if name.endswith(_FACTOR_ENDS):
        raise ValueError(f"tensor {name!r}: NNCodec takes the end of the name for a factor")
