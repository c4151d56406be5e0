"""Whole bitstreams, read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BitstreamError
from .bits import BitReader
from .data_unit import Context, DecodedTensor, decode_payload, decode_raw, list_members
from .layer import Levels
from .ndu import NduHeader, PayloadType, parse_ndu_header
from .units import (
    ModelParameterSet,
    Topology,
    Unit,
    UnitType,
    parse_model_parameter_set,
    parse_start,
    parse_topology,
    parse_unit,
)


@dataclass
class DecodedStream:
    """What a bitstream holds, and what the next one of a series needs of it.

    Parameters
    ----------
    tensors : dict of str to ndarray
        The reconstructed tensors in the order of the bitstream: float32; int32 where they were
        sent as integers, float64 where they have a codebook.
    levels : dict of str to ndarray of int32
        What the step sizes were multiplied with; with a codebook the index from its zero offset.
        Raw tensors have none.
    last_levels : dict of str to ndarray of int32
        The same, and of tensors that this bitstream leaves out those of the last one that had them.
    history : dict of str to ndarray of bool
        Where the levels of this bitstream or of any before it in the series are not zero.
    headers : list of NduHeader
        One a data unit.
    general_profile_idc : int
        0 for the first edition's syntax, 1 for the second's.
    mps : ModelParameterSet, optional
    topology : Topology, optional
    """

    tensors: dict[str, NDArray[Any]] = field(default_factory=dict)
    levels: dict[str, Levels] = field(default_factory=dict)
    last_levels: dict[str, Levels] = field(default_factory=dict)
    history: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    headers: list[NduHeader] = field(default_factory=list)
    general_profile_idc: int = 1
    mps: ModelParameterSet | None = None
    topology: Topology | None = None

    def _add(self, tensor: DecodedTensor) -> None:
        self.tensors[tensor.name] = tensor.values
        if tensor.levels is not None:
            self.levels[tensor.name] = self.last_levels[tensor.name] = tensor.levels
        nonzero = np.not_equal(tensor.values if tensor.levels is None else tensor.levels, 0)
        known = self.history.get(tensor.name)
        if known is not None and known.shape == nonzero.shape:
            nonzero |= known
        self.history[tensor.name] = nonzero


def decode_stream(data: bytes, base: DecodedStream | None = None) -> DecodedStream:
    """Decodes a bitstream of ISO/IEC 15938-17, first or second edition's syntax.

    Parameters
    ----------
    data : bytes
        A whole bitstream: units one after the other.
    base : DecodedStream, optional
        The bitstream before this one in a series of incremental updates. What is decoded is the
        update; adding it to the model is up to the caller.

    Returns
    -------
    DecodedStream

    Raises
    ------
    BitstreamError
        If the bitstream is cut short, wrong, or beyond this version.
    """
    decoded = DecodedStream()
    if base is not None:
        decoded.last_levels.update(base.last_levels)
        decoded.history.update(base.history)
    start, is_first = 0, True
    while is_first or start < len(data):
        unit = parse_unit(data, start)
        if is_first != (unit.header.nnr_unit_type == UnitType.STR):
            raise _corrupt("the start unit is the first unit, and there is no other", unit)
        end = _decode_unit(data, unit, decoded, base)
        if end != unit.end:
            used = end - unit.start
            raise _corrupt(f"a unit of {unit.end - unit.start} bytes has {used} in use", unit)
        start, is_first = unit.end, False
    return decoded


def _decode_unit(
    data: bytes, unit: Unit, decoded: DecodedStream, base: DecodedStream | None
) -> int:
    """One unit, into *decoded*; returns the byte after what was understood of it."""
    bits = BitReader(data, unit.content, unit.end)
    unit_type = unit.header.nnr_unit_type
    match unit_type:
        case UnitType.STR:
            decoded.general_profile_idc = parse_start(bits)
        case UnitType.MPS:
            if decoded.mps is not None:
                raise _corrupt("there is a second model parameter set", unit)
            decoded.mps = parse_model_parameter_set(bits, decoded.general_profile_idc)
        case UnitType.NDU:
            return _decode_data_unit(data, unit, decoded, base)
        case UnitType.TPL:
            decoded.topology = parse_topology(data, unit)
            return unit.end
        case UnitType.LPS | UnitType.QNT | UnitType.AGG:
            raise bits.unsupported(f"a unit of type {UnitType(unit_type).name}")
        case _:
            return unit.end
    return bits.byte_offset


def _decode_data_unit(
    data: bytes, unit: Unit, decoded: DecodedStream, base: DecodedStream | None
) -> int:
    bits = BitReader(data, unit.content, unit.end)
    if unit.header.partial_data_counter_present_flag:
        raise bits.unsupported("an NDU with partial_data_counter")
    if decoded.mps is None:
        raise _corrupt("an NDU comes before the model parameter set", unit)
    header = parse_ndu_header(bits, decoded.mps, decoded.general_profile_idc)
    members = list_members(header, bits)
    start = bits.byte_offset
    if header.nnr_compressed_data_unit_payload_type == PayloadType.RAW_FLOAT:
        raw, end = decode_raw(data, start, unit.end, members[0])
        tensors = [raw]
    else:
        context = Context(
            decoded.general_profile_idc,
            decoded.mps,
            None if base is None else base.last_levels,
            None if base is None else base.history,
        )
        tensors, end = decode_payload(data, start, unit.end, header, members, context)
    decoded.headers.append(header)
    for tensor in tensors:
        if tensor.name in decoded.tensors:
            raise _corrupt(f"there are two tensors named {tensor.name!r}", unit)
        decoded._add(tensor)
    return end


def _corrupt(message: str, unit: Unit) -> BitstreamError:
    return BitstreamError(message, kind="corrupt", byte_offset=unit.start)
