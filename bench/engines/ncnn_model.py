"""Writes a network in ncnn's format: a list of layers as text, their weights as floats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ..networks import shape_of
from . import CannotRunError

MAGIC = 7767517
FLOAT32 = bytes(4)  # before the weights of a convolution: that they are not compressed
ACTIVATIONS = ("Relu", "LeakyRelu")


class Writer:
    """Layers and weights so far. A value that several layers read is split, as ncnn wants it."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self._constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        values = [*graph.input, *graph.value_info, *graph.output]
        self._shapes = {value.name: shape_of(value) for value in values}
        self._readers = Counter(name for node in graph.node for name in node.input)
        self._copies: dict[str, Iterator[str]] = {}
        self._lines: list[tuple[str, str, list[str], list[str], str]] = []
        self._weights: list[bytes] = []
        self._output = graph.output[0].name
        self._layer("Input", [], graph.input[0].name, "")
        nodes = list(graph.node)
        while nodes:
            node = nodes.pop(0)
            follower = nodes[0] if nodes else None
            if node.op_type == "Conv" and self._can_fuse(node, follower):
                nodes.pop(0)
                self._convolution(node, follower)
            elif node.op_type == "Conv":
                self._convolution(node, None)
            else:
                self._other(node)

    def param(self) -> str:
        blobs = sum(len(outputs) for _, _, _, outputs, _ in self._lines)
        lines = [
            " ".join([kind, name, str(len(ins)), str(len(outs)), *ins, *outs, settings])
            for kind, name, ins, outs, settings in self._lines
        ]
        return "\n".join([str(MAGIC), f"{len(lines)} {blobs}", *lines, ""])

    def weights(self) -> bytes:
        return b"".join(self._weights)

    def _can_fuse(self, node: onnx.NodeProto, follower: onnx.NodeProto | None) -> bool:
        """Whether an activation follows that nobody else needs the input of."""
        return (
            follower is not None
            and follower.op_type in ACTIVATIONS
            and follower.input[0] == node.output[0]
            and self._readers[node.output[0]] == 1
        )

    def _layer(self, kind: str, inputs: list[str], output: str, settings: str) -> None:
        self._lines.append((kind, output, inputs, [output], settings))
        readers = self._readers[output]
        if readers > 1:
            copies = [f"{output}_{number}" for number in range(readers)]
            self._lines.append(("Split", f"{output}_split", [output], copies, ""))
            self._copies[output] = iter(copies)

    def _read(self, name: str) -> str:
        return next(self._copies[name]) if name in self._copies else name

    def _convolution(self, node: onnx.NodeProto, activation: onnx.NodeProto | None) -> None:
        kernel, *bias = (self._constants[name] for name in node.input[1:])
        top, left, bottom, right = _attributes(node).get("pads", [0, 0, 0, 0])
        settings = {0: kernel.shape[0], 1: kernel.shape[3], 11: kernel.shape[2]}
        settings |= {4: left, 15: right, 14: top, 16: bottom, 5: len(bias), 6: kernel.size}
        text = _settings(settings)
        if activation is not None:
            slope = _attributes(activation).get("alpha", 0.01)
            relu = activation.op_type == "Relu"
            text += " 9=1" if relu else f" 9=2 -23310=1,{slope:.9g}"
        self._weights += [FLOAT32, _bytes(kernel), *map(_bytes, bias)]
        output = (activation or node).output[0]
        self._layer("Convolution", [self._read(node.input[0])], output, text)

    def _other(self, node: onnx.NodeProto) -> None:
        attributes, source, output = _attributes(node), node.input[0], node.output[0]
        match node.op_type:
            case "Relu":
                layer = ("ReLU", _settings({}))
            case "LeakyRelu":
                layer = ("ReLU", f"0={attributes.get('alpha', 0.01):.9g}")
            case "SpaceToDepth":
                layer = ("Reorg", _settings({0: attributes["blocksize"], 1: 1}))
            case "DepthToSpace":
                by_depth = attributes.get("mode", b"DCR") == b"DCR"
                layer = ("PixelShuffle", _settings({0: attributes["blocksize"], 1: int(by_depth)}))
            case "Slice":
                layer = ("Crop", self._crop(node))
            case "Mul" if node.input[1] in self._constants:
                factors = self._constants[node.input[1]].reshape(-1)
                self._weights.append(_bytes(factors))
                layer = ("Scale", _settings({0: factors.size}))
            case "Add" if not set(node.input) & set(self._constants):
                layer = ("BinaryOp", _settings({0: 0}))
            case _:
                raise CannotRunError(f"the writer for ncnn has no {node.op_type} of this kind")
        count = 2 if node.op_type == "Add" else 1
        inputs = [self._read(name) for name in (source, *node.input[1:count])]
        self._layer(layer[0], inputs, output, layer[1])

    def _crop(self, node: onnx.NodeProto) -> str:
        """Which rows, columns or channels: ncnn counts axes without that of the images."""
        lists = [self._constants[name].tolist() for name in node.input[1:4]]
        shape = self._shapes[node.input[0]]
        lists[1] = [min(last, shape[axis]) for last, axis in zip(*lists[1:], strict=True)]
        lists[2] = [axis - 1 for axis in lists[2]]
        return " ".join(
            f"-{23309 + key}={len(values)},{','.join(map(str, values))}"
            for key, values in enumerate(lists)
        )


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def _settings(values: dict[int, int]) -> str:
    return " ".join(f"{key}={value}" for key, value in values.items())


def _bytes(array: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(array, np.float32).tobytes()
