"""Folds what a network need not compute into the layers that stay."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .layers import (
    Affine,
    Concat,
    Conv,
    Crop,
    DepthToSpace,
    DepthwiseConv,
    Float32Array,
    Graph,
    Layer,
    Pad,
    Slice,
    Slope,
    SpaceToDepth,
)
from .shapes import Shape, shape_of

Float64Array = NDArray[np.float64]


def fold(graph: Graph) -> Graph:
    """A graph of fewer layers that computes the same, but for rounding.

    An `Affine` goes into the convolution before it, also through a `Slope` between the two, into an
    `Affine` before it, or into the convolution after it. Layers that change nothing, and those that
    the output does not depend on, are dropped. Folded numbers are computed in float64 and rounded
    once; where that would not give finite ones, or where channels do not fit, layers stay as they
    are.

    Examples
    --------
    >>> from nnr.networks.fold import fold
    >>> from nnr.networks.graph import read_graph
    >>> graph = read_graph(nnr.load(nnr.networks.POSTFILTER))
    >>> len(fold(graph).layers) <= len(graph.layers)
    True
    """
    folded = _without_unused(_Walk(_without_unused(graph)).graph)
    return folded if len(folded.layers) == len(graph.layers) else fold(folded)


def _without_unused(graph: Graph) -> Graph:
    """Without the layers that the output does not depend on."""
    needed = {graph.output}
    for value in range(len(graph.layers), 0, -1):
        if value in needed:
            needed.update(graph.layers[value - 1].inputs)
    numbers = {old: new for new, old in enumerate(sorted(needed | {0}))}
    layers = tuple(
        replace(layer, inputs=tuple(numbers[value] for value in layer.inputs))
        for value, layer in enumerate(graph.layers, 1)
        if value in needed
    )
    return replace(graph, layers=layers, output=numbers[graph.output])


class _Walk:
    """Goes over the layers once, and folds each into its neighbours where that can be done.

    Layers that this leaves unused are still there at the end.
    """

    def __init__(self, graph: Graph) -> None:
        self._layers: list[Layer] = []
        self._shapes = [Shape(graph.in_channels, graph.input_size)]
        uses = Counter(value for layer in graph.layers for value in layer.inputs)
        uses[graph.output] += 1
        # By the values of the new layers, as all that follow.
        self._uses = [uses[0]]
        values = [0]
        for value, old in enumerate(graph.layers, 1):
            layer = replace(old, inputs=tuple(values[source] for source in old.inputs))
            values.append(self._place(layer, uses[value]))
        self.graph = replace(graph, layers=tuple(self._layers), output=values[graph.output])

    def _place(self, layer: Layer, uses: int) -> int:
        """The value that stands for that of *layer*."""
        source = layer.inputs[0]
        if _changes_nothing(layer, self._shapes[source].channels):
            self._uses[source] += uses - 1
            return source
        if isinstance(layer, Affine) and self._fold_back(layer):
            self._uses[source] = uses
            return source
        if isinstance(layer, Conv | DepthwiseConv):
            layer = self._with_affine_before(layer)
        self._shapes.append(shape_of(layer, [self._shapes[value] for value in layer.inputs]))
        self._layers.append(layer)
        self._uses.append(uses)
        return len(self._layers)

    def _only_use(self, value: int) -> Layer | None:
        """The layer of a value that is used once."""
        return self._layers[value - 1] if value and self._uses[value] == 1 else None

    def _fold_back(self, affine: Affine) -> bool:
        """Change the layers before so that *affine* is done already."""
        value = affine.inputs[0]
        before = self._only_use(value)
        if isinstance(before, Slope):
            # slope(scale * x) is scale * slope(x) for positive scales.
            if affine.offsets.any() or not (affine.scales > 0).all():
                return False
            value = before.inputs[0]
            before = self._only_use(value)
        elif isinstance(before, Affine):
            return self._replace(value, _merged(before, affine, self._shapes[value].channels))
        if isinstance(before, Conv | DepthwiseConv):
            return self._replace(value, _with_affine_after(before, affine))
        return False

    def _replace(self, value: int, layer: Layer | None) -> bool:
        if layer is not None:
            self._layers[value - 1] = layer
        return layer is not None

    def _with_affine_before(self, conv: Conv | DepthwiseConv) -> Conv | DepthwiseConv:
        """The convolution of what an affine layer takes, if that can be folded into it."""
        affine = self._only_use(conv.inputs[0])
        if not isinstance(affine, Affine) or (affine.offsets.any() and any(conv.pads)):
            # Zeros around the input stay zeros, while the offset is added to all else.
            return conv
        folded = _with_affine_first(conv, affine, self._shapes[conv.inputs[0]].channels)
        return conv if folded is None else replace(folded, inputs=affine.inputs)


def _changes_nothing(layer: Layer, channels: int) -> bool:
    match layer:
        case Affine():
            fits = _per_channel(layer, channels) is not None
            return fits and bool((layer.scales == 1).all()) and not layer.offsets.any()
        case Concat():
            return len(layer.inputs) == 1
        case Slice():
            return (layer.first, layer.last) == (0, channels)
        case Crop():
            return not any(layer.margins)
        case Pad():
            return not any(layer.pads)
        case DepthToSpace() | SpaceToDepth():
            return layer.block == 1
        case _:
            return False


def _per_channel(affine: Affine, channels: int) -> tuple[Float64Array, Float64Array] | None:
    """Scales and offsets, one a channel, if there are as many or one for all."""
    arrays = [array.astype(np.float64) for array in (affine.scales, affine.offsets)]
    if any(array.size not in (1, channels) for array in arrays):
        return None
    scales, offsets = (np.broadcast_to(array, (channels,)) for array in arrays)
    return scales, offsets


def _rounded(array: Float64Array) -> Float32Array | None:
    """In float32, or None if a number would not be finite."""
    with np.errstate(over="ignore"):
        result = array.astype(np.float32)
    return result if np.isfinite(result).all() else None


def _merged(first: Affine, second: Affine, channels: int) -> Affine | None:
    before, after = _per_channel(first, channels), _per_channel(second, channels)
    if before is None or after is None:
        return None
    scales = _rounded(before[0] * after[0])
    offsets = _rounded(before[1] * after[0] + after[1])
    if scales is None or offsets is None:
        return None
    return replace(first, scales=scales, offsets=offsets)


def _with_affine_after(conv: Conv | DepthwiseConv, affine: Affine) -> Conv | DepthwiseConv | None:
    channels = conv.weights.shape[0]
    numbers, bias = _per_channel(affine, channels), _bias(conv)
    if numbers is None or bias.size != channels:
        return None
    scales, offsets = numbers
    weights = conv.weights * scales.reshape(-1, *[1] * (conv.weights.ndim - 1))
    return _with_numbers(conv, weights, bias * scales + offsets)


def _with_affine_first(
    conv: Conv | DepthwiseConv, affine: Affine, channels: int
) -> Conv | DepthwiseConv | None:
    depthwise = isinstance(conv, DepthwiseConv)
    numbers, bias = _per_channel(affine, channels), _bias(conv)
    ins = conv.weights.shape[0 if depthwise else 1]
    if numbers is None or ins != channels or bias.size != conv.weights.shape[0]:
        return None
    scales, offsets = (array[:, None, None] for array in numbers)
    # Over the rows, columns and, unless each stands alone, channels that a sample sees.
    seen = (1, 2) if depthwise else (1, 2, 3)
    moved = (conv.weights * offsets).sum(axis=seen)
    return _with_numbers(conv, conv.weights * scales, bias + moved)


def _bias(conv: Conv | DepthwiseConv) -> Float64Array:
    if conv.bias is None:
        return np.zeros(conv.weights.shape[0])
    return conv.bias.reshape(-1).astype(np.float64)


def _with_numbers(
    conv: Conv | DepthwiseConv, weights: Float64Array, bias: Float64Array
) -> Conv | DepthwiseConv | None:
    """The convolution with other numbers, without biases where there were none and none are due."""
    folded, moved = _rounded(weights), _rounded(bias)
    if folded is None or moved is None:
        return None
    return replace(
        conv, weights=folded, bias=moved if conv.bias is not None or moved.any() else None
    )
