"""Layer data: the levels of one tensor as bins, with their contexts.

The syntax is said once, in `code_layer`, over a `Coder`. An encoder's coder writes the bins that it
is handed, a decoder's ignores them and returns what it reads, and `search` merely notes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .bits import sign_extend
from .contexts import MAX_PREFIX_LENGTH, ContextLayout
from .ndu import Codebook

Levels = NDArray[np.int32]

# The next state of the trellis, by state and parity of the coded level.
STATE_TRANSITIONS = ((0, 2), (7, 5), (1, 3), (6, 4), (2, 0), (5, 7), (3, 1), (4, 6))

# Without a codebook no level reaches its limit.
_NO_LIMIT = 1 << 40
_CONTEXT_ID_BITS = 3


class Coder(Protocol):
    """Where the bins of a tensor go to, or come from."""

    def bin(self, context: int, value: int) -> int:
        """One bin with the context of that number."""

    def bypass(self, count: int, value: int) -> int:
        """That many bins of even probability."""

    def start(self, context: int, context_id: int) -> None:
        """Gives a context its start configuration."""

    def start_block_row(self, state: int) -> None:
        """A block row begins, in that state of the trellis; the contexts start anew."""


@dataclass(frozen=True)
class Layer:
    """What is known of a tensor before its layer data.

    Parameters
    ----------
    shape : tuple of int
    dq_flag : bool
        Whether it is quantised by the trellis.
    unary_length : int
        cabac_unary_length_minus1 + 1.
    scan_order : int
        0 row by row, 1 to 4 in blocks of 8, 16, 32, 64.
    profile : int
        0 for the first edition's syntax, 1 for the second's.
    codebook : Codebook, optional
    parent_node_id_present_flag : bool
        Whether it updates a tensor of an earlier stream.
    base : ndarray of int32, optional
        The earlier tensor's levels, where they take part in choosing contexts (TCA).
    history : ndarray of bool, optional
        Where any earlier tensor of the series was not zero (HDSP).
    prefix_ids : int
        How many context ids are sent for the remainder's prefix; first-edition encoders send 32.
    """

    shape: tuple[int, ...]
    dq_flag: bool = False
    unary_length: int = 10
    scan_order: int = 0
    profile: int = 1
    codebook: Codebook | None = None
    parent_node_id_present_flag: bool = False
    base: Levels | None = None
    history: NDArray[np.bool_] | None = None
    prefix_ids: int = MAX_PREFIX_LENGTH

    @property
    def rows(self) -> int:
        return self.shape[0] if self.shape else 1

    @property
    def columns(self) -> int:
        return math.prod(self.shape[1:])

    @property
    def is_matrix(self) -> bool:
        """Whether rows can be skipped and blocks scanned."""
        return self.rows > 1 and self.columns > 1

    @property
    def limits(self) -> Codebook | None:
        """The codebook, where it limits what is coded."""
        return self.codebook if self.profile == 1 else None


@dataclass(frozen=True)
class Choices:
    """What an encoder decides about a layer; a decoder reads it instead.

    `row_skip_flags` is None where row_skip_enabled_flag is 0.
    """

    hist_dep_sig_prob_enabled_flag: bool = False
    row_skip_flags: Sequence[int] | None = None
    context_ids: Sequence[int] | None = None


@dataclass(frozen=True)
class Segment:
    """Consecutive levels of one row, coded one after the other."""

    row: int
    first: int
    last: int


def code_layer(coder: Coder, layer: Layer, values: Levels, choices: Choices) -> Levels:
    """Layer data of one tensor.

    Parameters
    ----------
    coder : Coder
    layer : Layer
    values : ndarray of int32
        The levels as coded, of shape (rows, columns); a decoder hands in zeros.
    choices : Choices

    Returns
    -------
    ndarray of int32
        The levels that the step size is multiplied with: doubled where dq_flag is 1.
    """
    layout = ContextLayout(layer.unary_length)
    history_enabled = False
    skipped: Sequence[int] = ()
    if layer.profile == 1 and layer.is_matrix and not _has_one_entry(layer.codebook):
        if layer.parent_node_id_present_flag:
            history_enabled = bool(coder.bypass(1, choices.hist_dep_sig_prob_enabled_flag))
        flags = choices.row_skip_flags
        if coder.bypass(1, flags is not None):
            rows = range(layer.rows)
            skipped = [coder.bin(layout.row_skip, flags[row] if flags else 0) for row in rows]
    contexts = list_contexts(layer, history_enabled)
    wanted = choices.context_ids or [0] * len(contexts)
    for context, context_id in zip(contexts, wanted, strict=True):
        _code_context_id(coder, layout, context, context_id)
    return code_levels(LevelCoder(coder, layer, history_enabled), values, skipped)


def _has_one_entry(codebook: Codebook | None) -> bool:
    return codebook is not None and len(codebook.entries) == 1


def _code_context_id(coder: Coder, layout: ContextLayout, context: int, context_id: int) -> None:
    if coder.bin(layout.context_id_flag, int(context_id != 0)):
        context_id = 1 + coder.bypass(_CONTEXT_ID_BITS, context_id - 1)
    else:
        context_id = 0
    coder.start(context, context_id)


def list_contexts(layer: Layer, history_enabled: bool = False) -> list[int]:
    """The contexts of a tensor in the order in which their ids (shift_parameter_ids) are sent."""
    layout = ContextLayout(layer.unary_length)
    states = 8 if layer.dq_flag else 1
    has_base = layer.base is not None
    flags, flags_with_base = 2 * layer.unary_length, 2 * layer.unary_length
    prefix = layer.prefix_ids
    has_significance = has_sign = True
    if layer.limits is not None:
        largest = layer.limits.largest_magnitude
        flags, flags_with_base = min(flags, 2 * largest), min(flags, max(0, 2 * (largest - 1)))
        prefix = sum(layer.unary_length + (2 << i) - 2 < largest for i in range(prefix))
        has_significance = len(layer.limits.entries) > 1
        has_sign = 0 < layer.limits.zero_offset < len(layer.limits.entries) - 1
    runs: list[tuple[int, int]] = []
    if has_significance:
        runs.append((layout.significance, 3 * states))
        runs.append((layout.significance_with_base, 2 * states * has_base))
        runs.append((layout.significance_with_history, states * history_enabled))
    if has_sign:
        runs += [(layout.sign, 3), (layout.sign_with_base, 2 * has_base)]
    runs += [(layout.greater, flags), (layout.greater_with_base, flags_with_base * has_base)]
    runs.append((layout.prefix, prefix))
    return [first + i for first, count in runs for i in range(count)]


def block_rows(layer: Layer) -> Iterator[Iterable[Segment]]:
    """The segments of a tensor in scan order, by block row; one block row where scan_order is 0."""
    rows, columns = layer.rows, layer.columns
    if layer.scan_order == 0 or not layer.is_matrix:
        yield (Segment(row, 0, columns) for row in range(rows if columns else 0))
        return
    block = 4 << layer.scan_order
    for top in range(0, rows, block):
        yield (
            Segment(row, left, min(left + block, columns))
            for left in range(0, columns, block)
            for row in range(top, min(top + block, rows))
        )


def restarts(layer: Layer) -> bool:
    """Whether the coder restarts at each block row."""
    if layer.scan_order == 0 or not layer.is_matrix:
        return False
    return layer.profile == 0 or layer.rows > 4 << layer.scan_order


def code_levels(levels: LevelCoder, values: Levels, skipped: Sequence[int]) -> Levels:
    """All levels of a tensor in scan order; arguments and result as of `code_layer`."""
    layer = levels.layer
    indices = np.zeros((layer.rows, layer.columns), np.int32)
    for segments in block_rows(layer):
        if restarts(layer):
            levels.start_block_row()
        for segment in segments:
            if skipped and skipped[segment.row]:
                levels.skip_row()
                continue
            for column in range(segment.first, segment.last):
                place = segment.row, column
                position = segment.row * layer.columns + column
                indices[place] = levels.code(int(values[place]), position)
    return indices


class LevelCoder:
    """Codes one level after the other, and keeps what the contexts depend on.

    Parameters
    ----------
    coder : Coder
    layer : Layer
    history_enabled : bool
        hist_dep_sig_prob_enabled_flag.
    """

    def __init__(self, coder: Coder, layer: Layer, history_enabled: bool = False) -> None:
        self._coder = coder
        self.layer = layer
        self._layout = ContextLayout(layer.unary_length)
        self._base = None if layer.base is None else layer.base.reshape(-1)
        self._history = None
        if history_enabled and layer.history is not None:
            self._history = layer.history.reshape(-1)
        self._negative_limit = self._positive_limit = _NO_LIMIT
        if layer.limits is not None:
            self._negative_limit = layer.limits.zero_offset
            self._positive_limit = len(layer.limits.entries) - 1 - layer.limits.zero_offset
        self.neighbour = 0
        self.state = 0

    def start_block_row(self) -> None:
        """The neighbour is forgotten; the state of the trellis goes on."""
        self._coder.start_block_row(self.state)
        self.neighbour = 0

    def skip_row(self) -> None:
        """A skipped segment moves the trellis by a whole row of zeros, however wide it is."""
        if self.layer.dq_flag:
            self.state = after_zeros(self.state, self.layer.columns)

    def code(self, level: int, position: int) -> int:
        """One level, at that place of the tensor in C order; returns the doubled level."""
        base = 0 if self._base is None else int(self._base[position])
        level = self.neighbour = self._code_level(level, base, position)
        if not self.layer.dq_flag:
            return level
        index = dq_index(level, self.state)
        self.state = STATE_TRANSITIONS[self.state][level & 1]
        return index

    def magnitude(self, level: int) -> int:
        """The magnitude that the flags after the sign tell."""
        return abs(level)

    def _code_level(self, level: int, base: int, position: int) -> int:
        if self._negative_limit == self._positive_limit == 0:
            return 0
        if not self._coder.bin(self._significance_context(base, position), int(level != 0)):
            return 0
        negative = self._code_sign(level, base)
        magnitude = self._code_magnitude(self.magnitude(level), negative, base)
        return sign_extend(-magnitude if negative else magnitude, 32)

    def _significance_context(self, base: int, position: int) -> int:
        if self._history is not None and self._history[position]:
            return self._layout.significance_with_history + self.state
        if base:
            return self._layout.significance_with_base + 2 * self.state + (abs(base) > 1)
        return self._layout.significance + 3 * self.state + self._neighbour_sign()

    def _neighbour_sign(self) -> int:
        return 0 if self.neighbour == 0 else 1 if self.neighbour < 0 else 2

    def _code_sign(self, level: int, base: int) -> bool:
        if self._negative_limit == 0 or self._positive_limit == 0:
            return self._negative_limit != 0
        if base:
            context = self._layout.sign_with_base + (base > 0)
        else:
            context = self._layout.sign + self._neighbour_sign()
        return bool(self._coder.bin(context, int(level < 0)))

    def _code_magnitude(self, wanted: int, negative: bool, base: int) -> int:
        """Greater-than flags, then an Exp-Golomb code whose prefix has contexts."""
        limit = self._negative_limit if negative else self._positive_limit
        magnitude = 1
        for flag in range(self.layer.unary_length):
            if magnitude == limit:
                return magnitude
            if base:
                context = self._layout.greater_with_base + 2 * flag + (abs(base) < flag)
            else:
                context = self._layout.greater + 2 * flag + negative
            if not self._coder.bin(context, int(wanted > magnitude)):
                return magnitude
            magnitude += 1
        order = 0
        while order < MAX_PREFIX_LENGTH and magnitude + (1 << order) <= limit:
            context = self._layout.prefix + order
            if not self._coder.bin(context, int(wanted >= magnitude + (1 << order))):
                break
            magnitude += 1 << order
            order += 1
        return magnitude + self._coder.bypass(order, wanted - magnitude)


def dq_index(level: int, state: int) -> int:
    """What a level stands for in a state of the trellis, in units of the step size."""
    sign = (level > 0) - (level < 0)
    return sign_extend(2 * level - sign * (state & 1), 32)


def after_zeros(state: int, count: int) -> int:
    """The state of the trellis after that many zeros."""
    for _ in range(count % 4):  # four lead back to the same state, whichever it is
        state = STATE_TRANSITIONS[state][0]
    return state
