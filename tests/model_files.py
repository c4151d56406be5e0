"""Models that the tests of models, codings and commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

INPUT_SHAPE = (1, 1, 9, 11)


def normal(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# One tensor of every kind that all formats can hold.
MIXED: dict[str, NDArray[Any]] = {
    "z.weight": normal(3, 5),
    "a.half": normal(7).astype(np.float16),
    "brain": normal(2, 2).astype(ml_dtypes.bfloat16),
    "e4m3": normal(3).astype(ml_dtypes.float8_e4m3fn),
    "e5m2": normal(3).astype(ml_dtypes.float8_e5m2),
    "steps": np.array(41, np.int64),
    "none": np.zeros((0, 4), np.float32),
    "flags": np.array([True, False, True]),
    "wide": normal(2).astype(np.float64),
}


def graph_model(
    nodes: list[onnx.NodeProto], initializers: dict[str, NDArray[Any]], output: str = "y"
) -> onnx.ModelProto:
    """A model from ``x`` of INPUT_SHAPE to *output*."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, INPUT_SHAPE)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(array, name) for name, array in initializers.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.metadata_props.add(key="author", value="Zoë")
    return model


def constant(name: str, array: NDArray[Any]) -> onnx.NodeProto:
    """A Constant node whose tensor has another name than its output."""
    return helper.make_node(
        "Constant", [], [name], value=numpy_helper.from_array(array, f"value of {name}")
    )


def small_network() -> onnx.ModelProto:
    """Two convolutions, one with its weights in a Constant node, and a Slice with integers."""
    return graph_model(
        [
            helper.make_node("Conv", ["x", "conv1.weight", "conv1.bias"], ["a"], pads=[1] * 4),
            helper.make_node("Relu", ["a"], ["b"]),
            constant("conv2.weight", normal(1, 6, 3, 3, seed=1)),
            helper.make_node("Conv", ["b", "conv2.weight"], ["c"], pads=[1] * 4),
            constant("starts", np.array([1], np.int64)),
            helper.make_node("Slice", ["c", "starts", "ends", "axes"], ["y"]),
        ],
        {
            "conv1.weight": normal(6, 1, 3, 3),
            "conv1.bias": normal(6, seed=2),
            "ends": np.array([8], np.int64),
            "axes": np.array([2], np.int64),
        },
    )


def run_onnx(path: Path) -> NDArray[np.float32]:
    """The output of the model for one fixed input."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    output: NDArray[np.float32] = session.run(None, {"x": normal(*INPUT_SHAPE, seed=7)})[0]
    return output


def assert_same_tensors(actual: dict[str, Any], expected: dict[str, Any]) -> None:
    """Names in their order, types, shapes and every bit of the values."""
    assert list(actual) == list(expected)
    for name, array in expected.items():
        assert actual[name].dtype == array.dtype, name
        assert actual[name].shape == array.shape, name
        assert actual[name].tobytes() == np.ascontiguousarray(array).tobytes(), name
