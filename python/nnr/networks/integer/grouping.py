"""Groups the layers of a float network into steps, each of which becomes one integer layer."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace

from ..layers import (
    Add,
    Affine,
    Clip,
    Concat,
    Conv,
    Crop,
    DepthToSpace,
    DepthwiseConv,
    Float32Array,
    Graph,
    Layer,
    Mul,
    Pad,
    Slice,
    Slope,
    SpaceToDepth,
)

Moving = Concat | Crop | DepthToSpace | Pad | Slice | SpaceToDepth


@dataclass(frozen=True)
class Step:
    """A layer, and what follows it before its result is rounded: slope, addend, clip.

    Parameters
    ----------
    head : Layer
        What the step begins with.
    summed : int
        The value before addend and clip.
    value : int
        The value of the whole step.
    slopes : ndarray of float32, optional
        For negative sums of a convolution.
    addend : int, optional
        A value that is added to a convolution behind its slopes.
    lo, hi : float
        What the result is clipped to.
    """

    head: Layer
    summed: int
    value: int
    slopes: Float32Array | None = None
    addend: int | None = None
    lo: float = -math.inf
    hi: float = math.inf

    @property
    def clips(self) -> bool:
        """Whether the result is clipped to real numbers, which need one scale for all channels."""
        return (self.lo, self.hi) != (-math.inf, math.inf)

    @property
    def inputs(self) -> tuple[int, ...]:
        """All values that it reads."""
        return self.head.inputs if self.addend is None else (*self.head.inputs, self.addend)


def group(graph: Graph) -> list[Step]:
    """The steps of a network, in an order in which they can be run."""
    grouper = _Grouper(graph)
    return sorted(grouper.steps(), key=lambda step: step.value)


def value_channels(graph: Graph) -> list[int]:
    """The channels of every value."""
    channels = [graph.in_channels]
    for layer in graph.layers:
        channels.append(_channels(layer, [channels[i] for i in layer.inputs]))
    return channels


def _channels(layer: Layer, inputs: list[int]) -> int:
    match layer:
        case Conv():
            return int(layer.weights.shape[0])
        case Concat():
            return sum(inputs)
        case Slice():
            return layer.last - layer.first
        case DepthToSpace():
            return inputs[0] // layer.block**2
        case SpaceToDepth():
            return inputs[0] * layer.block**2
        case Affine() | Add() | Clip() | Crop() | DepthwiseConv() | Mul() | Pad() | Slope():
            return inputs[0]
        case _:
            raise TypeError(f"not a layer: {layer!r}")


class _Grouper:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._users: dict[int, int] = {}
        counts = Counter(i for layer in graph.layers for i in layer.inputs)
        counts[graph.output] += 1
        for index, layer in enumerate(graph.layers):
            for i in layer.inputs:
                if counts[i] == 1:
                    self._users[i] = index
        self._taken: set[int] = set()

    def steps(self) -> list[Step]:
        steps = []
        for index, layer in enumerate(self._graph.layers):
            if index not in self._taken:
                steps.append(self._step(index, layer))
        return steps

    def _step(self, index: int, layer: Layer) -> Step:
        step = Step(layer, index + 1, index + 1)
        if isinstance(layer, Clip):
            return replace(step, lo=layer.lo, hi=layer.hi)
        if isinstance(layer, Moving):
            return step
        while (following := self._users.get(step.value)) is not None:
            longer = self._extended(step, self._graph.layers[following], following + 1)
            if longer is None:
                break
            self._taken.add(following)
            step = longer
        return step

    def _extended(self, step: Step, layer: Layer, value: int) -> Step | None:
        """The step with one layer more, if that can be part of it."""
        if step.clips or value - 1 in self._taken:
            return None
        if isinstance(layer, Clip):
            return replace(step, value=value, lo=layer.lo, hi=layer.hi)
        if not isinstance(step.head, Conv | DepthwiseConv) or step.addend is not None:
            return None
        if isinstance(layer, Slope) and step.slopes is None:
            return replace(step, summed=value, value=value, slopes=layer.slopes)
        if isinstance(layer, Add):
            first, second = layer.inputs
            return replace(step, value=value, addend=second if first == step.value else first)
        return None
