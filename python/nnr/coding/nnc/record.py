"""What is known of the tensors of a bitstream, for people and programs that decide by it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ...models.dtypes import DTYPES
from .description import Origin

_ITEMSIZES = {dtype.name: dtype.itemsize for dtype in DTYPES.values()}
_BLOCK_SIDE = 4  # times two to the power of the scan order

# A model parameter set without texts, as encoders write it; the last bits but the alignment are the
# quantisation parameter that those of the tensors are added to.
_PLAIN_SET_BYTES = 8
_PARAMETER_SET, _LAYER_SET = 1, 2
_BASE_PLACE, _BASE_BITS = 5, 13
_REGISTER_BITS, _START_RANGE = 9, 510


@dataclass(frozen=True)
class NncRecord:
    """One tensor and its data unit.

    Parameters
    ----------
    name : str
    shape : tuple of int
    dtype : str
        NumPy's name of the type that it is decoded to.
    payload : {"int", "float", "raw_float", "block"}
        How it is coded.
    qp : int or None
        The quantisation parameter; None for integers and raw floats, and where the headers do not
        tell.
    step : float or None
        The quantisation step.
    dq : bool
        Whether the quantisation is dependent.
    original_bytes, stored_bytes : int
        Before, and the whole unit; of tensors that share a unit the last has its bytes.
    max_error, mean_error, rmse : float or None
        Of the difference between original and reconstructed values; None where the original is not
        at hand.
    notes : str
        What else there is to say: a codebook, a scan in blocks, an update.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    payload: str
    qp: int | None
    step: float | None
    dq: bool
    original_bytes: int
    stored_bytes: int
    max_error: float | None
    mean_error: float | None
    rmse: float | None
    notes: str

    @property
    def ratio(self) -> float:
        """Original bytes by stored bytes; 1 for a tensor without bytes of its own."""
        return self.original_bytes / self.stored_bytes if self.stored_bytes else 1.0


def records_of(
    data: NDArray[np.uint8], stream: _core.NncStream, origins: Mapping[str, Origin]
) -> list[NncRecord]:
    """Return the records of all tensors; of the coded values, only the first bits are read."""
    base_qp = _base_qp(data, stream)
    records = []
    for unit in stream.data_units:
        tensors = unit.tensors
        for name, role, shape, dtype in tensors:
            qp = None
            if unit.payload_type == "float" and base_qp is not None:
                qp = base_qp + _coded_qp(data, unit, stream.qp_density)
            last = name == tensors[-1][0]
            origin = origins.get(name, Origin(dtype.name, tuple(shape)))
            records.append(
                NncRecord(
                    name=name,
                    shape=origin.shape,
                    dtype=origin.dtype,
                    payload=unit.payload_type,
                    qp=qp,
                    step=None if qp is None else _core.nnc_step_size(qp, stream.qp_density),
                    dq=unit.dq,
                    original_bytes=math.prod(origin.shape) * _ITEMSIZES.get(origin.dtype, 0),
                    stored_bytes=unit.size if last else 0,
                    max_error=None,
                    mean_error=None,
                    rmse=None,
                    notes=_notes(unit, name, role, tensors[-1][0]),
                )
            )
    return records


def _notes(unit: _core.NncDataUnit, name: str, role: str, last: str) -> str:
    notes = []
    if name != last:
        notes.append(f"{role} of {last}")
    if role in ("g", "h"):
        notes.append(f"factor {role.upper()} of rank {unit.decomposed_rank}")
    if unit.codebook is not None and role in ("weight", "g"):
        notes.append(f"codebook of {len(unit.codebook[0])}")
    if unit.scan_order and len(unit.shape) > 1:
        side = _BLOCK_SIDE << unit.scan_order
        notes.append(f"blocks of {side}x{side}")
    if unit.parent is not None:
        notes.append("update" if unit.node is None else f"step {unit.node[2]}")
    return ", ".join(notes)


def _base_qp(data: NDArray[np.uint8], stream: _core.NncStream) -> int | None:
    """The parameter that those of the units are added to, if it is where encoders write it."""
    value = None
    for kind, offset, size in stream.units:
        if kind == _LAYER_SET:
            return None
        if kind == _PARAMETER_SET and size == _PLAIN_SET_BYTES:
            value = int.from_bytes(data[offset + _BASE_PLACE : offset + 7].tobytes(), "big")
    return None if value is None else _signed(value, _BASE_BITS)


def _coded_qp(data: NDArray[np.uint8], unit: _core.NncDataUnit, density: int) -> int:
    """The parameter at the beginning of the coded values.

    Bins without context leave the range as it is, so that several are one division.
    """
    bits = 6 + density
    start = unit.payload_offset
    first = data[start : min(start + 3, unit.offset + unit.size)].tobytes().ljust(3, b"\0")
    window = int.from_bytes(first, "big") >> (24 - _REGISTER_BITS - bits)
    return _signed(window // _START_RANGE, bits)


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
