"""What an encoder is asked for, checked before anything is coded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from numbers import Real
from typing import Literal, get_args

import numpy as np

from ..._arguments import check_integer, check_threads
from ...models.model import Model
from .rules import (
    Quantizer,
    QuantizerKind,
    Rule,
    Settings,
    check_quantizer,
    check_scan_order,
)
from .series import DecodedModel, check_base
from .steps import MAX_DENSITY, highest_qp, lowest_qp

Profile = Literal["nnr", "nncodec"]

_DEFAULT_BITS = 8
_QP_DENSITY = 2
# Steps 3 % apart, for those who ask for a step and not for a QP.
_FINE_DENSITY = 5
_MAX_UNARY = 256

_NNCODEC_QP = -32
_NNCODEC_VECTOR_QP = -75
_NNCODEC_UNARY = 11


@dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """The arguments of `nnr.encode`, which says what they mean.

    Raises
    ------
    TypeError, ValueError
        One of them is wrong, or two contradict each other.
    """

    profile: Profile = "nnr"
    qp: int | None = None
    bits: int | None = None
    step: float | None = None
    max_error: float | None = None
    rmse: float | None = None
    target_size: int | None = None
    nonweight_qp: int | None = None
    qp_density: int | None = None
    dq: bool | None = None
    rdo: float | None = None
    rules: Iterable[str] = ()
    codebook: bool = False
    scan_order: int = 0
    row_skipping: bool = True
    optimize_contexts: bool = True
    unary_length: int | None = None
    base: Model | None = None
    series: bool = False
    topology: bool = True
    threads: int | None = None

    settings: Settings = field(init=False)
    parsed_rules: tuple[Rule, ...] = field(init=False)
    density: int = field(init=False)
    # By what a QP is multiplied to mean the same step at the density of the bitstream.
    qp_scale: int = field(init=False)

    def __post_init__(self) -> None:
        if self.profile not in get_args(Profile):
            raise ValueError(f"profile must be 'nnr' or 'nncodec', got {self.profile!r}")
        self._check_flags()
        rules = (self.rules,) if isinstance(self.rules, str) else tuple(self.rules)
        self._set("parsed_rules", tuple(map(Rule.parse, rules)))
        quantizer = self._quantizer()
        self._set_density(quantizer)
        self._check_numbers()
        if self.is_nncodec:
            self._check_nncodec(quantizer)
        check_base(self.base)
        if self.series and self.base is not None:
            raise ValueError("series begins one, base goes on with one; leave out one of them")
        self._set(
            "settings",
            Settings(quantizer, self.dq, bool(self.codebook), self.scan_order),
        )

    @property
    def is_nncodec(self) -> bool:
        """Whether the output is to be NNCodec's, byte for byte."""
        return self.profile == "nncodec"

    @property
    def quantizer(self) -> Quantizer:
        """That of tensors which no rule names."""
        assert self.settings.quantizer is not None
        return self.settings.quantizer

    @property
    def base_model(self) -> DecodedModel | None:
        """The step before this one."""
        return check_base(self.base)

    @property
    def in_series(self) -> bool:
        """Whether what is encoded begins a series or goes on with one."""
        return self.series or self.base is not None

    @property
    def vector_qp(self) -> int | None:
        """The QP of tensors of one or no dimension, at the density of the bitstream, if given."""
        if self.is_nncodec:
            return self._nncodec_vector_qp()
        return None if self.nonweight_qp is None else self.nonweight_qp * self.qp_scale

    @property
    def coded_unary_length(self) -> int:
        """For the native core, where 0 is the best of some."""
        if self.unary_length is not None:
            return self.unary_length
        return _NNCODEC_UNARY if self.is_nncodec else 0

    @property
    def thread_count(self) -> int:
        """For the native core, where 0 means that it chooses."""
        return check_threads(self.threads)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _quantizer(self) -> Quantizer:
        kinds: tuple[QuantizerKind, ...] = (
            "qp", "bits", "step", "max_error", "rmse", "target_size",
        )  # fmt: skip
        given = {kind: getattr(self, kind) for kind in kinds if getattr(self, kind) is not None}
        if len(given) > 1:
            raise ValueError(f"one of {', '.join(given)} must be chosen, not several")
        for kind, value in given.items():
            plain = value.item() if isinstance(value, np.generic) else value
            return check_quantizer(kind, plain, kind)
        if self.is_nncodec:
            return Quantizer("qp", _NNCODEC_QP)
        return Quantizer("bits", _DEFAULT_BITS)

    def _set_density(self, quantizer: Quantizer) -> None:
        asked = _QP_DENSITY
        if self.qp_density is not None:
            asked = check_integer(self.qp_density, "qp_density")
            if not 0 <= asked <= MAX_DENSITY:
                raise ValueError(f"qp_density must be 0 to {MAX_DENSITY}, got {asked}")
        by_step = quantizer.kind != "qp" and self.qp_density is None
        density = max(asked, _FINE_DENSITY) if by_step else asked
        # Every step of a density is one of a higher density too.
        self._set("density", density)
        self._set("qp_scale", 1 << (density - asked))
        for qp, what in self._given_qps(quantizer):
            if not lowest_qp(asked) <= qp <= highest_qp(asked):
                raise ValueError(
                    f"{what} must be {lowest_qp(asked)} to {highest_qp(asked)} "
                    f"at a qp_density of {asked}, got {qp}"
                )

    def _given_qps(self, quantizer: Quantizer) -> Iterable[tuple[int, str]]:
        if quantizer.kind == "qp":
            yield int(quantizer.value), "qp"
        if self.is_nncodec:
            yield self._nncodec_vector_qp(), "nonweight_qp"
        elif self.nonweight_qp is not None:
            yield check_integer(self.nonweight_qp, "nonweight_qp"), "nonweight_qp"
        for pattern, settings in self.parsed_rules:
            if settings.quantizer is not None and settings.quantizer.kind == "qp":
                yield int(settings.quantizer.value), f"rule {pattern!r}: qp"

    def _check_flags(self) -> None:
        for name in ("codebook", "row_skipping", "optimize_contexts", "series", "topology"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise TypeError(f"{name} must be True or False, got {getattr(self, name)!r}")
        if not (self.dq is None or isinstance(self.dq, bool | np.bool_)):
            raise TypeError(f"dq must be True, False or None, got {self.dq!r}")
        if not (self.rdo is None or isinstance(self.rdo, Real)):
            raise TypeError(f"rdo must be a number, got {self.rdo!r}")
        if not isinstance(self.rules, Iterable):
            raise TypeError(f"rules must be texts, got {self.rules!r}")

    def _check_numbers(self) -> None:
        check_scan_order(check_integer(self.scan_order, "scan_order"), "scan_order")
        check_threads(self.threads)
        if self.rdo is not None and not 0 <= self.rdo < float("inf"):
            raise ValueError(f"rdo must be a weight from 0 on, got {self.rdo}")
        if self.unary_length is not None and not (
            1 <= check_integer(self.unary_length, "unary_length") <= _MAX_UNARY
        ):
            raise ValueError(f"unary_length must be 1 to {_MAX_UNARY}, got {self.unary_length}")
        if self.nonweight_qp is not None and not self.is_nncodec and self.qp is None:
            raise ValueError("nonweight_qp goes with qp alone")
        if self.max_error is not None and self.dq:
            raise ValueError("max_error needs the uniform quantiser, so dq must not be on")

    def _check_nncodec(self, quantizer: Quantizer) -> None:
        kinds = {quantizer.kind} | {
            rule.settings.quantizer.kind for rule in self.parsed_rules if rule.settings.quantizer
        }
        if kinds - {"qp"}:
            raise ValueError(f"profile 'nncodec' takes qp alone, not {', '.join(kinds - {'qp'})}")
        if self.rdo:
            raise ValueError("profile 'nncodec' has no rate-distortion optimisation; leave out rdo")

    def _nncodec_vector_qp(self) -> int:
        if self.nonweight_qp is None:
            return _NNCODEC_VECTOR_QP
        # NNCodec takes 0 for "not given", which then is two octaves below the weights.
        qp = check_integer(self.nonweight_qp, "nonweight_qp")
        density = _QP_DENSITY if self.qp_density is None else int(self.qp_density)
        weights = _NNCODEC_QP if self.qp is None else int(self.qp)
        return qp or weights - (2 << density)
