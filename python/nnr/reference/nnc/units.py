"""Units of a bitstream: their framing, their headers, and the model parameter set.

Each ``code_*`` function describes one syntax structure and serves both ways: over a `BitReader` it
fills in the fields, over a `BitWriter` it writes them. ``parse_*`` and ``write_*`` call it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ...errors import BitstreamError
from .bits import BitReader, Bits, BitWriter

_LONG_SIZE = 0x8000


class UnitType(IntEnum):
    """nnr_unit_type."""

    STR = 0
    MPS = 1
    LPS = 2
    TPL = 3
    QNT = 4
    NDU = 5
    AGG = 6


@dataclass
class UnitHeader:
    """nnr_unit_size() and nnr_unit_header(), the part that all types of unit share."""

    nnr_unit_type: int
    independently_decodable_flag: int = 1
    partial_data_counter_present_flag: int = 0
    partial_data_counter: int = 0


@dataclass
class Unit:
    """One unit and where it lies; its own header begins at `content`."""

    header: UnitHeader
    start: int
    content: int
    end: int


def _code_unit_header(bits: Bits, header: UnitHeader) -> None:
    header.nnr_unit_type = bits.u(6, header.nnr_unit_type)
    header.independently_decodable_flag = bits.u(1, header.independently_decodable_flag)
    header.partial_data_counter_present_flag = bits.u(1, header.partial_data_counter_present_flag)
    if header.partial_data_counter_present_flag:
        header.partial_data_counter = bits.u(8, header.partial_data_counter)


def parse_unit(data: bytes, start: int) -> Unit:
    """The unit that begins at byte *start*: nnr_unit_size(), then the shared header.

    Raises
    ------
    BitstreamError
        If the unit goes past the end of *data*, or its size cannot hold its header.
    """
    bits = BitReader(data, start)
    size = bits.u(31 if bits.u(1) else 15)
    if size < bits.byte_offset - start + 1:
        raise bits.corrupt(f"a unit of {size} bytes is too short for its header")
    if size > len(data) - start:
        raise BitstreamError(
            f"a unit of {size} bytes begins where {len(data) - start} are left",
            kind="truncated",
            byte_offset=len(data),
        )
    header = UnitHeader(0)
    _code_unit_header(bits, header)
    return Unit(header, start, bits.byte_offset, start + size)


def write_unit(unit_type: UnitType, content: bytes) -> bytes:
    """A unit of the given type, with the size field that its length needs."""
    header = BitWriter()
    _code_unit_header(header, UnitHeader(unit_type))
    rest = bytes(header) + content
    size = BitWriter()
    if len(rest) + 2 < _LONG_SIZE:
        size.u(16, len(rest) + 2)
    else:
        size.u(1, 1)
        size.u(31, len(rest) + 4)
    return bytes(size) + rest


@dataclass
class ModelParameterSet:
    """nnr_model_parameter_set(), without the maps of sparsification, pruning and the like."""

    topology_carriage_flag: int = 1
    mps_quantization_method_flags: int = 1
    base_model_id: str | None = None
    validation_set_performance: float | None = None
    performance_metric_type: str = ""
    mps_parent_signalling_enabled_flag: int = 0
    nnr_pre_flag: int = 0
    mps_qp_density: int = 2
    mps_quantization_parameter: int = 0


def code_model_parameter_set(bits: Bits, mps: ModelParameterSet, profile: int) -> None:
    """nnr_model_parameter_set_payload() of profile 0 or 1."""
    mps.topology_carriage_flag = bits.u(1, mps.topology_carriage_flag)
    for name in ("sparsification", "pruning", "unification", "decomposition_performance_map"):
        if bits.u(1):
            raise bits.unsupported(f"a model parameter set with mps_{name}_flag")
    mps.mps_quantization_method_flags = bits.u(3, mps.mps_quantization_method_flags)
    if bits.u(1):
        raise bits.unsupported("a model parameter set with mps_topology_indexed_reference_flag")
    if profile == 0:
        bits.u(7)
    else:
        _code_edition_2_fields(bits, mps)
    if mps.mps_quantization_method_flags & 3:
        mps.mps_qp_density = bits.u(3, mps.mps_qp_density)
        mps.mps_quantization_parameter = bits.i(13, mps.mps_quantization_parameter)
    if mps.validation_set_performance is not None:
        mps.validation_set_performance = bits.flt(mps.validation_set_performance)
    bits.byte_alignment()


def _code_edition_2_fields(bits: Bits, mps: ModelParameterSet) -> None:
    has_base = bits.u(1, int(mps.base_model_id is not None))
    has_performance = bits.u(1, int(mps.validation_set_performance is not None))
    has_performance_map = bits.u(1)
    mps.mps_parent_signalling_enabled_flag = bits.u(1, mps.mps_parent_signalling_enabled_flag)
    pre_flag = bits.u(1, mps.nnr_pre_flag)
    mps.nnr_pre_flag = pre_flag if mps.mps_parent_signalling_enabled_flag else 0
    bits.u(2)
    if has_base:
        mps.base_model_id = bits.st(mps.base_model_id or "")
    if has_performance or has_performance_map:
        mps.performance_metric_type = bits.st(mps.performance_metric_type)
    if has_performance and mps.validation_set_performance is None:
        mps.validation_set_performance = 0.0


@dataclass
class Topology:
    """nnr_topology_unit_header() and its payload, which is carried and not interpreted."""

    topology_storage_format: int = 0
    topology_compression_format: int = 0
    topology_data: bytes = b"\0"


def parse_start(bits: BitReader) -> int:
    """general_profile_idc of the start unit: 0 is the first edition's syntax, 1 the second's."""
    profile = bits.u(8)
    if profile > 1:
        raise bits.unsupported(f"general_profile_idc {profile}")
    return profile


def write_start(profile: int) -> bytes:
    """The start unit."""
    return write_unit(UnitType.STR, bytes([profile]))


def parse_model_parameter_set(bits: BitReader, profile: int) -> ModelParameterSet:
    """The content of a model parameter set unit."""
    mps = ModelParameterSet()
    code_model_parameter_set(bits, mps, profile)
    return mps


def write_model_parameter_set(mps: ModelParameterSet, profile: int) -> bytes:
    """A model parameter set unit."""
    bits = BitWriter()
    code_model_parameter_set(bits, mps, profile)
    return write_unit(UnitType.MPS, bytes(bits))


def parse_topology(data: bytes, unit: Unit) -> Topology:
    """The content of a topology unit."""
    bits = BitReader(data, unit.content, unit.end)
    return Topology(bits.u(8), bits.u(8), data[bits.byte_offset : unit.end])


def write_topology(topology: Topology) -> bytes:
    """A topology unit."""
    formats = [topology.topology_storage_format, topology.topology_compression_format]
    return write_unit(UnitType.TPL, bytes(formats) + topology.topology_data)
