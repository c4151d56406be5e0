"""Whole bitstreams, written with the decisions that NNCodec takes by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .decoder import DecodedStream
from .layer import STATE_TRANSITIONS, Layer, Levels, after_zeros, block_rows, dq_index
from .ndu import NduHeader, NodeId, ParentNodeId, PayloadType, write_ndu_header
from .quantization import step_size, trellis_quantize, uniform_quantize
from .tensor import as_matrix, encode_tensor
from .units import (
    ModelParameterSet,
    Topology,
    UnitType,
    write_model_parameter_set,
    write_start,
    write_topology,
    write_unit,
)

_PROFILE = 1


@dataclass(frozen=True)
class EncoderOptions:
    """How a bitstream is written.

    Parameters
    ----------
    qp : int
        Quantization parameter of tensors of two dimensions and more.
    nonweight_qp : int
        Quantization parameter of the others.
    qp_density : int
        0 to 7; ``2**qp_density`` quantization parameters double the step size.
    dq : bool
        Dependent quantisation by a trellis, instead of the uniform quantiser.
    cabac_unary_length_minus1 : int
        0 to 255.
    scan_order : int
        0 row by row, 1 to 4 in blocks of 8, 16, 32, 64, which can be decoded side by side.
    row_skip : bool
        Skip rows of zeros.
    param_opt : bool
        Search for the start configuration of each context.
    nncodec : bool
        Byte for byte what NNCodec writes. Otherwise the search is over the bins that are coded,
        and rows are not skipped where blocks that are scanned with dependent quantisation would
        not come back as they were meant.
    put_node_depth : int
        0 for a model, n for the n-th update of a series.
    base : DecodedStream, optional
        The bitstream before this one in a series, for the two tools that follow.
    temporal_context : bool
        Choose contexts by the levels in *base* (TCA).
    history_context : bool
        Choose contexts by where tensors of the series were not zero (HDSP), if that saves bytes.
    pre_signalling : bool
        nnr_pre_flag.
    """

    qp: int = -32
    nonweight_qp: int = -75
    qp_density: int = 2
    dq: bool = True
    cabac_unary_length_minus1: int = 10
    scan_order: int = 0
    row_skip: bool = True
    param_opt: bool = True
    nncodec: bool = True
    put_node_depth: int = 0
    base: DecodedStream | None = None
    temporal_context: bool = False
    history_context: bool = False
    pre_signalling: bool = False

    def __post_init__(self) -> None:
        for name, high in (
            ("qp_density", 7),
            ("cabac_unary_length_minus1", 255),
            ("scan_order", 4),
        ):
            if not 0 <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be 0 to {high}, got {getattr(self, name)}")
        limit = 1 << (5 + self.qp_density)
        for name in ("qp", "nonweight_qp"):
            if not -limit <= getattr(self, name) < limit:
                raise ValueError(
                    f"{name} must be {-limit} to {limit - 1} where qp_density is "
                    f"{self.qp_density}, got {getattr(self, name)}"
                )

    @property
    def _signals_parents(self) -> bool:
        return self.put_node_depth > 0 or self.pre_signalling


def encode_stream(tensors: Mapping[str, NDArray[Any]], **options: Any) -> bytes:
    """Encodes tensors into a bitstream of ISO/IEC 15938-17, second edition's syntax.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        float32, which is quantised, or int32, which is not. Names hold no zero character; NNCodec
        takes those that end in ``_G`` or ``_H`` for something else.
    **options
        See `EncoderOptions`.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If an option is out of range, or a weight not finite or too large for its step size.
    TypeError
        If a tensor has another dtype.
    """
    chosen = EncoderOptions(**options)
    mps = ModelParameterSet(
        mps_parent_signalling_enabled_flag=int(chosen._signals_parents),
        nnr_pre_flag=int(chosen.pre_signalling),
        mps_qp_density=chosen.qp_density,
    )
    units = [
        write_start(_PROFILE),
        write_model_parameter_set(mps, _PROFILE),
        write_topology(Topology()),
    ]
    for number, (name, tensor) in enumerate(tensors.items()):
        units.append(_encode_data_unit(name, number, np.asarray(tensor), mps, chosen))
    return b"".join(units)


def _encode_data_unit(
    name: str, number: int, tensor: NDArray[Any], mps: ModelParameterSet, options: EncoderOptions
) -> bytes:
    """The unit of one tensor; empty if it is all zero and parents are signalled."""
    is_integer = tensor.dtype == np.int32
    if not is_integer and tensor.dtype != np.float32:
        raise TypeError(f"{name!r} must be float32 or int32, got {tensor.dtype}")
    dq = options.dq and not is_integer
    layer = _layer(name, tensor.shape, dq, options)
    qp_delta = None
    levels: Levels = tensor
    if not is_integer:
        qp = options.qp if tensor.ndim > 1 else options.nonweight_qp
        qp_delta = qp, 6 + options.qp_density
        levels = quantize(layer, tensor, step_size(qp, options.qp_density))
    if options._signals_parents and not levels.any():
        return b""
    row_skip = options.row_skip
    if not _skips_cleanly(layer):
        if options.nncodec and row_skip:
            levels = _recode(layer, levels)
        row_skip = row_skip and options.nncodec
    encoded = encode_tensor(
        layer,
        levels,
        row_skip=row_skip,
        param_opt=options.param_opt,
        nncodec=options.nncodec,
        qp_delta=qp_delta,
    )
    header = NduHeader(
        PayloadType.INT if is_integer else PayloadType.FLOAT,
        [name],
        node_id=NodeId(0, number, options.put_node_depth),
        parent_node_id=_parent(layer),
        dq_flag=int(dq),
        tensor_dimensions=list(tensor.shape),
        cabac_unary_length_minus1=options.cabac_unary_length_minus1,
        scan_order=layer.scan_order,
        entry_points=encoded.entry_points,
    )
    return write_unit(UnitType.NDU, write_ndu_header(header, mps, _PROFILE) + encoded.payload)


def _layer(name: str, shape: tuple[int, ...], dq: bool, options: EncoderOptions) -> Layer:
    base = history = None
    if options.put_node_depth and options.base is not None:
        if options.temporal_context:
            base = options.base.last_levels.get(name)
        if options.history_context:
            history = options.base.history.get(name)
    layer = Layer(
        shape,
        dq_flag=dq,
        unary_length=options.cabac_unary_length_minus1 + 1,
        scan_order=options.scan_order,
        parent_node_id_present_flag=options.put_node_depth > 0,
        base=base,
        history=history,
    )
    # One row or column has no blocks, and a header that promised them would miss entry points.
    return layer if layer.is_matrix else replace(layer, scan_order=0)


def _parent(layer: Layer) -> ParentNodeId | None:
    if not layer.parent_node_id_present_flag:
        return None
    return ParentNodeId(temporal_context_modeling_flag=int(layer.base is not None))


def quantize(layer: Layer, tensor: NDArray[np.float32], step: float) -> Levels:
    """The levels of a tensor as coded, by the quantiser that its layer asks for."""
    if not layer.dq_flag:
        return uniform_quantize(tensor, step)
    # The trellis goes along the weights in the order in which they are coded.
    order = _scan(layer)
    levels = np.empty(tensor.size, np.int32)
    levels[order] = trellis_quantize(tensor.reshape(-1)[order], step)
    return levels.reshape(tensor.shape)


def _scan(layer: Layer) -> NDArray[np.intp]:
    """The places of a tensor in C order, in scan order."""
    segments = [segment for block_row in block_rows(layer) for segment in block_row]
    places = [
        np.arange(segment.first, segment.last) + segment.row * layer.columns for segment in segments
    ]
    return np.concatenate(places) if places else np.zeros(0, np.intp)


def _skips_cleanly(layer: Layer) -> bool:
    """Whether skipped segments move the trellis as their zeros would.

    A skipped segment counts as a whole row, and the trellis comes round after four zeros.
    """
    if not layer.dq_flag or layer.scan_order == 0:
        return True
    return layer.columns % 4 == 0 or layer.columns <= 4 << layer.scan_order


def _recode(layer: Layer, levels: Levels) -> Levels:
    """What NNCodec codes where skips are not clean: its quantiser and its coder are in other states.

    The quantiser hands over doubled levels, which the coder halves as its own state has it.
    """
    matrix = as_matrix(layer, levels)
    skipped = [not row.any() for row in matrix]
    recoded = np.zeros_like(matrix)
    meant = state = 0
    for segment in (segment for block_row in block_rows(layer) for segment in block_row):
        if skipped[segment.row]:
            meant = after_zeros(meant, segment.last - segment.first)
            state = after_zeros(state, layer.columns)
            continue
        for column in range(segment.first, segment.last):
            level = int(matrix[segment.row, column])
            index = dq_index(level, meant)
            sign = (index > 0) - (index < 0)
            coded = (index + sign * (state & 1)) >> 1
            recoded[segment.row, column] = coded
            meant = STATE_TRANSITIONS[meant][level & 1]
            state = STATE_TRANSITIONS[state][coded & 1]
    return recoded.reshape(levels.shape)
