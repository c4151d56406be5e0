"""Networks that engines are compared on: ONNX models, their pictures and their operations."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import nnr

Floats = NDArray[np.float32]
Size = tuple[int, int]  # rows, columns

FILTER_CHANNELS = 64
BLOCK_CHANNELS = (24, 72)
BLOCKS = 10
BLOCK_SIZE = 72
BORDER = 4


@dataclass(frozen=True)
class Network:
    """A model whose rows and columns are free, unless it was made for one *size*."""

    title: str
    what: str
    model: onnx.ModelProto
    size: Size | None = None

    @property
    def channels(self) -> int:
        return int(_image(self.model).shape.dim[1].dim_value)

    @cached_property
    def weights(self) -> int:
        """Numbers in kernels and biases."""
        sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in self.model.graph.initializer}
        convolutions = (node for node in self.model.graph.node if node.op_type == "Conv")
        return sum(sizes[name] for node in convolutions for name in node.input[1:])

    def operations(self, size: Size) -> int:
        """Products and sums of all convolutions, computed directly, on one picture."""
        graph = at_size(self.model, size).graph
        kernels = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
        shapes = {value.name: shape_of(value) for value in [*graph.value_info, *graph.output]}
        total = 0
        for node in graph.node:
            if node.op_type == "Conv":
                positions = np.prod(shapes[node.output[0]][-2:])
                total += 2 * int(np.prod(kernels[node.input[1]]) * positions)
        return total

    def picture(self, size: Size, seed: int = 1) -> Floats:
        """Samples between 0 and 1 that differ little from their neighbours."""
        height, width = size
        coarse = np.random.default_rng(seed).random(
            (self.channels, height // 4 + 2, width // 4 + 2)
        )
        fine = coarse.repeat(4, axis=1).repeat(4, axis=2)
        smooth = sum(fine[:, i : i + height, j : j + width] for i in range(4) for j in range(4))
        return np.ascontiguousarray(smooth / 16, np.float32)


def _image(model: onnx.ModelProto) -> Any:
    return model.graph.input[0].type.tensor_type


def shape_of(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    return tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)


def at_size(model: onnx.ModelProto, size: Size) -> onnx.ModelProto:
    """The same network for one picture of *size*, so that an engine may plan for its shapes."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for dim, value in zip(_image(fixed).shape.dim, (1, None, *size), strict=True):
        if value:
            dim.dim_value = value
    fixed.graph.output[0].type.tensor_type.ClearField("shape")
    del fixed.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(fixed, strict_mode=True)


class _Maker:
    """Appends nodes one by one; the last one computes the output."""

    def __init__(self, channels: int, size: Size | None = None) -> None:
        self._image = ["n", channels, *(size or ("h", "w"))]
        self._channels = {"x": channels}
        self._random = np.random.default_rng(185857)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def node(self, operator: str, inputs: list[str], channels: int, **attributes: Any) -> str:
        name = f"{operator.lower()}{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        self._channels[name] = channels
        return name

    def constant(self, array: Any) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def conv(self, source: str, channels: int, side: int) -> str:
        """Zero padded, with random weights after He, which keep the scale of what passes through."""
        shape = (channels, self._channels[source], side, side)
        kernel = self._random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        bias = self._random.standard_normal(channels) * 0.05
        inputs = [source, *(self.constant(array.astype(np.float32)) for array in (kernel, bias))]
        pads = [side // 2] * 4
        return self.node("Conv", inputs, channels, kernel_shape=[side, side], pads=pads)

    def relu(self, source: str) -> str:
        return self.node("Relu", [source], self._channels[source])

    def leaky(self, source: str) -> str:
        return self.node("LeakyRelu", [source], self._channels[source], alpha=0.2)

    def scale(self, source: str, around: float) -> str:
        channels = self._channels[source]
        factors = around * self._random.uniform(0.5, 1.5, (1, channels, 1, 1))
        return self.node("Mul", [source, self.constant(factors.astype(np.float32))], channels)

    def add(self, first: str, second: str) -> str:
        return self.node("Add", [first, second], self._channels[first])

    def slice(self, source: str, axis: int, first: int, last: int) -> str:
        lists = [self.constant(np.array([value])) for value in (first, last, axis)]
        channels = last - first if axis == 1 else self._channels[source]
        return self.node("Slice", [source, *lists], channels)

    def model(self) -> onnx.ModelProto:
        output = self._nodes[-1].output[0]
        graph = helper.make_graph(
            self._nodes,
            "network",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self._image)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            self._constants,
        )
        opsets = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def benchmark_filter() -> Network:
    """Seven convolutions of 3x3 in a row: what a filter of this size costs, and nothing else."""
    maker = _Maker(1)
    value = "x"
    for _ in range(6):
        value = maker.relu(maker.conv(value, FILTER_CHANNELS, 3))
    maker.conv(value, 1, 3)
    what = (
        f"seven convolutions of 3x3, 1-{FILTER_CHANNELS}-...-{FILTER_CHANNELS}-1 channels, random"
    )
    return Network("benchmark filter", what, maker.model())


