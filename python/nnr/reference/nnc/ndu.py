"""The header of a compressed data unit (NDU), and the codebook that it may hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import TypeVar

from .bits import BitReader, Bits, BitWriter
from .units import ModelParameterSet

_T = TypeVar("_T")

MAX_ELEMENTS = 2**31 - 1
_MAX_DIMENSIONS = 32
_DEFAULT_CABAC_UNARY_LENGTH_MINUS1 = 9
_HASH_BITS = {1: 256, 2: 512}  # parent_node_id_type: SHA-256, SHA-512


class PayloadType(IntEnum):
    """nnr_compressed_data_unit_payload_type."""

    INT = 0
    FLOAT = 1
    RAW_FLOAT = 2
    BLOCK = 3


class ParameterTypes(IntFlag):
    """compressed_parameter_types: what a unit of several tensors holds besides the weight."""

    NONE = 0
    DECOMPOSED = 1
    LOCAL_SCALING = 2
    BATCH_NORM = 4
    BIAS = 8


@dataclass
class Codebook:
    """codebook(): the integers that coded levels stand for, strictly increasing.

    A level is an index into `entries`, counted from `zero_offset`.
    """

    entries: list[int]
    zero_offset: int
    codebook_egk: int = 0

    @property
    def largest_magnitude(self) -> int:
        """The largest magnitude a level can have."""
        return max(self.zero_offset, len(self.entries) - 1 - self.zero_offset)


@dataclass
class NodeId:
    """Which parameter of which model of a series a unit holds."""

    device_id: int = 0
    parameter_id: int = 0
    put_node_depth: int = 0


@dataclass
class ParentNodeId:
    """What a unit that updates an earlier one says of it."""

    parent_node_id_type: int = 0
    temporal_context_modeling_flag: int = 0
    parent_device_id: int = 0
    parameter_id: int = 0
    put_node_depth: int = 0
    parent_hash: int = 0


@dataclass
class EntryPoint:
    """Where a block row after the first begins.

    `bit_offset` counts the bits since the block row before it.
    """

    value: int
    dq_state: int
    bit_offset: int


@dataclass
class NduHeader:
    """nnr_compressed_data_unit_header()."""

    nnr_compressed_data_unit_payload_type: int = PayloadType.FLOAT
    topology_elem_ids: list[str] = field(default_factory=lambda: [""])
    nnr_decompressed_data_format: int | None = None
    node_id: NodeId | None = None
    parent_node_id: ParentNodeId | None = None
    codebook: Codebook | None = None
    dq_flag: int = 0
    compressed_parameter_types: int = 0
    decomposition_rank: int = 0
    g_number_of_rows: int = 0
    tensor_dimensions: list[int] = field(default_factory=list)
    cabac_unary_length_minus1: int = _DEFAULT_CABAC_UNARY_LENGTH_MINUS1
    codebook_h: Codebook | None = None
    first_tensor_dimension_shift: int = 0
    scan_order: int = 0
    entry_points: list[EntryPoint] = field(default_factory=list)


def parse_ndu_header(bits: BitReader, mps: ModelParameterSet, profile: int) -> NduHeader:
    """The header of an NDU; *bits* is left at the first byte of its payload."""
    header = NduHeader()
    code_ndu_header(bits, header, mps, profile)
    return header


def write_ndu_header(header: NduHeader, mps: ModelParameterSet, profile: int) -> bytes:
    """The header of an NDU, whole bytes."""
    bits = BitWriter()
    code_ndu_header(bits, header, mps, profile)
    return bytes(bits)


def code_ndu_header(bits: Bits, header: NduHeader, mps: ModelParameterSet, profile: int) -> None:
    """nnr_compressed_data_unit_header() of profile 0 or 1, both ways as in `units`."""
    payload_type = bits.u(5, header.nnr_compressed_data_unit_payload_type)
    if payload_type not in tuple(PayloadType):
        raise bits.unsupported(f"nnr_compressed_data_unit_payload_type {payload_type}")
    header.nnr_compressed_data_unit_payload_type = payload_type
    multiple = bits.u(1, int(len(header.topology_elem_ids) > 1))
    has_format = bits.u(1, int(header.nnr_decompressed_data_format is not None))
    if not bits.u(1, 1):
        raise bits.unsupported("a data unit without input_parameters_present_flag")
    _code_names(bits, header, multiple)
    if profile == 1:
        _code_node_ids(bits, header, mps)
    if payload_type in (PayloadType.FLOAT, PayloadType.BLOCK):
        header.codebook = _code_optional_codebook(bits, header.codebook)
    if payload_type != PayloadType.RAW_FLOAT:
        header.dq_flag = bits.u(1, header.dq_flag)
    if has_format:
        header.nnr_decompressed_data_format = bits.u(7, header.nnr_decompressed_data_format or 0)
    _code_parameters(bits, header)
    is_decomposed = header.compressed_parameter_types & ParameterTypes.DECOMPOSED
    if payload_type == PayloadType.BLOCK and is_decomposed and header.codebook is not None:
        header.codebook_h = code_codebook(bits, header.codebook_h or Codebook([0], 0))
    if len(header.tensor_dimensions) > 1:
        if profile == 1:
            header.first_tensor_dimension_shift = bits.ue(1, header.first_tensor_dimension_shift)
        header.scan_order = bits.u(4, header.scan_order)
        if header.scan_order > 4:
            raise bits.unsupported(f"scan_order {header.scan_order}")
        if header.scan_order:
            _code_entry_points(bits, header)
    bits.byte_alignment()


def _code_names(bits: Bits, header: NduHeader, multiple: int) -> None:
    count = 1
    if multiple:
        count = bits.count(bits.ue(7, len(header.topology_elem_ids) - 2)) + 2
        bits.byte_alignment()
    header.topology_elem_ids = [
        bits.st(name) for name in _sized(header.topology_elem_ids, count, "")
    ]


def _code_node_ids(bits: Bits, header: NduHeader, mps: ModelParameterSet) -> None:
    if bits.u(1, int(header.node_id is not None)):
        header.node_id = node = header.node_id or NodeId()
        node.device_id = bits.ue(1, node.device_id)
        node.parameter_id = bits.ue(5, node.parameter_id)
        node.put_node_depth = bits.ue(4, node.put_node_depth)
    if not mps.mps_parent_signalling_enabled_flag:
        return
    if bits.u(1, int(header.parent_node_id is not None)):
        header.parent_node_id = parent = header.parent_node_id or ParentNodeId()
        parent.parent_node_id_type = bits.u(2, parent.parent_node_id_type)
        parent.temporal_context_modeling_flag = bits.u(1, parent.temporal_context_modeling_flag)
        if parent.parent_node_id_type == 0:
            parent.parent_device_id = bits.ue(1, parent.parent_device_id)
            if header.node_id is None:
                parent.parameter_id = bits.ue(5, parent.parameter_id)
                parent.put_node_depth = bits.ue(4, parent.put_node_depth)
        elif parent.parent_node_id_type in _HASH_BITS:
            hash_bits = _HASH_BITS[parent.parent_node_id_type]
            parent.parent_hash = bits.u(hash_bits, parent.parent_hash)
        else:
            raise bits.unsupported(f"parent_node_id_type {parent.parent_node_id_type}")


def _code_parameters(bits: Bits, header: NduHeader) -> None:
    if not bits.u(1, 1):
        raise bits.unsupported("a data unit without tensor_dimensions_flag")
    has_unary_length = bits.u(1, 1)
    types = header.compressed_parameter_types = bits.u(4, header.compressed_parameter_types)
    if types & ParameterTypes.DECOMPOSED:
        header.decomposition_rank = bits.ue(3, header.decomposition_rank)
        header.g_number_of_rows = bits.ue(3, header.g_number_of_rows)
    count = bits.ue(1, len(header.tensor_dimensions))
    if count > _MAX_DIMENSIONS:
        raise bits.unsupported(f"a tensor of {count} dimensions")
    header.tensor_dimensions = [
        bits.ue(7, dimension) for dimension in _sized(header.tensor_dimensions, count, 0)
    ]
    # An empty tensor must not have endless rows either.
    if math.prod(filter(None, header.tensor_dimensions)) > MAX_ELEMENTS:
        raise bits.unsupported(f"a tensor of more than {MAX_ELEMENTS} elements")
    if has_unary_length:
        header.cabac_unary_length_minus1 = bits.u(8, header.cabac_unary_length_minus1)


def _code_entry_points(bits: Bits, header: NduHeader) -> None:
    block = 4 << header.scan_order
    heights = header.tensor_dimensions[:1]
    if header.compressed_parameter_types & ParameterTypes.DECOMPOSED:
        heights = [header.g_number_of_rows, header.decomposition_rank]
    count = bits.count(sum(max(0, -(-height // block) - 1) for height in heights))
    points = _sized(header.entry_points, count, EntryPoint(0, 0, 0))
    for i, point in enumerate(points):
        value = bits.u(8, point.value)
        state = bits.u(3, point.dq_state) if header.dq_flag else 0
        if i == 0:
            offset = bits.ue(11, point.bit_offset)
        else:
            before = points[i - 1].bit_offset
            offset = before + bits.ie(7, point.bit_offset - before)
        points[i] = EntryPoint(value, state, offset)
    header.entry_points = points


def _code_optional_codebook(bits: Bits, codebook: Codebook | None) -> Codebook | None:
    if bits.u(1, int(codebook is not None)):
        return code_codebook(bits, codebook or Codebook([0], 0))
    return None


def code_codebook(bits: Bits, codebook: Codebook) -> Codebook:
    """codebook(), both ways; returns what was read or written."""
    egk = bits.u(4, codebook.codebook_egk)
    size = bits.count(bits.ue(2, len(codebook.entries)))
    zero = size // 2 + bits.ie(2, codebook.zero_offset - size // 2)
    if not 0 <= zero < size:
        raise bits.corrupt(f"a codebook of {size} entries has its zero at {zero}")
    entries = _sized(codebook.entries, size, 0)
    entries[zero] = bits.ie(7, entries[zero])
    for i in reversed(range(zero)):
        entries[i] = entries[i + 1] - 1 - bits.ue(egk, entries[i + 1] - 1 - entries[i])
    for i in range(zero + 1, size):
        entries[i] = entries[i - 1] + 1 + bits.ue(egk, entries[i] - 1 - entries[i - 1])
    return Codebook(entries, zero, egk)


def _sized(values: list[_T], count: int, missing: _T) -> list[_T]:
    """A copy of *values* when writing; *count* times *missing* when reading."""
    return list(values) if len(values) == count else [missing] * count
