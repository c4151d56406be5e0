"""The tensors of one compressed data unit (NDU), decoded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BitstreamError
from .arithmetic import ArithmeticDecoder
from .bits import BitReader, sign_extend
from .coders import LayerDecoder, to_entry_points
from .layer import Choices, Layer, Levels, code_layer
from .ndu import MAX_ELEMENTS, Codebook, EntryPoint, NduHeader, ParameterTypes, PayloadType
from .quantization import dequantize, step_size
from .units import ModelParameterSet

# How many context ids are sent for the remainder's prefix, by profile: the program that wrote
# first-edition streams sends one more than its successor, whatever it writes.
_PREFIX_IDS = {0: (32, 31), 1: (31,)}


@dataclass(frozen=True)
class Member:
    """One tensor of a data unit, before it is decoded."""

    name: str
    shape: tuple[int, ...]
    codebook: Codebook | None = None


@dataclass(frozen=True)
class DecodedTensor:
    """One tensor of a data unit: its values, and the levels of all but raw ones."""

    name: str
    values: NDArray[Any]
    levels: Levels | None


@dataclass(frozen=True)
class Context:
    """What a data unit depends on besides its bytes."""

    profile: int
    mps: ModelParameterSet
    base_levels: Mapping[str, Levels] | None = None
    history: Mapping[str, NDArray[np.bool_]] | None = None


def list_members(header: NduHeader, bits: BitReader) -> list[Member]:
    """The tensors of a data unit in the order of its payload, which is not that of its names.

    Names: weight (or the factors G and H), local scaling, beta, gamma, mean, variance, bias.
    Payload: local scaling, bias, beta, gamma, mean, variance, weight (or G and H).
    """
    types = ParameterTypes(header.compressed_parameter_types)
    weights = _weight_shapes(header, bits)
    counts = {
        ParameterTypes.LOCAL_SCALING: 1,
        ParameterTypes.BATCH_NORM: 4,
        ParameterTypes.BIAS: 1,
    }
    vectors = sum(count for kind, count in counts.items() if types & kind)
    names = header.topology_elem_ids
    if len(names) != len(weights) + vectors:
        raise bits.corrupt(f"{len(weights) + vectors} tensors have {len(names)} names")
    if vectors and not header.tensor_dimensions:
        raise bits.corrupt("a weight without dimensions has vectors beside it")
    codebooks = [header.codebook, header.codebook_h]
    rest = names[len(weights) :]
    scaling = [rest.pop(0)] if types & ParameterTypes.LOCAL_SCALING else []
    bias = [rest.pop()] if types & ParameterTypes.BIAS else []
    vector_shape = tuple(header.tensor_dimensions[:1])
    return [
        *(Member(name, vector_shape) for name in scaling + bias + rest),
        *(Member(names[i], shape, codebooks[i]) for i, shape in enumerate(weights)),
    ]


def _weight_shapes(header: NduHeader, bits: BitReader) -> list[tuple[int, ...]]:
    shape = tuple(header.tensor_dimensions)
    if not header.compressed_parameter_types & ParameterTypes.DECOMPOSED:
        return [shape]
    rows, rank, elements = header.g_number_of_rows, header.decomposition_rank, math.prod(shape)
    if rows == 0 or elements % rows:
        raise bits.corrupt(f"{elements} elements do not have g_number_of_rows {rows}")
    if rank * max(rows, elements // rows) > MAX_ELEMENTS:
        raise bits.unsupported(f"a factor of more than {MAX_ELEMENTS} elements")
    return [(rows, rank), (rank, elements // rows)]


def decode_raw(data: bytes, start: int, end: int, member: Member) -> tuple[DecodedTensor, int]:
    """A payload of type RAW_FLOAT (flt_tensor), and the byte after it."""
    stop = start + 4 * math.prod(member.shape)
    if stop > end:
        raise BitstreamError("raw values are missing", kind="truncated", byte_offset=end)
    values = np.frombuffer(data[start:stop], "<f4").astype(np.float32)
    return DecodedTensor(member.name, values.reshape(member.shape), None), stop


def decode_payload(
    data: bytes, start: int, end: int, header: NduHeader, members: list[Member], context: Context
) -> tuple[list[DecodedTensor], int]:
    """A payload of any other type, one arithmetic codeword, and the byte after it."""
    failure: BitstreamError | None = None
    for prefix_ids in _PREFIX_IDS[context.profile]:
        arithmetic = ArithmeticDecoder(data, start, end)
        payload = _Payload(arithmetic, header, context, prefix_ids)
        try:
            tensors = [payload.decode(member) for member in members]
            stop = arithmetic.terminate()
        except BitstreamError as error:
            failure = failure or error
            continue
        if payload.entry_points and payload.entry_points != header.entry_points:
            raise arithmetic.corrupt("the entry points are not where the block rows begin")
        return tensors, stop
    assert failure is not None
    raise failure


class _Payload:
    """Tensors that share one codeword."""

    def __init__(
        self, arithmetic: ArithmeticDecoder, header: NduHeader, context: Context, prefix_ids: int
    ) -> None:
        self._arithmetic = arithmetic
        self._header = header
        self._context = context
        self._prefix_ids = prefix_ids
        self.entry_points: list[EntryPoint] = []

    def decode(self, member: Member) -> DecodedTensor:
        is_integer = self._header.nnr_compressed_data_unit_payload_type == PayloadType.INT
        step = 1.0 if is_integer else self._decode_step()
        layer = self._layer(member)
        coder = LayerDecoder(self._arithmetic, layer)
        zeros = np.zeros((layer.rows, layer.columns), np.int32)
        levels = code_layer(coder, layer, zeros, Choices()).reshape(member.shape)
        self.entry_points += to_entry_points(coder.block_rows)
        if is_integer:
            return DecodedTensor(member.name, levels.copy(), levels)
        try:
            values = dequantize(levels, step, member.codebook)
        except IndexError as error:
            raise self._arithmetic.corrupt(str(error)) from None
        return DecodedTensor(member.name, values, levels)

    def _decode_step(self) -> float:
        """qp_delta, and the step size that it makes."""
        mps = self._context.mps
        width = 6 + mps.mps_qp_density
        qp = mps.mps_quantization_parameter + sign_extend(self._arithmetic.bypass(width), width)
        step = step_size(qp, mps.mps_qp_density)
        if not math.isfinite(step):
            raise self._arithmetic.corrupt(f"quantization parameter {qp} is out of range")
        return step

    def _layer(self, member: Member) -> Layer:
        header, context, parent = self._header, self._context, self._header.parent_node_id
        base = history = None
        if parent is not None and parent.temporal_context_modeling_flag:
            base = self._earlier(context.base_levels, member)
        if parent is not None and context.history is not None:
            history = context.history.get(member.name)
            if history is None or history.shape != member.shape:
                history = np.zeros(member.shape, np.bool_)
        return Layer(
            member.shape,
            dq_flag=bool(header.dq_flag),
            unary_length=header.cabac_unary_length_minus1 + 1,
            scan_order=header.scan_order,
            profile=context.profile,
            codebook=member.codebook,
            parent_node_id_present_flag=parent is not None,
            base=base,
            history=history,
            prefix_ids=self._prefix_ids,
        )

    def _earlier(self, base_levels: Mapping[str, Levels] | None, member: Member) -> Levels:
        levels = None if base_levels is None else base_levels.get(member.name)
        if levels is None or levels.shape != member.shape:
            raise BitstreamError(
                f"{member.name!r} builds on levels of an earlier bitstream that are not there",
                kind="unsupported",
                byte_offset=self._arithmetic.byte_offset,
            )
        return levels