def loaded(network: Network) -> nnr.Model:
    """The network as this package reads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        onnx.save(network.model, path)
        return nnr.load(path)


def half_size_filter() -> Network:
    """A filter of luma on the four phases of 2x2 samples, as users have them for whole frames."""
    maker = _Maker(2)
    phases = maker.node("SpaceToDepth", ["x"], 8, blocksize=2)
    features = maker.leaky(maker.conv(phases, FILTER_CHANNELS, 3))
    for _ in range(2):
        inner = maker.leaky(maker.conv(features, FILTER_CHANNELS, 3))
        features = maker.add(features, maker.scale(maker.conv(inner, FILTER_CHANNELS, 3), 0.3))
    features = maker.leaky(maker.conv(features, FILTER_CHANNELS, 3))
    features = maker.leaky(maker.conv(features, FILTER_CHANNELS, 1))
    tail = maker.scale(maker.conv(features, 4, 3), 0.02)
    residual = maker.node("DepthToSpace", [tail], 1, blocksize=2, mode="DCR")
    maker.add(maker.slice("x", 1, 0, 1), residual)
    what = "one resolution of half the size, residual blocks, random weights"
    return Network("half-size filter", what, maker.model())


def block_filter() -> Network:
    """The shape of filters made elsewhere: one block with a border, many thin convolutions.

    Of each block of 72x72 samples in 7 channels, the inner 64x64 of 6 channels come out.
    """
    thin, wide = BLOCK_CHANNELS
    maker = _Maker(7, (BLOCK_SIZE, BLOCK_SIZE))
    value = maker.conv(maker.leaky(maker.conv("x", wide, 3)), thin, 1)
    for _ in range(BLOCKS):
        inner = maker.conv(maker.leaky(maker.conv(value, wide, 1)), thin, 1)
        value = maker.add(value, maker.scale(maker.conv(inner, thin, 3), 0.3))
    value = maker.leaky(maker.conv(maker.leaky(maker.conv(value, thin, 3)), wide, 1))
    residual = maker.scale(maker.conv(value, 6, 3), 0.1)
    maker.add(_inside(maker, maker.slice("x", 1, 0, 6)), _inside(maker, residual))
    what = f"35 convolutions of 1x1 and 3x3, {thin} and {wide} channels, on one 72x72 block, random"
    return Network("block filter", what, maker.model(), (BLOCK_SIZE, BLOCK_SIZE))


def _inside(maker: _Maker, value: str) -> str:
    for axis in (2, 3):
        value = maker.slice(value, axis, BORDER, BLOCK_SIZE - BORDER)
    return value


NETWORKS: dict[str, Callable[[], Network]] = {
    "benchmark filter": benchmark_filter,
    "half-size filter": half_size_filter,
    "block filter": block_filter,
}
