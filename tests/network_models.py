"""Small networks that the tests of the engine share, and onnxruntime to compare with."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import nnr.models
from nnr.models import Model

# What the engine promises, in terms of full scale.
TOLERANCE = 1e-5


class GraphMaker:
    """Appends nodes one by one; the last one computes the output."""

    def __init__(self, channels: int, *, opset: int = 18, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.channels = {"x": channels}
        self._nodes: list[onnx.NodeProto] = []
        self._weights: dict[str, NDArray[Any]] = {}
        self._opset = opset

    def weight(self, array: Any) -> str:
        name = f"w{len(self._weights)}"
        self._weights[name] = np.asarray(array)
        return name

    def numbers(self, *shape: int, scale: float = 1.0) -> NDArray[np.float32]:
        return (self.rng.standard_normal(shape) * scale).astype(np.float32)

    def node(self, operator: str, inputs: list[str], channels: int, **attributes: Any) -> str:
        name = f"{operator.lower()}{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        self.channels[name] = channels
        return name

    def conv(
        self,
        source: str,
        channels: int,
        kernel: int | tuple[int, int] = 3,
        *,
        bias: bool = True,
        **attributes: Any,
    ) -> str:
        height, width = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        ins = self.channels[source]
        scale = 1 / np.sqrt(ins * height * width)
        inputs = [source, self.weight(self.numbers(channels, ins, height, width, scale=scale))]
        if bias:
            inputs.append(self.weight(self.numbers(channels, scale=0.1)))
        attributes.setdefault("pads", [height // 2, width // 2] * 2)
        return self.node("Conv", inputs, channels, **attributes)

    def same(self, operator: str, source: str, *others: str, **attributes: Any) -> str:
        """A node that keeps the channels."""
        return self.node(operator, [source, *others], self.channels[source], **attributes)

    def slice(self, source: str, first: int, last: int) -> str:
        lists = [self.weight(np.array([value])) for value in (first, last, 1)]
        return self.node("Slice", [source, *lists], last - first)

    def pad(self, source: str, pads: tuple[int, int, int, int], mode: str) -> str:
        before, after = [0, 0, *pads[:2]], [0, 0, *pads[2:]]
        return self.same("Pad", source, self.weight(np.array(before + after)), mode=mode)

    def model(self) -> onnx.ModelProto:
        output = self._nodes[-1].output[0]
        image = ["n", self.channels["x"], "h", "w"]
        graph = helper.make_graph(
            self._nodes,
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, image)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            [numpy_helper.from_array(array, name) for name, array in self._weights.items()],
        )
        opsets = [helper.make_opsetid("", self._opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def as_model(proto: onnx.ModelProto) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        path.write_bytes(proto.SerializeToString())
        return nnr.models.load(path)


def session_of(proto: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(proto.SerializeToString(), options)


def expected(session: onnxruntime.InferenceSession, x: NDArray[np.float32]) -> Any:
    """What onnxruntime makes of images with or without a batch axis."""
    images = x if x.ndim == 4 else x[None]
    result = session.run(None, {"x": images})[0]
    return result if x.ndim == 4 else result[0]


def assert_close(result: NDArray[np.float32], wanted: NDArray[np.float32]) -> None:
    assert result.shape == wanted.shape
    full_scale = max(1.0, float(np.abs(wanted).max()))
    assert np.abs(result - wanted).max() <= TOLERANCE * full_scale


def residual_filter(channels: int = 12, *, inputs: int = 2) -> onnx.ModelProto:
    """The shape of the bundled post filter, with fewer channels."""
    maker = GraphMaker(inputs)
    phases = maker.node("SpaceToDepth", ["x"], inputs * 4, blocksize=2)
    head = maker.same("Relu", maker.conv(phases, channels))
    block = maker.conv(maker.same("Relu", maker.conv(head, channels)), channels)
    features = maker.same("Add", head, block)
    mix = maker.same("Relu", maker.conv(features, channels, 1))
    tail = maker.conv(mix, 4)
    residual = maker.node("DepthToSpace", [tail], 1, blocksize=2, mode="CRD")
    small = maker.same("Mul", residual, maker.weight(np.float32(0.1)))
    maker.same("Add", maker.slice("x", 0, 1), small)
    return maker.model()


def every_operator() -> onnx.ModelProto:
    """All operators, several resolutions, values that are used more than once."""
    maker = GraphMaker(3)
    wide = maker.conv("x", 20, (5, 3))
    slopes = maker.weight(maker.numbers(20, 1, 1))
    wide = maker.same("PRelu", wide, slopes)
    mirrored = maker.conv(maker.pad(wide, (1, 2, 1, 0), "reflect"), 7, 3, pads=[0, 0, 0, 0])
    mirrored = maker.same("LeakyRelu", mirrored, alpha=0.2)
    repeated = maker.same("Clip", maker.pad("x", (1, 2, 1, 0), "edge"), *_bounds(maker, -1, 1.5))
    repeated = maker.conv(maker.conv(repeated, 5, 3, pads=[0, 0, 0, 0]), 5, (1, 5))
    joined = maker.node("Concat", [mirrored, repeated, mirrored], 19, axis=1)
    joined = maker.node(
        "Concat", [maker.slice(joined, 3, 16), maker.slice(joined, 0, 3)], 16, axis=1
    )
    spread = maker.node("DepthToSpace", [joined], 4, blocksize=2, mode="DCR")
    scaled = maker.same("Mul", maker.same("Identity", spread), maker.weight(maker.numbers(4, 1, 1)))
    squared = maker.same("Mul", scaled, spread)
    shifted = maker.same("Add", squared, maker.weight(maker.numbers(1, 4, 1, 1)))
    framed = maker.pad(shifted, (2, 0, 0, 2), "constant")
    cropped = maker.conv(framed, 6, 3, pads=[0, 0, 0, 0])
    back = maker.node("SpaceToDepth", [cropped], 24, blocksize=2)
    maker.same("Relu", maker.conv(back, 2, 3, bias=False, pads=[0, 1, 2, 1]))
    return maker.model()


def _bounds(maker: GraphMaker, lo: float, hi: float) -> tuple[str, str]:
    return maker.weight(np.float32(lo)), maker.weight(np.float32(hi))
