"""The coders of layer data that read and write an arithmetic codeword."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from .arithmetic import ArithmeticDecoder, ArithmeticEncoder, Mark
from .contexts import Context, ContextLayout
from .layer import Layer
from .ndu import EntryPoint


class BlockRow(NamedTuple):
    """Where a block row begins, as a decoder sees it: bits consumed, its offset, the state."""

    position: int
    value: int
    state: int


class _Contexts:
    """The contexts of one tensor."""

    def __init__(self, layer: Layer) -> None:
        size = ContextLayout(layer.unary_length).size
        self.contexts = [Context() for _ in range(size)]

    def start(self, context: int, context_id: int) -> None:
        self.contexts[context].start(context_id)

    def restart(self) -> None:
        for context in self.contexts:
            context.start(context.context_id)


class LayerDecoder(_Contexts):
    """A `Coder` that reads."""

    def __init__(self, arithmetic: ArithmeticDecoder, layer: Layer) -> None:
        super().__init__(layer)
        self._arithmetic = arithmetic
        self.block_rows: list[BlockRow] = []

    def bin(self, context: int, value: int) -> int:  # noqa: ARG002
        return self._arithmetic.decode(self.contexts[context])

    def bypass(self, count: int, value: int) -> int:  # noqa: ARG002
        return self._arithmetic.bypass(count)

    def start_block_row(self, state: int) -> None:
        self._arithmetic.start_block_row()
        self.restart()
        self.block_rows.append(BlockRow(self._arithmetic.position, self._arithmetic.value, state))


class LayerEncoder(_Contexts):
    """A `Coder` that writes."""

    def __init__(self, arithmetic: ArithmeticEncoder, layer: Layer) -> None:
        super().__init__(layer)
        self._arithmetic = arithmetic
        self.block_rows: list[tuple[Mark, int]] = []

    def bin(self, context: int, value: int) -> int:
        self._arithmetic.encode(self.contexts[context], value)
        return value

    def bypass(self, count: int, value: int) -> int:
        self._arithmetic.bypass(count, value)
        return value

    def start_block_row(self, state: int) -> None:
        self.block_rows.append((self._arithmetic.start_block_row(), state))
        self.restart()


def to_entry_points(block_rows: list[BlockRow]) -> list[EntryPoint]:
    """The entry points of one tensor: one a block row after the first."""
    return [
        EntryPoint(row.value, row.state, row.position - before.position)
        for before, row in pairwise(block_rows)
    ]
