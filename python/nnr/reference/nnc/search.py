"""The choice of the context ids: nine start configurations tried on the bins of each context."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from .contexts import COST, COST_OF_A_BYPASS_BIN, START_CONFIGURATIONS, Context
from .layer import Coder, Layer, LevelCoder, Levels, code_levels, dq_index, list_contexts

# Stands among the bins of a context where a block row begins, and its state with it.
_RESTART = -1
_COST_OF_AN_ID = 3 * COST_OF_A_BYPASS_BIN


class _BinRecorder:
    """A `Coder` that notes the bins of each context."""

    def __init__(self) -> None:
        self.bins: defaultdict[int, list[int]] = defaultdict(list)

    def bin(self, context: int, value: int) -> int:
        self.bins[context].append(value)
        return value

    def bypass(self, count: int, value: int) -> int:  # noqa: ARG002
        return value

    def start(self, context: int, context_id: int) -> None:
        """Ids are what is looked for."""

    def start_block_row(self, state: int) -> None:  # noqa: ARG002
        for bins in self.bins.values():
            bins.append(_RESTART)


class _NNCodecLevels(LevelCoder):
    """The levels as NNCodec's search sees them, which differs from how it codes them.

    The flags after the sign tell the doubled level, a new block row knows its neighbour, and no
    codebook limits what is coded.
    """

    def __init__(self, coder: Coder, layer: Layer, history_enabled: bool = False) -> None:
        super().__init__(coder, replace(layer, codebook=None), history_enabled)

    def start_block_row(self) -> None:
        neighbour = self.neighbour
        super().start_block_row()
        self.neighbour = neighbour

    def magnitude(self, level: int) -> int:
        return abs(dq_index(level, self.state)) if self.layer.dq_flag else abs(level)

    def _code_level(self, level: int, base: int, position: int) -> int:
        super()._code_level(level, base, position)
        return level


def search_context_ids(
    layer: Layer,
    levels: Levels,
    *,
    skipped: Sequence[int] = (),
    history_enabled: bool = False,
    nncodec: bool = True,
) -> list[int]:
    """The cheapest context ids of a layer, in the order in which they are sent.

    Parameters
    ----------
    layer : Layer
    levels : ndarray of int32
        As coded, of shape (rows, columns).
    skipped : sequence of int
        One flag a row, or none.
    history_enabled : bool
        hist_dep_sig_prob_enabled_flag.
    nncodec : bool
        Search over the bins that NNCodec searches over, instead of those that are coded.
    """
    recorder = _BinRecorder()
    level_coder = (_NNCodecLevels if nncodec else LevelCoder)(recorder, layer, history_enabled)
    code_levels(level_coder, levels, skipped)
    contexts = list_contexts(layer, history_enabled)
    return [cheapest_context_id(recorder.bins.get(context, [])) for context in contexts]


def cheapest_context_id(bins: Sequence[int]) -> int:
    """The id with which *bins* (-1 is a restart) cost least; 0 where another saves nothing."""
    best, best_cost = 0, bins_cost(bins, 0)
    if best_cost == 0:
        return best
    for context_id in range(1, len(START_CONFIGURATIONS)):
        cost = bins_cost(bins, context_id) + _COST_OF_AN_ID
        if cost < best_cost:
            best, best_cost = context_id, cost
    return best


def bins_cost(bins: Sequence[int], context_id: int) -> int:
    """What *bins* (-1 is a restart) cost with a start configuration, in units of 2**-15 bits."""
    context = Context(context_id)
    cost = 0
    for value in bins:
        if value == _RESTART:
            context.start(context_id)
        else:
            cost += COST[512 + (context.state >> 3)][value]
            context.update(value)
    return cost
