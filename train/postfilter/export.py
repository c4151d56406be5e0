"""Write the averaged weights of a checkpoint as an ONNX file and check it against PyTorch.

python -m train.postfilter.export --checkpoint run/checkpoint.pt --output postfilter.onnx
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch

from ..layers import Conv
from ..onnx_graph import GraphBuilder, run
from .network import PASSES, SAMPLE_CHANNELS, PostFilterNetwork


def build(network: PostFilterNetwork) -> onnx.ModelProto:
    graph = GraphBuilder()

    def conv(layer: str, features: str, output: str = "") -> str:
        module = network.get_submodule(layer)
        assert isinstance(module, Conv)
        weight = module.deployed_weight().detach().numpy().reshape(module.kernel_shape)
        return graph.conv(output or layer, features, layer, weight, module.bias.detach().numpy())

    samples = graph.channels("samples", "samples_qp", 0, SAMPLE_CHANNELS)
    features = graph.activate(conv("head", "samples_qp"))
    for number in range(PASSES):
        for block in ("block0", "block1"):
            name = f"pass{number}.{block}"
            inner = graph.activate(conv(f"{block}.conv0", features, f"{name}.conv0"))
            change = conv(f"{block}.conv1", inner, f"{name}.conv1")
            features = graph.node("Add", [features, change], name)
    features = graph.activate(conv("body", features))
    features = graph.activate(conv("mix", features))
    filtered = graph.node("Add", [samples, conv("tail", features)], "filtered_samples")
    return graph.model(
        "postfilter", ("samples_qp", SAMPLE_CHANNELS + 1), (filtered, SAMPLE_CHANNELS)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    network = PostFilterNetwork().eval()
    state = torch.load(options.checkpoint, weights_only=True, map_location="cpu")
    network.load_state_dict(state["averaged"])
    model = build(network)
    picture = torch.rand(1, SAMPLE_CHANNELS + 1, 24, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        difference = float(np.abs(run(model, picture.numpy()) - network(picture).numpy()).max())
    if difference > 1e-5:
        raise SystemExit(f"onnxruntime and PyTorch differ by {difference:g}")
    onnx.save(model, options.output)
    count = sum(weight.numel() for weight in network.parameters())
    print(f"step {state['step']}, {count} weights, {options.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
