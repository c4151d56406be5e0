"""Decoded data units as tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import _core
from .description import Origin
from .representation import restore

# Name, values, levels and quantisation parameter, as far as they were asked for and exist.
DecodedTensor = tuple[str, NDArray[Any] | None, NDArray[np.int32] | None, int | None]
DecodedUnit = list[DecodedTensor]
Kept = dict[str, tuple[NDArray[np.int32] | None, NDArray[np.uint8]]]

_FACTORS = ("g", "h")


class UnitFault(ValueError):  # noqa: N818 - turned into a BitstreamError where the place is known
    """What is wrong with the tensors of a unit."""

    def __init__(self, message: str, unit: _core.NncDataUnit, *, unsupported: bool = False) -> None:
        super().__init__(message)
        self.unit = unit
        self.unsupported = unsupported


def names_in(unit: _core.NncDataUnit) -> list[str]:
    """Return the names of the tensors that a unit gives, in the order of its payload.

    A weight that is stored as two factors has the name of these without its end.
    """
    if len(unit.names) == 1:
        return unit.names
    factors = _factors_of(unit)
    names = [name for name, *_ in unit.tensors if name not in factors]
    return [*names, factors[0].removesuffix("_G")] if factors else names


def tensors_of(
    units: Iterable[tuple[_core.NncDataUnit, DecodedUnit]],
    origins: Mapping[str, Origin],
    max_elements: int,
) -> dict[str, NDArray[Any]]:
    """Return the tensors of decoded units in the types that they had.

    Raises
    ------
    UnitFault
        The values do not fit what is said of them.
    """
    tensors: dict[str, NDArray[Any]] = {}
    for unit, decoded in units:
        for name, values, qp in _values_in(unit, decoded, max_elements):
            if name in tensors:
                raise UnitFault(f"a second tensor of the name {name!r}", unit)
            origin = origins.get(name)
            if origin is not None:
                try:
                    values = restore(values, origin, raw=qp is None)
                except ValueError as error:
                    raise UnitFault(f"tensor {name!r}: {error}", unit) from error
            tensors[name] = values
    return tensors


def kept_of(units: Iterable[DecodedUnit]) -> Kept:
    """Return what a series needs of decoded units: levels, and where they are not zero."""
    return {
        name: (levels, active(values if levels is None else levels))
        for unit in units
        for name, values, levels, _ in unit
        if values is not None
    }


def active(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return 1 where a level, or a raw value, is not zero."""
    nonzero: NDArray[np.uint8] = np.not_equal(values, 0).view(np.uint8)
    return nonzero


def _values_in(
    unit: _core.NncDataUnit, decoded: DecodedUnit, max_elements: int
) -> list[tuple[str, NDArray[Any], int | None]]:
    given = [(name, values, qp) for name, values, _, qp in decoded if values is not None]
    factors = _factors_of(unit) if len(given) > 1 else ()
    if not factors:
        return given
    by_name = {name: values for name, values, _ in given}
    if len(by_name) < len(given):
        raise UnitFault("two tensors of one name", unit)
    shape = unit.shape
    # The product of two small factors may be of any size.
    if np.prod(shape, dtype=object) > max_elements:
        raise UnitFault(
            f"more than {max_elements} elements; raise max_elements if the file is to be trusted",
            unit,
            unsupported=True,
        )
    g, h = (by_name[name].astype(np.float32, copy=False) for name in factors)
    with np.errstate(over="ignore", invalid="ignore"):
        weight = (g @ h).reshape(shape)
    others = [item for item in given if item[0] not in factors]
    return [*others, (factors[0].removesuffix("_G"), weight, given[0][2])]


def _factors_of(unit: _core.NncDataUnit) -> tuple[str, ...]:
    """The names of the factors G and H, if the weight is stored so."""
    return tuple(name for name, role, *_ in unit.tensors if role in _FACTORS)
