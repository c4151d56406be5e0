"""Write the averaged weights of a checkpoint as an ONNX file and check it against PyTorch.

    python train/export.py --checkpoint run/checkpoint.pt --output postfilter-luma.onnx

The graph is written by hand, so that it holds the network's own operators (SpaceToDepth,
DepthToSpace) and nothing of the exporter's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from network import NEGATIVE_SLOPE, PostFilterNetwork

OPSET = 17
IR_VERSION = 9


class GraphBuilder:
    """Nodes in order, each layer's output named after the layer."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        self._weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        self.initializers.append(numpy_helper.from_array(values, name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def conv(self, layer: str, features: str) -> str:
        weight = self._weights[f"{layer}.weight"]
        size = weight.shape[2]
        inputs = [
            features,
            self.constant(f"{layer}.weight", weight),
            self.constant(f"{layer}.bias", self._weights[f"{layer}.bias"]),
        ]
        return self.node("Conv", inputs, layer, kernel_shape=[size, size], pads=[size // 2] * 4)

    def activate(self, features: str) -> str:
        return self.node("LeakyRelu", [features], f"{features}.active", alpha=NEGATIVE_SLOPE)

    def block(self, name: str, features: str) -> str:
        inner = self.activate(self.conv(f"{name}.conv0", features))
        return self.node("Add", [features, self.conv(f"{name}.conv1", inner)], name)


def build(network: PostFilterNetwork) -> onnx.ModelProto:
    weights = {name: value.numpy().copy() for name, value in network.state_dict().items()}
    # PyTorch orders the unshuffled channels plane by plane, ONNX phase by phase.
    head = weights["head.weight"]
    out, _, rows, columns = head.shape
    head = head.reshape(out, 2, 4, rows, columns).swapaxes(1, 2).reshape(out, 8, rows, columns)
    weights["head.weight"] = np.ascontiguousarray(head)

    graph = GraphBuilder(weights)
    luma_range = [
        graph.constant(name, np.array([value], np.int64))
        for name, value in (("luma.start", 0), ("luma.end", 1), ("luma.axis", 1))
    ]
    luma = graph.node("Slice", ["luma_qp", *luma_range], "luma")
    phases = graph.node("SpaceToDepth", ["luma_qp"], "phases", blocksize=2)
    features = graph.activate(graph.conv("head", phases))
    features = graph.block("block1", graph.block("block0", features))
    features = graph.activate(graph.conv("body", features))
    features = graph.activate(graph.conv("mix", features))
    residual = graph.node(
        "DepthToSpace", [graph.conv("tail", features)], "residual", blocksize=2, mode="DCR"
    )
    graph.node("Add", [luma, residual], "filtered_luma")

    dynamic = ["N", None, "H", "W"]
    tensor = TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info("luma_qp", tensor, [dynamic[0], 2, *dynamic[2:]])]
    outputs = [
        helper.make_tensor_value_info("filtered_luma", tensor, [dynamic[0], 1, *dynamic[2:]])
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "postfilter-luma", inputs, outputs, graph.initializers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="nnr",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def check(model: onnx.ModelProto, network: PostFilterNetwork) -> float:
    """Largest difference between onnxruntime and PyTorch on a random picture."""
    picture = torch.rand(1, 2, 48, 64, generator=torch.Generator().manual_seed(1))
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (output,) = session.run(None, {"luma_qp": picture.numpy()})
    with torch.no_grad():
        return float(np.abs(output - network(picture).numpy()).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    network = PostFilterNetwork().eval()
    state = torch.load(options.checkpoint, weights_only=True, map_location="cpu")
    network.load_state_dict(state["averaged"])
    model = build(network)
    difference = check(model, network)
    if difference > 1e-5:
        raise SystemExit(f"onnxruntime and PyTorch differ by {difference:g}")
    onnx.save(model, options.output)
    count = sum(weight.numel() for weight in network.parameters())
    print(f"step {state['step']}, {count} weights, {options.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
