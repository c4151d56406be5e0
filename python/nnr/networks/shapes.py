"""The shapes of values, as far as they are known before a network runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .layers import (
    Concat,
    Conv,
    Crop,
    DepthToSpace,
    DepthwiseConv,
    Layer,
    Pad,
    Size,
    Slice,
    SpaceToDepth,
)


@dataclass(frozen=True)
class Shape:
    """Channels of a value, and its height and width, or None where they are not fixed."""

    channels: int
    size: Size | None


def shape_of(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """The shape of what *layer* computes from values of the shapes *inputs*.

    Whether the inputs fit the layer is not checked: the size of what cannot be computed is None.
    """
    return Shape(_channels(layer, inputs), _size(layer, inputs[0].size))


def _channels(layer: Layer, inputs: Sequence[Shape]) -> int:
    channels = inputs[0].channels
    match layer:
        case Conv():
            return int(layer.weights.shape[0])
        case Concat():
            return sum(shape.channels for shape in inputs)
        case Slice():
            return layer.last - layer.first
        case DepthToSpace():
            return channels // (layer.block * layer.block)
        case SpaceToDepth():
            return channels * layer.block * layer.block
        case _:
            return channels


def _size(layer: Layer, size: Size | None) -> Size | None:
    if size is None:
        return None
    sides = [_length(layer, axis, length) for axis, length in enumerate(size)]
    return (sides[0], sides[1]) if min(sides) > 0 else None


def _length(layer: Layer, axis: int, length: int) -> int:
    """The length of a side, rows for axis 0 and columns for axis 1; 0 where it cannot be."""
    match layer:
        case Conv() | DepthwiseConv():
            around = layer.pads[axis] + layer.pads[axis + 2]
            kernel = int(layer.weights.shape[axis - 2])
            return (length + around - kernel) // layer.stride[axis] + 1
        case Pad():
            return length + layer.pads[axis] + layer.pads[axis + 2]
        case Crop():
            return length - layer.margins[axis] - layer.margins[axis + 2]
        case DepthToSpace():
            return length * layer.block
        case SpaceToDepth():
            return 0 if length % layer.block else length // layer.block
        case _:
            return length
