"""Tells a network to the native engine, one call a layer."""

from __future__ import annotations

from .. import _core
from .layers import (
    Add,
    Affine,
    Clip,
    Concat,
    Conv,
    Crop,
    DepthToSpace,
    DepthwiseConv,
    Graph,
    Layer,
    Mul,
    Pad,
    Slice,
    Slope,
    SpaceToDepth,
)


def build_plan(graph: Graph, *, fused: bool = True) -> _core.NetworkPlan:
    """The native plan of a graph, whose layers are validated.

    Where it is not *fused*, every layer computes the value that the graph says.
    """
    builder = _core.NetworkBuilder(graph.in_channels)
    for layer in graph.layers:
        _append(builder, layer)
    return builder.build(graph.output, fused)


def blocks_of(graph: Graph) -> dict[int, tuple[int, int]]:
    """Which values of a graph `Network` computes by blocks of 4x4 samples.

    For each, the row and column, modulo 4, at which blocks begin. What
    `nnr.reference.network.run` needs to give the bits of the ``scalar`` level.
    """
    return build_plan(graph, fused=False).blocks


def _append(builder: _core.NetworkBuilder, layer: Layer) -> None:
    name, inputs = layer.name, layer.inputs
    match layer:
        case Conv():
            builder.conv(name, inputs[0], layer.weights, layer.bias, layer.pads, layer.stride)
        case DepthwiseConv():
            weights, bias = layer.weights, layer.bias
            builder.depthwise_conv(name, inputs[0], weights, bias, layer.pads, layer.stride)
        case Slope():
            builder.slope(name, inputs[0], layer.slopes)
        case Affine():
            builder.affine(name, inputs[0], layer.scales, layer.offsets)
        case Clip():
            builder.clip(name, inputs[0], layer.lo, layer.hi)
        case Add():
            builder.add(name, inputs[0], inputs[1])
        case Mul():
            builder.mul(name, inputs[0], inputs[1])
        case Concat():
            builder.concat(name, list(inputs))
        case Slice():
            builder.slice(name, inputs[0], layer.first, layer.last)
        case DepthToSpace():
            builder.depth_to_space(name, inputs[0], layer.block, layer.mode)
        case SpaceToDepth():
            builder.space_to_depth(name, inputs[0], layer.block)
        case Pad():
            builder.pad(name, inputs[0], layer.pads, layer.mode, layer.value)
        case Crop():
            builder.crop(name, inputs[0], layer.margins)
        case _:
            raise TypeError(f"not a layer: {layer!r}")
