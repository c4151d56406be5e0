"""The operators that hold the weights of a network: convolutions and batch normalisation."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .layers import (
    Affine,
    Conv,
    Crop,
    DepthToSpace,
    DepthwiseConv,
    Float32Array,
    Pads,
    Size,
    Stride,
)

if TYPE_CHECKING:
    from .graph import NodeView

_LARGEST_KERNEL = 15
_LARGEST_STRIDE = 64
_LARGEST_STRIDE_OF_TRANSPOSE = 8
# Groups become dense weights; this many are 256 MB.
_MOST_DENSE_WEIGHTS = 1 << 26


def _conv(node: NodeView) -> None:
    source = node.value(0)
    weights, bias = _weights_and_bias(node)
    kernel = _kernel(node, weights)
    _refuse_dilations(node)
    stride = _stride(node, _LARGEST_STRIDE)
    pads = _conv_pads(node, kernel, stride)
    groups, channels = _groups(node), node.shape(source).channels
    outs, ins = weights.shape[:2]
    if groups > 1 and (channels != ins * groups or outs % groups):
        node.fail(
            f"has {channels} input channels, and weights of shape {weights.shape} for {groups} "
            "groups"
        )
    if 1 < groups == channels == outs:
        alone = np.ascontiguousarray(weights[:, 0])
        node.append(DepthwiseConv(node.name, (source,), alone, bias, pads, stride))
    else:
        dense = _dense(node, weights, groups)
        node.append(Conv(node.name, (source,), dense, bias, pads, stride))


def _weights_and_bias(node: NodeView) -> tuple[Float32Array, Float32Array | None]:
    weights = node.weights(1, "weight")
    bias = node.weights(2, "bias") if node.has(2) else None
    if weights.ndim != 4:
        node.refuse(f"weight of shape {weights.shape} is not supported, only kernels of an image")
    if weights.size == 0:
        node.fail(f"has no weights, shape {weights.shape}")
    return weights, bias


def _kernel(node: NodeView, weights: Float32Array) -> Size:
    height, width = weights.shape[2:]
    if max(height, width) > _LARGEST_KERNEL:
        node.refuse(
            f"kernel of {height}x{width} is not supported, only up to "
            f"{_LARGEST_KERNEL}x{_LARGEST_KERNEL}"
        )
    return height, width


def _refuse_dilations(node: NodeView) -> None:
    dilations = node.attribute_integers("dilations", [1, 1])
    if dilations != [1, 1]:
        node.refuse(f"dilations {dilations} are not supported, only [1, 1]")


def _stride(node: NodeView, largest: int) -> Stride:
    strides = node.attribute_integers("strides", [1, 1])
    if len(strides) != 2 or min(strides) < 1:
        node.fail(f"strides {strides} must be two positive numbers")
    if max(strides) > largest:
        node.refuse(f"strides {strides} are not supported, only 1 to {largest}")
    return strides[0], strides[1]


def _groups(node: NodeView) -> int:
    groups = operator.index(node.attributes.get("group", 1))
    if groups < 1:
        node.fail(f"group must be positive, got {groups}")
    return groups


def _pads(node: NodeView) -> Pads:
    pads = node.attribute_integers("pads", [0, 0, 0, 0])
    if len(pads) != 4 or min(pads) < 0:
        node.refuse(f"pads {pads} are not supported, only four numbers from 0")
    return pads[0], pads[1], pads[2], pads[3]


def _conv_pads(node: NodeView, kernel: Size, stride: Stride) -> Pads:
    """Zeros around the input, fewer than the kernel has rows and columns."""
    height, width = kernel
    mode = node.text("auto_pad", "NOTSET")
    if mode == "VALID":
        return 0, 0, 0, 0
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        if stride != (1, 1):
            node.refuse(f"auto_pad {mode} is not supported for strides {list(stride)}, only 1")
        less, more = ((height - 1) // 2, (width - 1) // 2), (height // 2, width // 2)
        return (*less, *more) if mode == "SAME_UPPER" else (*more, *less)
    if mode != "NOTSET":
        node.refuse(f"auto_pad {mode} is not supported")
    pads = _pads(node)
    if max(pads[::2]) >= height or max(pads[1::2]) >= width:
        node.refuse(f"pads {list(pads)} are not supported for a kernel of {height}x{width}")
    return pads


def _dense(node: NodeView, weights: Float32Array, groups: int) -> Float32Array:
    """Weights of groups, (outs, ins of a group, ...), with zeros for what does not connect."""
    if groups == 1:
        return weights
    outs, ins, height, width = weights.shape
    if weights.size * groups > _MOST_DENSE_WEIGHTS:
        node.refuse(f"{groups} groups are not supported for weights of shape {weights.shape}")
    dense = np.zeros((groups, outs // groups, groups, ins, height, width), np.float32)
    each = np.arange(groups)
    dense[each, :, each] = weights.reshape(groups, outs // groups, ins, height, width)
    return dense.reshape(outs, groups * ins, height, width)


class _Side(NamedTuple):
    """One axis of a transposed convolution: before and after what is computed, and how much."""

    taps: int
    pads: tuple[int, int]
    margins: tuple[int, int]


def _conv_transpose(node: NodeView) -> None:
    """A convolution that computes all phases of the result, which are then interleaved.

    Sample ``i`` of the input adds ``w[k]`` to sample ``i * s + k`` of the output. Sample ``q * s +
    r`` therefore is the sum over ``t`` of ``x[q - t] * w[r + t * s]``: for each phase ``r`` a
    convolution with every s-th weight, the last one first.
    """
    source = node.value(0)
    given, bias = _weights_and_bias(node)
    _refuse_dilations(node)
    phases, rows, columns = _transposed_sides(node, (given.shape[2], given.shape[3]))
    weights = _transposed_weights(node, given, node.shape(source).channels)
    if bias is not None and bias.shape != weights.shape[:1]:
        node.fail(f"has biases of shape {bias.shape} for {weights.shape[0]} output channels")
    lowered = _phase_weights(weights, phases, (rows.taps, columns.taps))
    repeated = None if bias is None else np.repeat(bias, phases * phases)
    pads = rows.pads[0], columns.pads[0], rows.pads[1], columns.pads[1]
    margins = rows.margins[0], columns.margins[0], rows.margins[1], columns.margins[1]
    value = node.append(Conv(node.name, (source,), lowered, repeated, pads))
    if phases > 1:
        value = node.append(DepthToSpace(node.name, (value,), phases, "CRD"))
    if any(margins):
        node.append(Crop(node.name, (value,), margins))


def _transposed_sides(node: NodeView, kernel: Size) -> tuple[int, _Side, _Side]:
    """The stride of a transposed convolution, and its rows and columns."""
    stride = _stride(node, _LARGEST_STRIDE_OF_TRANSPOSE)
    if stride[0] != stride[1]:
        node.refuse(f"strides {list(stride)} are not supported, only equal ones")
    mode = node.text("auto_pad", "NOTSET")
    if mode not in ("NOTSET", "VALID") or "output_shape" in node.attributes:
        node.refuse("auto_pad and output_shape are not supported, only pads and output_padding")
    pads = _pads(node) if mode == "NOTSET" else (0, 0, 0, 0)
    more = node.attribute_integers("output_padding", [0, 0])
    if len(more) != 2 or not 0 <= min(more) <= max(more) < stride[0]:
        node.fail(f"output_padding {more} must be two numbers from 0 to the stride - 1")
    sides = [
        _transposed_side(kernel[axis], stride[0], (pads[axis], pads[axis + 2]), more[axis])
        for axis in (0, 1)
    ]
    if max(side.taps for side in sides) > _LARGEST_KERNEL:
        node.refuse(f"kernel of {kernel[0]}x{kernel[1]} is not supported for strides {stride[0]}")
    return stride[0], sides[0], sides[1]


def _transposed_side(kernel: int, phases: int, pads: tuple[int, int], more: int) -> _Side:
    """What to compute of a side that *more* continues and *pads* shortens.

    All that the input reaches is ``(length + taps - 1) * phases`` samples, from zeros of
    ``taps - 1`` on either side. Whole blocks that are cut off need not be computed.
    """
    taps = -(-(kernel + max(0, more - pads[1])) // phases)
    cut = pads[0], taps * phases - kernel - more + pads[1]
    blocks = [min(samples // phases, taps - 1) for samples in cut]
    return _Side(
        taps,
        (taps - 1 - blocks[0], taps - 1 - blocks[1]),
        (cut[0] - blocks[0] * phases, cut[1] - blocks[1] * phases),
    )


def _transposed_weights(node: NodeView, given: Float32Array, channels: int) -> Float32Array:
    """Weights (ins, outs of a group, ...) as those of a convolution of one group."""
    groups = _groups(node)
    ins, outs, *kernel = given.shape
    if ins != channels or ins % groups:
        node.fail(
            f"has {channels} input channels, and weights of shape {given.shape} for {groups} groups"
        )
    split = given.reshape(groups, ins // groups, outs, *kernel).transpose(0, 2, 1, 3, 4)
    return _dense(node, split.reshape(groups * outs, ins // groups, *kernel), groups)


def _phase_weights(weights: Float32Array, phases: int, taps: tuple[int, int]) -> Float32Array:
    """Weights of the output channels ``(out * phases + row phase) * phases + column phase``."""
    outs, ins, height, width = weights.shape
    rows, columns = taps
    whole = np.zeros((outs, ins, rows * phases, columns * phases), np.float32)
    whole[:, :, :height, :width] = weights
    split = whole.reshape(outs, ins, rows, phases, columns, phases)[:, :, ::-1, :, ::-1]
    ordered = split.transpose(0, 3, 5, 1, 2, 4)
    return np.ascontiguousarray(ordered.reshape(outs * phases * phases, ins, rows, columns))


def _batch_normalization(node: NodeView) -> None:
    source = node.value(0)
    if node.attributes.get("training_mode", 0) != 0:
        node.refuse("training_mode is not supported")
    scale, offset, mean, variance = (
        _one_a_channel(node, index, what)
        for index, what in enumerate(("scale", "B", "mean", "variance"), 1)
    )
    with np.errstate(all="ignore"):
        wide = scale / np.sqrt(variance + float(node.attributes.get("epsilon", 1e-5)))
        scales, offsets = wide.astype(np.float32), (offset - mean * wide).astype(np.float32)
    if not (np.isfinite(scales).all() and np.isfinite(offsets).all()):
        node.fail("does not give finite numbers; is its variance negative?")
    node.append(Affine(node.name, (source,), scales, offsets))


def _one_a_channel(node: NodeView, index: int, what: str) -> NDArray[np.float64]:
    array, channels = node.weights(index, what), node.shape(node.value(0)).channels
    if array.shape != (channels,):
        node.fail(f"has {what} of shape {array.shape} for an input of {channels} channels")
    return array.astype(np.float64)


READERS: dict[str, Callable[[NodeView], None]] = {
    "BatchNormalization": _batch_normalization,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
}
