"""One tensor: its levels to layer data and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arithmetic import ArithmeticDecoder, ArithmeticEncoder
from .coders import BlockRow, LayerDecoder, LayerEncoder, to_entry_points
from .layer import Choices, Layer, Levels, code_layer
from .ndu import Codebook, EntryPoint
from .search import search_context_ids


@dataclass(frozen=True)
class EncodedLayer:
    """A codeword with one tensor in it, and its entry points."""

    payload: bytes
    entry_points: list[EntryPoint]


def encode_layer(
    levels: Levels,
    *,
    dq: bool = False,
    unary_length: int = 11,
    scan_order: int = 0,
    row_skip: bool = True,
    param_opt: bool = True,
    nncodec: bool = True,
    codebook: Codebook | None = None,
    base: Levels | None = None,
    history: NDArray[np.bool_] | None = None,
    parent: bool = False,
    profile: int = 1,
) -> bytes:
    """Codes one tensor into a codeword of its own, without a quantization parameter.

    Parameters
    ----------
    levels : ndarray of int32
        As coded, before the doubling of dependent quantisation; with a codebook, indices counted
        from its zero offset.
    dq : bool
        dq_flag.
    unary_length : int
        cabac_unary_length_minus1 + 1.
    scan_order : int
        0 row by row, 1 to 4 in blocks of 8, 16, 32, 64.
    row_skip : bool
        Whether rows of zeros are skipped.
    param_opt : bool
        Whether context ids are searched for; otherwise they are 0.
    nncodec : bool
        Search as NNCodec does, see `choose_context_ids`, and send row-skip flags as it does, even
        if no row is zero.
    codebook : Codebook, optional
    base : ndarray of int32, optional
        The levels of an earlier tensor (TCA).
    history : ndarray of bool, optional
        Where earlier tensors were not zero (HDSP); used if that saves bytes.
    parent : bool
        parent_node_id_present_flag.
    profile : int
        0 for the first edition's syntax, 1 for the second's.

    Returns
    -------
    bytes
        What `decode_layer` takes, given the same arguments.
    """
    layer = Layer(
        np.shape(levels),
        dq_flag=dq,
        unary_length=unary_length,
        scan_order=scan_order,
        profile=profile,
        codebook=codebook,
        parent_node_id_present_flag=parent,
        base=base,
        history=history,
    )
    encoded = encode_tensor(layer, levels, row_skip=row_skip, param_opt=param_opt, nncodec=nncodec)
    return encoded.payload


def decode_layer(
    data: bytes,
    shape: Sequence[int],
    *,
    dq: bool = False,
    unary_length: int = 11,
    scan_order: int = 0,
    codebook: Codebook | None = None,
    base: Levels | None = None,
    history: NDArray[np.bool_] | None = None,
    parent: bool = False,
    profile: int = 1,
) -> Levels:
    """Decodes the codeword of one tensor; the arguments are those of `encode_layer`.

    Returns
    -------
    ndarray of int32
        The levels that a step size is multiplied with, doubled with *dq*.

    Raises
    ------
    BitstreamError
        If the codeword is cut short or wrong.
    """
    layer = Layer(
        tuple(shape),
        dq_flag=dq,
        unary_length=unary_length,
        scan_order=scan_order,
        profile=profile,
        codebook=codebook,
        parent_node_id_present_flag=parent,
        base=base,
        history=history,
    )
    arithmetic = ArithmeticDecoder(data)
    zeros = np.zeros((layer.rows, layer.columns), np.int32)
    indices = code_layer(LayerDecoder(arithmetic, layer), layer, zeros, Choices())
    if arithmetic.terminate() != len(data):
        raise arithmetic.corrupt("bytes follow the codeword")
    return indices.reshape(layer.shape)


def choose_context_ids(
    levels: Levels,
    *,
    dq: bool,
    unary_length: int,
    nncodec: bool,
    scan_order: int = 0,
    row_skip: bool = True,
    codebook: Codebook | None = None,
    base: Levels | None = None,
    history: NDArray[np.bool_] | None = None,
    profile: int = 1,
) -> list[int]:
    """The context ids (shift_parameter_ids) that code a tensor in the fewest bits.

    Parameters
    ----------
    levels : ndarray of int32
        As for `encode_layer`, like all that is not told here.
    nncodec : bool
        Search over what NNCodec searches over: it sees the doubled levels of dependent
        quantisation, neighbours across block rows, and no limits by a codebook. Otherwise over the
        bins that are coded.
    history : ndarray of bool, optional
        Taken as hist_dep_sig_prob_enabled_flag 1 where it is given.

    Returns
    -------
    list of int
        In the order in which they are sent.
    """
    layer = Layer(
        np.shape(levels),
        dq_flag=dq,
        unary_length=unary_length,
        scan_order=scan_order,
        profile=profile,
        codebook=codebook,
        base=base,
        history=history,
    )
    return search_context_ids(
        layer,
        as_matrix(layer, levels),
        skipped=find_zero_rows(layer, levels) if row_skip else (),
        history_enabled=history is not None,
        nncodec=nncodec,
    )


def encode_tensor(
    layer: Layer,
    levels: Levels,
    *,
    row_skip: bool,
    param_opt: bool,
    nncodec: bool,
    qp_delta: tuple[int, int] | None = None,
) -> EncodedLayer:
    """Codes one tensor into a codeword of its own.

    *qp_delta* is the value and its width in bits; the other arguments are those of `encode_layer`.
    """
    _check_codebook(layer, levels)
    zero_rows = find_zero_rows(layer, levels) if row_skip else []
    if not nncodec and not any(zero_rows):
        zero_rows = []  # NNCodec sends the flags even so
    can_use_history = layer.parent_node_id_present_flag and layer.is_matrix and layer.profile == 1
    best: EncodedLayer | None = None
    for history_enabled in (
        (False, True) if can_use_history and layer.history is not None else (False,)
    ):
        ids = None
        if param_opt:
            ids = search_context_ids(
                layer,
                as_matrix(layer, levels),
                skipped=zero_rows,
                history_enabled=history_enabled,
                nncodec=nncodec,
            )
        encoded = _encode(layer, levels, Choices(history_enabled, zero_rows or None, ids), qp_delta)
        if best is None or len(encoded.payload) < len(best.payload):
            best = encoded
    assert best is not None
    return best


def _encode(
    layer: Layer, levels: Levels, choices: Choices, qp_delta: tuple[int, int] | None
) -> EncodedLayer:
    arithmetic = ArithmeticEncoder()
    if qp_delta is not None:
        value, width = qp_delta
        arithmetic.bypass(width, value & ((1 << width) - 1))
    coder = LayerEncoder(arithmetic, layer)
    code_layer(coder, layer, as_matrix(layer, levels), choices)
    payload = arithmetic.terminate()
    rows = [
        BlockRow(mark.position, arithmetic.value_at(mark), state)
        for mark, state in coder.block_rows
    ]
    return EncodedLayer(payload, to_entry_points(rows))


def _check_codebook(layer: Layer, levels: Levels) -> None:
    if layer.codebook is None or not np.size(levels):
        return
    low, zero = -layer.codebook.zero_offset, layer.codebook.zero_offset
    high = len(layer.codebook.entries) - 1 - zero
    if np.min(levels) < low or np.max(levels) > high:
        raise ValueError(f"levels must be {low} to {high} with this codebook")


def as_matrix(layer: Layer, levels: Levels) -> Levels:
    """The levels of a tensor as rows and columns."""
    return np.asarray(levels, np.int32).reshape(layer.rows, layer.columns)


def find_zero_rows(layer: Layer, levels: Levels) -> list[int]:
    """The row-skip flags of a tensor, one a row; none where its rows cannot be skipped."""
    if layer.profile == 0 or not layer.is_matrix:
        return []
    if layer.codebook is not None and len(layer.codebook.entries) == 1:
        return []
    return [int(not row.any()) for row in as_matrix(layer, levels)]
