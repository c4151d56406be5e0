"""Settings for some tensors, as ``PATTERN=setting,setting``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

QuantizerKind = Literal["qp", "bits", "step", "max_error", "rmse", "target_size", "raw"]

MAX_BITS = 16
MAX_SCAN_ORDER = 4
_KINDS: dict[str, QuantizerKind] = {
    "qp": "qp",
    "bits": "bits",
    "step": "step",
    "max-error": "max_error",
}
_FLAGS = {
    "dq": ("dq", True),
    "no-dq": ("dq", False),
    "codebook": ("codebook", True),
    "no-codebook": ("codebook", False),
}


class Quantizer(NamedTuple):
    """How the step of a tensor is found: by QP, by width, by error, or not at all (raw)."""

    kind: QuantizerKind
    value: float = 0


@dataclass(frozen=True)
class Settings:
    """What may differ from tensor to tensor; None leaves it as it is."""

    quantizer: Quantizer | None = None
    dq: bool | None = None
    codebook: bool | None = None
    scan_order: int | None = None

    def updated(self, other: Settings) -> Settings:
        """Return these settings with those that *other* has in their place."""
        return replace(
            self, **{key: value for key, value in vars(other).items() if value is not None}
        )


class Rule(NamedTuple):
    """Settings for the tensors whose names fit a pattern."""

    pattern: str
    settings: Settings

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read ``PATTERN=setting,setting``; anything else is a ``ValueError``."""
        if not isinstance(text, str):
            raise TypeError(f"a rule must be text, got {type(text).__name__}")
        pattern, separator, listed = text.rpartition("=")
        if not separator or not pattern or not listed:
            raise ValueError(f"rule {text!r}: must be PATTERN=setting,setting")
        found: dict[str, object] = {}
        for item in listed.split(","):
            name, value = _setting(item.strip(), text)
            if name in found:
                raise ValueError(f"rule {text!r}: {item.strip()!r} contradicts what is before it")
            found[name] = value
        return cls(pattern, Settings(**found))  # type: ignore[arg-type]


def settings_of(
    names: Iterable[str], rules: Sequence[Rule], default: Settings
) -> Mapping[str, Settings]:
    """Return the settings of each tensor for which they are not the default.

    Raises
    ------
    ValueError
        A rule fits no tensor.
    """
    found: dict[str, Settings] = {}
    names = list(names)
    for rule in rules:
        fitting = [name for name in names if fnmatchcase(name, rule.pattern)]
        if not fitting:
            raise ValueError(f"rule: no tensor is named {rule.pattern!r}")
        for name in fitting:
            found[name] = found.get(name, default).updated(rule.settings)
    return found


def check_quantizer(kind: QuantizerKind, value: float, what: str) -> Quantizer:
    """Return a quantiser; a value that none can have is an error that names *what*."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} must be a number, got {type(value).__name__}")
    if kind in ("qp", "bits", "target_size") and value != int(value):
        raise TypeError(f"{what} must be an integer, got {value}")
    if kind == "bits" and not 1 <= value <= MAX_BITS:
        raise ValueError(f"{what} must be 1 to {MAX_BITS}, got {value}")
    if kind != "qp" and not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{what} must be above 0, got {value}")
    return Quantizer(kind, value)


def check_scan_order(value: int, what: str) -> int:
    """Return the order of a scan, if it is one."""
    if not 0 <= value <= MAX_SCAN_ORDER:
        raise ValueError(f"{what} must be 0 to {MAX_SCAN_ORDER}, got {value}")
    return value


def _setting(item: str, text: str) -> tuple[str, object]:
    if item in _FLAGS:
        return _FLAGS[item]
    if item == "raw":
        return "quantizer", Quantizer("raw")
    key, _, number = item.partition(":")
    what = f"rule {text!r}: {key}"
    try:
        if key in ("qp", "bits"):
            return "quantizer", check_quantizer(_KINDS[key], int(number), what)
        if key in _KINDS:
            return "quantizer", check_quantizer(_KINDS[key], float(number), what)
        if key == "scan":
            return "scan_order", check_scan_order(int(number), what)
    except ValueError as error:
        if str(error).startswith("rule"):
            raise
        raise ValueError(f"{what}: no number: {number!r}") from error
    known = ", ".join([*(f"{kind}:N" for kind in _KINDS), *_FLAGS, "raw", "scan:N"])
    raise ValueError(f"rule {text!r}: {item!r} is none of {known}")
