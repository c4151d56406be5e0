"""The NumPy twin of the network engine: whole values, one layer after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..networks import layers
from ..networks.planes import MAX_QP
from .conv import activate, conv, depthwise_conv
from .winograd import conv_blocks

_Float = TypeVar("_Float", np.float32, np.float64)


# Of the values that are computed by blocks, where those begin, modulo 4.
Blocks = Mapping[int, tuple[int, int]]


@np.errstate(over="ignore", invalid="ignore")
def run(graph: layers.Graph, x: NDArray[_Float], blocks: Blocks | None = None) -> NDArray[_Float]:
    """See `nnr.Network.run`; one image, computed in the type of *x*.

    The layers are run as they are: every convolution sums its products one after the other, but for
    those whose values *blocks* names. In float32, a graph that `nnr.networks.fold.fold` has folded,
    with what `nnr.networks.plan.blocks_of` says of it, gives the bits of the ``scalar`` level.
    """
    values = [x]
    for value, layer in enumerate(graph.layers, 1):
        phase = blocks.get(value) if blocks else None
        values.append(run_layer(layer, [values[i] for i in layer.inputs], phase))
    return values[graph.output]


def filter_plane(
    graph: layers.Graph,
    plane: NDArray[Any],
    *,
    qp: int,
    peak: int,
    blocks: Blocks | None = None,
) -> NDArray[Any]:
    """See `nnr.PostFilter.apply`; the network must take the plane's height and width."""
    luma = plane.astype(np.float32) / np.float32(peak)
    sides = [np.full_like(luma, np.float32(qp / MAX_QP))] * (graph.in_channels - 1)
    filtered = run(graph, np.stack([luma, *sides]), blocks)[0] * np.float32(peak)
    rounded: NDArray[Any] = np.clip(np.rint(filtered), 0, peak).astype(plane.dtype)
    return rounded


def run_layer(
    layer: layers.Layer, inputs: list[NDArray[_Float]], phase: tuple[int, int] | None = None
) -> NDArray[_Float]:
    x = inputs[0]
    match layer:
        case layers.Conv() | layers.DepthwiseConv():
            return _conv(layer, x, phase)
        case layers.Slope():
            return activate(x, layer.slopes.astype(x.dtype))
        case layers.Affine():
            scales, offsets = layer.scales.astype(x.dtype), layer.offsets.astype(x.dtype)
            return x * scales[:, None, None] + offsets[:, None, None]
        case layers.Clip():
            return np.minimum(np.maximum(x, x.dtype.type(layer.lo)), x.dtype.type(layer.hi))
        case layers.Add():
            return x + inputs[1]
        case layers.Mul():
            return x * inputs[1]
        case layers.Concat():
            return np.concatenate(inputs)
        case layers.Slice():
            return x[layer.first : layer.last]
        case layers.DepthToSpace():
            return _depth_to_space(x, layer.block, layer.mode)
        case layers.SpaceToDepth():
            return _space_to_depth(x, layer.block)
        case layers.Pad():
            return _pad(x, layer.pads, layer.mode, layer.value)
        case layers.Crop():
            top, left, bottom, right = layer.margins
            return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]
        case _:
            raise TypeError(f"not a layer: {layer!r}")


def _conv(
    layer: layers.Conv | layers.DepthwiseConv,
    x: NDArray[_Float],
    phase: tuple[int, int] | None,
) -> NDArray[_Float]:
    convolve = conv if isinstance(layer, layers.Conv) else depthwise_conv
    weights = layer.weights.astype(x.dtype)
    bias = None if layer.bias is None else layer.bias.astype(x.dtype)
    if phase is not None:
        return conv_blocks(x, weights, bias, layer.pads, phase)
    return convolve(_pad(x, layer.pads, "constant", 0.0), weights, bias, stride=layer.stride)


def _pad(
    x: NDArray[_Float], pads: layers.Pads, mode: layers.PadMode, value: float
) -> NDArray[_Float]:
    top, left, bottom, right = pads
    widths = ((0, 0), (top, bottom), (left, right))
    if mode == "constant":
        return np.pad(x, widths, constant_values=x.dtype.type(value))
    return np.pad(x, widths, mode=mode)


def _depth_to_space(x: NDArray[_Float], block: int, mode: layers.DepthMode) -> NDArray[_Float]:
    depth, height, width = x.shape
    channels = depth // (block * block)
    if mode == "DCR":
        split = x.reshape(block, block, channels, height, width).transpose(2, 3, 0, 4, 1)
    else:
        split = x.reshape(channels, block, block, height, width).transpose(0, 3, 1, 4, 2)
    return split.reshape(channels, height * block, width * block)


def _space_to_depth(x: NDArray[_Float], block: int) -> NDArray[_Float]:
    channels, height, width = x.shape
    split = x.reshape(channels, height // block, block, width // block, block)
    return split.transpose(2, 4, 0, 1, 3).reshape(-1, height // block, width // block)
