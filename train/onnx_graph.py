"""Writes ONNX graphs by hand: a network's own operators, and nothing of an exporter's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from .layers import NEGATIVE_SLOPE

OPSET = 17
IR_VERSION = 9


class GraphBuilder:
    """Nodes in order, each named after its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        """A tensor that is written once, however often it is used."""
        if name not in self._initializers:
            self._initializers[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def conv(
        self,
        output: str,
        features: str,
        layer: str,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32] | None,
        *,
        stride: int = 1,
    ) -> str:
        """A convolution; with stride 1 it keeps the size."""
        size = weight.shape[-1]
        inputs = [features, self.constant(f"{layer}.weight", weight)]
        if bias is not None:
            inputs.append(self.constant(f"{layer}.bias", bias))
        margin = size // 2 if stride == 1 else 0
        return self.node(
            "Conv",
            inputs,
            output,
            kernel_shape=[size, size],
            pads=[margin] * 4,
            strides=[stride, stride],
        )

    def activate(self, features: str) -> str:
        return self.node("LeakyRelu", [features], f"{features}.active", alpha=NEGATIVE_SLOPE)

    def channels(self, output: str, source: str, first: int, end: int) -> str:
        """Channels *first* to *end*, which is not one of them."""
        limits = [
            self.constant(f"integer.{value}", np.array([value], np.int64))
            for value in (first, end, 1)
        ]
        return self.node("Slice", [source, *limits], output)

    def concat(self, output: str, parts: list[str]) -> str:
        return self.node("Concat", parts, output, axis=1)

    def depth_to_space(self, output: str, source: str, block: int) -> str:
        """In the order of PyTorch's pixel_shuffle."""
        return self.node("DepthToSpace", [source], output, blocksize=block, mode="CRD")

    def model(self, name: str, given: tuple[str, int], result: tuple[str, int]) -> onnx.ModelProto:
        """The checked model from one input to one output, each a name and its channels."""

        def info(tensor: tuple[str, int], sides: Sequence[str]) -> onnx.ValueInfoProto:
            shape = ["N", tensor[1], *sides]
            return helper.make_tensor_value_info(tensor[0], TensorProto.FLOAT, shape)

        graph = helper.make_graph(
            self._nodes,
            name,
            [info(given, ["H", "W"])],
            [info(result, [f"{result[0]}_H", f"{result[0]}_W"])],
            list(self._initializers.values()),
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="nnr",
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def run(model: onnx.ModelProto, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The output of onnxruntime."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (output,) = session.run(None, {session.get_inputs()[0].name: x})
    return output
