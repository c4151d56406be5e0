"""One function an ONNX operator: checks its attributes and appends its layer."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .layers import (
    Add,
    Affine,
    Clip,
    Concat,
    Conv,
    DepthMode,
    DepthToSpace,
    Float32Array,
    Mul,
    Pad,
    PadMode,
    Pads,
    Slice,
    Slope,
    SpaceToDepth,
)

if TYPE_CHECKING:
    from .graph import NodeView

_KERNELS = (1, 3, 5)
# Exporters write "to the end" as the largest integer of 32 or 64 bits.
_TO_THE_END = 2**31 - 1


def _conv(node: NodeView) -> None:
    source = node.value(0)
    weights = node.weights(1, "weight")
    bias = node.weights(2, "bias") if node.has(2) else None
    if weights.ndim != 4 or weights.shape[2] not in _KERNELS or weights.shape[3] not in _KERNELS:
        node.refuse(f"weight of shape {weights.shape} is not supported, only 1x1, 3x3 and 5x5")
    for attribute, only in (("group", 1), ("strides", [1, 1]), ("dilations", [1, 1])):
        value = node.attributes.get(attribute, only)
        if value != only:
            node.refuse(f"{attribute} {value} is not supported, only {only}")
    pads = _conv_pads(node, weights)
    node.append(Conv(node.name, (source,), weights, bias, pads), weights.shape[0])


def _conv_pads(node: NodeView, weights: Float32Array) -> Pads:
    """Zeros around the input; a kernel of odd size makes both forms of SAME alike."""
    height, width = weights.shape[2:]
    rows, columns = height // 2, width // 2
    mode = node.text("auto_pad", "NOTSET")
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        return rows, columns, rows, columns
    if mode == "VALID":
        return 0, 0, 0, 0
    if mode != "NOTSET":
        node.refuse(f"auto_pad {mode} is not supported")
    pads = node.attribute_integers("pads", [0, 0, 0, 0])
    if len(pads) != 4 or min(pads) < 0 or max(pads[::2]) >= height or max(pads[1::2]) >= width:
        node.refuse(f"pads {pads} are not supported for a kernel of {height}x{width}")
    return cast("Pads", tuple(pads))


def _append_slope(node: NodeView, slopes: Float32Array) -> None:
    source = node.value(0)
    node.append(Slope(node.name, (source,), slopes), node.graph.channels[source])


def _relu(node: NodeView) -> None:
    _append_slope(node, np.zeros(1, np.float32))


def _leaky_relu(node: NodeView) -> None:
    _append_slope(node, np.array([float(node.attributes.get("alpha", 0.01))], np.float32))


def _prelu(node: NodeView) -> None:
    _append_slope(node, node.per_channel(1, "slope"))


def _clip(node: NodeView) -> None:
    source = node.value(0)
    lo = node.scalar(1, "min") if node.has(1) else node.attributes.get("min", -np.inf)
    hi = node.scalar(2, "max") if node.has(2) else node.attributes.get("max", np.inf)
    node.append(Clip(node.name, (source,), float(lo), float(hi)), node.graph.channels[source])


def _add(node: NodeView) -> None:
    _combine(node, Add, lambda offsets: (np.ones(1, np.float32), offsets))


def _mul(node: NodeView) -> None:
    _combine(node, Mul, lambda scales: (scales, np.zeros(1, np.float32)))


def _combine(
    node: NodeView,
    layer: type[Add | Mul],
    affine: Callable[[Float32Array], tuple[Float32Array, Float32Array]],
) -> None:
    """Two values, or a value and a constant, for which *affine* gives scales and offsets."""
    if len(node.inputs) != 2:
        node.fail(f"has {len(node.inputs)} inputs, not 2")
    constants = [node.is_constant(0), node.is_constant(1)]
    source = node.value(1 if constants[0] else 0)
    channels = node.graph.channels[source]
    if any(constants):
        scales, offsets = affine(node.per_channel(constants.index(True), "constant"))
        node.append(Affine(node.name, (source,), scales, offsets), channels)
    else:
        node.append(layer(node.name, (source, node.value(1))), channels)


def _concat(node: NodeView) -> None:
    axis = node.attributes.get("axis")
    if axis not in (1, -3):
        node.refuse(f"axis {axis} is not supported, only the channels (1)")
    sources = tuple(node.value(i) for i in range(len(node.inputs)))
    channels = sum(node.graph.channels[source] for source in sources)
    node.append(Concat(node.name, sources), channels)


def _slice_lists(node: NodeView) -> tuple[list[int], list[int], list[int]]:
    """Starts, ends and axes, which were attributes before opset 10."""
    if "starts" in node.attributes:
        starts = node.attribute_integers("starts", [])
        ends = node.attribute_integers("ends", [])
        axes = node.attribute_integers("axes", list(range(len(starts))))
    else:
        starts, ends = node.integers(1, "starts"), node.integers(2, "ends")
        axes = node.integers(3, "axes") if node.has(3) else list(range(len(starts)))
    steps = node.integers(4, "steps") if node.has(4) else []
    if any(step != 1 for step in steps):
        node.refuse(f"steps {steps} are not supported, only 1")
    if not len(starts) == len(ends) == len(axes):
        node.fail(f"has {len(starts)} starts and {len(ends)} ends for {len(axes)} axes")
    return starts, ends, axes


def _slice(node: NodeView) -> None:
    source = node.value(0)
    channels = node.graph.channels[source]
    first, last = 0, channels
    for start, end, axis in zip(*_slice_lists(node), strict=True):
        if axis in (1, -3):
            first, last, _ = slice(start, end).indices(channels)
        elif start != 0 or end < _TO_THE_END:
            node.refuse(f"axis {axis} is not supported, only the channels (1)")
    if first >= last:
        node.fail(f"takes none of the {channels} channels of its input")
    node.append(Slice(node.name, (source,), first, last), last - first)


def _block(node: NodeView) -> int:
    block = operator.index(node.attributes["blocksize"])
    if block < 1:
        node.fail(f"blocksize must be positive, got {block}")
    return block


def _depth_to_space(node: NodeView) -> None:
    source, block = node.value(0), _block(node)
    mode = node.text("mode", "DCR")
    if mode not in ("DCR", "CRD"):
        node.refuse(f"mode {mode} is not supported, only DCR and CRD")
    layer = DepthToSpace(node.name, (source,), block, cast("DepthMode", mode))
    node.append(layer, node.graph.channels[source] // (block * block))


def _space_to_depth(node: NodeView) -> None:
    source, block = node.value(0), _block(node)
    channels = node.graph.channels[source] * block * block
    node.append(SpaceToDepth(node.name, (source,), block), channels)


def _pad(node: NodeView) -> None:
    source = node.value(0)
    mode = node.text("mode", "constant")
    if mode not in ("constant", "edge", "reflect"):
        node.refuse(f"mode {mode} is not supported, only constant, edge and reflect")
    if "pads" in node.attributes:  # before opset 11
        pads = node.attribute_integers("pads", [])
        value = float(node.attributes.get("value", 0.0))
    else:
        pads = node.integers(1, "pads")
        value = node.scalar(2, "constant_value") if node.has(2) else 0.0
    axes = node.integers(3, "axes") if node.has(3) else list(range(4))
    if len(pads) != 2 * len(axes):
        node.fail(f"has {len(pads)} pads for {len(axes)} axes")
    if any(not -4 <= axis < 4 for axis in axes):
        node.fail(f"axes {axes} are not those of an image")
    before, after = [0] * 4, [0] * 4
    for axis, first, last in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        before[axis], after[axis] = first, last
    if any(before[:2]) or any(after[:2]) or min(before + after) < 0:
        node.refuse(f"pads {pads} are not supported, only more rows and columns")
    around = before[2], before[3], after[2], after[3]
    layer = Pad(node.name, (source,), around, cast("PadMode", mode), value)
    node.append(layer, node.graph.channels[source])


def _identity(node: NodeView) -> None:
    if node.is_constant(0):
        node.graph.set_constant(node.output, node.constant(0, "input"))
    else:
        node.graph.values[node.output] = node.value(0)


def _constant(node: NodeView) -> None:
    # A tensor is known by the node's output already; numbers stand in the attributes.
    numbers: dict[str, Any] = {
        "value_float": np.float32,
        "value_floats": np.float32,
        "value_int": np.int64,
        "value_ints": np.int64,
    }
    for attribute, dtype in numbers.items():
        if attribute in node.attributes:
            node.graph.set_constant(node.output, np.array(node.attributes[attribute], dtype))


READERS: dict[str, Callable[[NodeView], None]] = {
    "Add": _add,
    "Clip": _clip,
    "Concat": _concat,
    "Constant": _constant,
    "Conv": _conv,
    "DepthToSpace": _depth_to_space,
    "Identity": _identity,
    "LeakyRelu": _leaky_relu,
    "Mul": _mul,
    "PRelu": _prelu,
    "Pad": _pad,
    "Relu": _relu,
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
}
