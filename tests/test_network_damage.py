"""Graphs with anything changed are run, or refused in one line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from network_models import (
    GraphMaker,
    as_model,
    every_kind_of_conv,
    every_operator,
    residual_filter,
    strided_and_grouped,
)
from onnx import helper

from nnr.networks import Network


def _old_attributes() -> onnx.ModelProto:
    maker = GraphMaker(4, opset=9)
    maker.same("Clip", "x", min=-0.5, max=0.75)
    maker.node("Slice", ["clip0"], 2, axes=[1], starts=[1], ends=[3])
    maker.node("Pad", ["slice1"], 2, pads=[0, 0, 1, 2, 0, 0, 3, 4], value=1.5)
    maker.node("Constant", [], 0, value_floats=[0.5, 2.0])
    maker.node("Mul", ["pad2", "constant3"], 2)
    return maker.model()


def _damage(proto: onnx.ModelProto, rng: np.random.Generator) -> None:
    """Change one thing of one node or constant."""
    nodes = proto.graph.node
    node = nodes[rng.integers(len(nodes))]
    values = [3, -1, 2**62, 0.5, "text", [7], [-1, 5], [0.5], ["a"], onnx.TensorProto()]
    match rng.integers(6):
        case 0 if node.attribute:
            del node.attribute[rng.integers(len(node.attribute))]
        case 1 if node.attribute:
            attribute = node.attribute[rng.integers(len(node.attribute))]
            value = values[rng.integers(len(values))]
            attribute.CopyFrom(helper.make_attribute(attribute.name, value))
        case 2 if node.input:
            del node.input[rng.integers(len(node.input))]
        case 3 if node.input:
            names = ["", "nowhere", *(t.name for t in proto.graph.initializer), *nodes[0].output]
            node.input[rng.integers(len(node.input))] = names[rng.integers(len(names))]
        case 4 if proto.graph.initializer:
            tensor = proto.graph.initializer[rng.integers(len(proto.graph.initializer))]
            dtype = [np.float32, np.int64, np.float64, np.bool_, np.uint8][rng.integers(5)]
            array = rng.integers(-3, 9, rng.integers(0, 4, rng.integers(5))).astype(dtype)
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
        case 5:
            del node.output[:]


MAKERS = [
    every_operator,
    every_kind_of_conv,
    residual_filter,
    strided_and_grouped,
    _old_attributes,
]


@pytest.mark.parametrize("make", MAKERS)
def test_damaged_graph_is_run_or_refused(make: Callable[[], onnx.ModelProto]) -> None:
    rng = np.random.default_rng(7)
    whole = make()
    refused: list[str] = []
    for _ in range(400):
        proto = onnx.ModelProto()
        proto.CopyFrom(whole)
        for _ in range(rng.integers(1, 3)):
            _damage(proto, rng)
        try:
            network = Network.load(as_model(proto))
            network.run(np.ones((network.in_channels, 12, 16), np.float32), threads=1)
        except ValueError as error:
            refused.append(str(error))
    assert len(refused) > 100
    assert not any("\n" in message for message in refused)
