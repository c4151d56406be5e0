"""One function an ONNX operator: checks its attributes and appends its layers."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .conv_nodes import READERS as CONV_READERS
from .layers import (
    Add,
    Affine,
    Clip,
    Concat,
    Crop,
    DepthMode,
    DepthToSpace,
    Float32Array,
    Mul,
    Pad,
    PadMode,
    Slice,
    Slope,
    SpaceToDepth,
)

if TYPE_CHECKING:
    from .graph import NodeView

# Exporters write "to the end" as the largest integer of 32 or 64 bits.
_TO_THE_END = 2**31 - 1
# As many as the engine pads by.
_LARGEST_MARGIN = 1 << 16


def _append_slope(node: NodeView, slopes: Float32Array) -> None:
    node.append(Slope(node.name, (node.value(0),), slopes))


def _relu(node: NodeView) -> None:
    _append_slope(node, np.zeros(1, np.float32))


def _leaky_relu(node: NodeView) -> None:
    _append_slope(node, np.array([node.number("alpha", 0.01)], np.float32))


def _prelu(node: NodeView) -> None:
    _append_slope(node, node.per_channel(1, "slope"))


def _clip(node: NodeView) -> None:
    source = node.value(0)
    lo = node.scalar(1, "min") if node.has(1) else node.number("min", -np.inf)
    hi = node.scalar(2, "max") if node.has(2) else node.number("max", np.inf)
    node.append(Clip(node.name, (source,), lo, hi))


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
    _check_operands(node)
    constants = [node.is_constant(0), node.is_constant(1)]
    source = node.value(1 if constants[0] else 0)
    if any(constants):
        scales, offsets = affine(node.per_channel(constants.index(True), "constant"))
        node.append(Affine(node.name, (source,), scales, offsets))
    else:
        node.append(layer(node.name, (source, node.value(1))))


def _check_operands(node: NodeView) -> None:
    if len(node.inputs) != 2:
        node.fail(f"has {len(node.inputs)} inputs, not 2")


def _sub(node: NodeView) -> None:
    _check_operands(node)
    one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
    if node.is_constant(1):
        offsets = -node.per_channel(1, "constant")
        node.append(Affine(node.name, (node.value(0),), one, offsets))
    elif node.is_constant(0):
        offsets = node.per_channel(0, "constant")
        node.append(Affine(node.name, (node.value(1),), -one, offsets))
    else:
        minuend = node.value(0)
        negated = node.append(Affine(node.name, (node.value(1),), -one, zero))
        node.append(Add(node.name, (minuend, negated)))


def _div(node: NodeView) -> None:
    _check_operands(node)
    if not node.is_constant(1):
        node.refuse("its divisor is not a constant")
    divisors = node.per_channel(1, "divisor")
    with np.errstate(divide="ignore", over="ignore"):
        scales = (1 / divisors.astype(np.float64)).astype(np.float32)
    if not np.isfinite(scales).all():
        node.fail(f"divides by {divisors[~np.isfinite(scales)][0]}")
    node.append(Affine(node.name, (node.value(0),), scales, np.zeros(1, np.float32)))


def _sum(node: NodeView) -> None:
    total, *others = [node.value(i) for i in range(len(node.inputs))]
    node.graph.values[node.output] = total
    for other in others:
        total = node.append(Add(node.name, (total, other)))


def _concat(node: NodeView) -> None:
    axis = node.attributes.get("axis")
    if axis not in (1, -3):
        node.refuse(f"axis {axis} is not supported, only the channels (1)")
    sources = tuple(node.value(i) for i in range(len(node.inputs)))
    node.append(Concat(node.name, sources))


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
    shape = node.shape(source)
    first, last = 0, shape.channels
    margins = [0, 0, 0, 0]
    for start, end, given in zip(*_slice_lists(node), strict=True):
        axis = given + 4 if given < 0 else given
        if axis == 1:
            first, last, _ = slice(start, end).indices(shape.channels)
            if first >= last:
                node.fail(f"takes none of the {shape.channels} channels")
        elif axis in (2, 3):
            length = shape.size[axis - 2] if shape.size else None
            margins[axis - 2], margins[axis] = _margins(node, start, end, axis, length)
        elif axis != 0:
            node.fail(f"axis {given} is not one of an image")
        elif start != 0 or end < _TO_THE_END:
            node.refuse(f"{start} to {end} of axis 0 is not supported, only all images")
    if not any(margins) or last - first < shape.channels:
        source = node.append(Slice(node.name, (source,), first, last))
    if any(margins):
        node.append(Crop(node.name, (source,), (margins[0], margins[1], margins[2], margins[3])))


def _margins(
    node: NodeView, start: int, end: int, axis: int, length: int | None
) -> tuple[int, int]:
    """How many rows or columns a slice leaves out before and after what it takes."""
    if length is not None:
        first, last, _ = slice(start, end).indices(length)
        if first >= last:
            node.fail(f"takes none of the {length} samples along axis {axis}")
        return first, length - last
    if start < 0 or 0 <= end < _TO_THE_END:
        node.refuse(
            f"{start} to {end} of axis {axis} is not supported, since the size of the input is "
            "not fixed; only a start from the beginning and an end counted from the end"
        )
    before, after = start, -min(end, 0)
    if max(before, after) > _LARGEST_MARGIN:
        node.fail(f"{start} to {end} of axis {axis} leaves out more than {_LARGEST_MARGIN}")
    return before, after


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
    node.append(DepthToSpace(node.name, (source,), block, cast("DepthMode", mode)))


def _space_to_depth(node: NodeView) -> None:
    node.append(SpaceToDepth(node.name, (node.value(0),), _block(node)))


def _pad(node: NodeView) -> None:
    source = node.value(0)
    mode = node.text("mode", "constant")
    if mode not in ("constant", "edge", "reflect"):
        node.refuse(f"mode {mode} is not supported, only constant, edge and reflect")
    if "pads" in node.attributes:  # before opset 11
        pads = node.attribute_integers("pads", [])
        value = node.number("value", 0.0)
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
    node.append(Pad(node.name, (source,), around, cast("PadMode", mode), value))


def _identity(node: NodeView) -> None:
    if node.is_constant(0):
        node.graph.set_constant(node.output, node.constant(0, "input"))
    else:
        node.graph.values[node.output] = node.value(0)


def _dropout(node: NodeView) -> None:
    if node.has(2) and node.constant(2, "training_mode").any():
        node.refuse("training_mode is not supported")
    _identity(node)


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
    **CONV_READERS,
    "Add": _add,
    "Clip": _clip,
    "Concat": _concat,
    "Constant": _constant,
    "DepthToSpace": _depth_to_space,
    "Div": _div,
    "Dropout": _dropout,
    "Identity": _identity,
    "LeakyRelu": _leaky_relu,
    "Mul": _mul,
    "PRelu": _prelu,
    "Pad": _pad,
    "Relu": _relu,
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
    "Sub": _sub,
    "Sum": _sum,
}
