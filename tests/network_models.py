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

    # Keeps the scales of batch normalisations small.
    epsilon = 1.0

    def __init__(
        self,
        channels: int,
        *,
        opset: int = 18,
        seed: int = 0,
        size: tuple[int, int] | None = None,
    ) -> None:
        self._size = size or ("h", "w")
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
        ins = self.channels[source] // attributes.get("group", 1)
        scale = 1 / np.sqrt(ins * height * width)
        inputs = [source, self.weight(self.numbers(channels, ins, height, width, scale=scale))]
        if bias:
            inputs.append(self.weight(self.numbers(channels, scale=0.1)))
        attributes.setdefault("pads", [height // 2, width // 2] * 2)
        return self.node("Conv", inputs, channels, **attributes)

    def same(self, operator: str, source: str, *others: str, **attributes: Any) -> str:
        """A node that keeps the channels."""
        return self.node(operator, [source, *others], self.channels[source], **attributes)

    def conv_transpose(
        self,
        source: str,
        channels: int,
        kernel: tuple[int, int],
        stride: int,
        *,
        bias: bool = True,
        **attributes: Any,
    ) -> str:
        ins, groups = self.channels[source], attributes.get("group", 1)
        scale = stride / np.sqrt(ins // groups * kernel[0] * kernel[1])
        weights = self.numbers(ins, channels // groups, *kernel, scale=scale)
        inputs = [source, self.weight(weights)]
        if bias:
            inputs.append(self.weight(self.numbers(channels, scale=0.1)))
        return self.node("ConvTranspose", inputs, channels, strides=[stride] * 2, **attributes)

    def batch_normalization(self, source: str) -> str:
        scale, offset, mean, deviation = (self.numbers(self.channels[source]) for _ in range(4))
        weights = [self.weight(array) for array in (scale, offset, mean, deviation**2)]
        return self.same("BatchNormalization", source, *weights, epsilon=self.epsilon)

    def slice(self, source: str, first: int, last: int) -> str:
        return self.cut(source, [first], [last], [1], last - first)

    def crop(self, source: str, margins: tuple[int, int, int, int]) -> str:
        """Rows and columns off, counted from both ends."""
        ends = [-margin or 2**63 - 1 for margin in margins[2:]]
        return self.cut(source, list(margins[:2]), ends, [2, 3], self.channels[source])

    def cut(
        self, source: str, starts: list[int], ends: list[int], axes: list[int], channels: int
    ) -> str:
        lists = [self.weight(np.array(values)) for values in (starts, ends, axes)]
        return self.node("Slice", [source, *lists], channels)

    def pad(self, source: str, pads: tuple[int, int, int, int], mode: str) -> str:
        before, after = [0, 0, *pads[:2]], [0, 0, *pads[2:]]
        return self.same("Pad", source, self.weight(np.array(before + after)), mode=mode)

    def model(self) -> onnx.ModelProto:
        output = self._nodes[-1].output[0]
        image = ["n", self.channels["x"], *self._size]
        graph = helper.make_graph(
            self._nodes,
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, image)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            [numpy_helper.from_array(array, name) for name, array in self._weights.items()],
        )
        opsets = [helper.make_opsetid("", self._opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


class PowersOfTwo(GraphMaker):
    """Constants that can be multiplied with each other without rounding."""

    epsilon = 0.0

    def numbers(self, *shape: int, scale: float = 1.0) -> NDArray[np.float32]:  # noqa: ARG002
        powers = 2.0 ** self.rng.integers(-1, 2, shape)
        return (powers * self.rng.choice([-1, 1], shape)).astype(np.float32)


def cut_of(tile: int) -> tuple[int, int, int]:
    """Strips as wide as a tile, steps of half its height, segments of twice it."""
    return tile, max(1, tile // 2), 2 * tile


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


def frame_filter(channels: int = 12, *, inputs: int = 7) -> onnx.ModelProto:
    """A network of frames, whose residual block runs twice with the same weights."""
    maker = GraphMaker(inputs)
    features = maker.same("Relu", maker.conv("x", channels))
    weight = maker.weight(maker.numbers(channels, channels, 3, 3, scale=0.1))
    for _ in range(2):
        change = maker.node("Conv", [features, weight], channels, pads=[1] * 4)
        features = maker.same("Add", features, maker.same("Relu", change))
    residual = maker.same("Mul", maker.conv(features, 6), maker.weight(np.float32(0.05)))
    maker.same("Add", maker.slice("x", 0, 6), residual)
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


def strided_and_grouped() -> onnx.ModelProto:
    """The operators that are lowered to few layers, and convolutions with strides and groups."""
    maker = GraphMaker(6)
    half = maker.conv("x", 8, (4, 3), strides=[2, 2], pads=[1, 1, 2, 1])
    half = maker.same("Relu", maker.batch_normalization(half))
    alone = maker.same("Dropout", maker.conv(half, 8, 5, group=8))
    groups = maker.conv(half, 8, 3, group=2)
    mixed = maker.same("Sum", alone, groups, half)
    divided = maker.same("Div", mixed, maker.weight(np.full((8, 1, 1), 4, np.float32)))
    whole = maker.conv_transpose(divided, 6, (5, 4), 2, pads=[2, 1, 2, 1], output_padding=[1, 0])
    inner = maker.crop(whole, (1, 0, 1, 2))
    maker.same("Sub", maker.conv_transpose(inner, 6, (3, 5), 1, pads=[0, 1, 0, 1]), "x")
    return maker.model()


def _bounds(maker: GraphMaker, lo: float, hi: float) -> tuple[str, str]:
    return maker.weight(np.float32(lo)), maker.weight(np.float32(hi))


def codec_filter_7(channels: int = 64, *, seed: int = 7) -> onnx.ModelProto:
    """Seven convolutions of 3x3 that add a small residual to a plane: 185,857 weights."""
    maker = GraphMaker(1, seed=seed)
    value = "x"
    for _ in range(6):
        value = maker.same("Relu", he_conv(maker, value, channels))
    maker.same("Add", "x", he_conv(maker, value, 1, gain=0.05))
    return maker.model()


def third_party_filter(side: int = 72, *, seed: int = 35) -> onnx.ModelProto:
    """The shape of a published post filter: 35 convolutions, six planes from seven.

    It is published for an input of 72x72, whose output is 64x64; 105,102 weights.
    """
    maker = GraphMaker(7, seed=seed, size=(side, side))
    wide = maker.same("LeakyRelu", he_conv(maker, "x", 72, pads=[0] * 4), alpha=0.1)
    value = he_conv(maker, wide, 24, 1)
    for block in range(10):
        shrinks = block == 0
        wide = maker.same("LeakyRelu", he_conv(maker, value, 72, 1), alpha=0.1)
        narrow = maker.same("LeakyRelu", he_conv(maker, wide, 24, 1), alpha=0.1)
        change = he_conv(maker, narrow, 24, pads=[0 if shrinks else 1] * 4)
        gains = maker.weight(np.abs(maker.numbers(24, 1, 1, scale=0.3)))
        kept = maker.cut(value, [1, 1], [side - 3] * 2, [2, 3], 24) if shrinks else value
        value = maker.same("Add", kept, maker.same("Mul", change, gains))
    value = maker.same("LeakyRelu", he_conv(maker, value, 24, pads=[0] * 4), alpha=0.1)
    value = maker.same("LeakyRelu", he_conv(maker, value, 72, 1), alpha=0.1)
    residual = he_conv(maker, value, 6, gain=0.05, pads=[0] * 4)
    planes = maker.cut("x", [0, 4, 4], [6, side - 4, side - 4], [1, 2, 3], 6)
    maker.same("Add", planes, residual)
    return maker.model()


def half_size_filter(channels: int = 16) -> onnx.ModelProto:
    """A post filter that works at half the resolution, reached by a stride: its phase is 2."""
    maker = GraphMaker(1)
    half = maker.same("Relu", maker.conv("x", channels, strides=[2, 2]))
    change = maker.same("Relu", maker.conv(half, channels))
    features = maker.same("Add", maker.conv(change, channels), half)
    spread = maker.node("DepthToSpace", [maker.conv(features, 4)], 1, blocksize=2, mode="CRD")
    maker.same("Add", "x", maker.same("Mul", spread, maker.weight(np.float32(0.1))))
    return maker.model()


def u_net(channels: int = 16) -> onnx.ModelProto:
    """Two levels down by strides, up by transposed convolutions, joined by Concat: phase 4."""
    maker = GraphMaker(1)
    whole = maker.same("Relu", maker.conv("x", channels))
    half = maker.same("Relu", maker.conv(whole, channels, strides=[2, 2]))
    half = maker.same("Relu", maker.conv(half, channels))
    quarter = maker.same("Relu", maker.conv(half, 2 * channels, strides=[2, 2]))
    quarter = maker.same("Relu", maker.conv(quarter, 2 * channels))
    up = maker.conv_transpose(quarter, channels, (2, 2), 2)
    joined = maker.node("Concat", [up, half], 2 * channels, axis=1)
    half = maker.same("Relu", maker.conv(joined, channels))
    up = maker.conv_transpose(half, channels, (4, 4), 2, pads=[1] * 4)
    joined = maker.node("Concat", [up, whole], 2 * channels, axis=1)
    maker.same("Add", "x", maker.conv(joined, 1))
    return maker.model()


def every_kind_of_conv() -> onnx.ModelProto:
    """Direct, by blocks, thin, depthwise and with strides, for images of any size."""
    maker = GraphMaker(1)
    direct = maker.same("Relu", maker.conv("x", 9, 5))
    blocks = maker.same("Relu", maker.conv(direct, 16))
    alone = maker.same("Add", maker.conv(blocks, 16, group=16), blocks)
    alone = maker.same("LeakyRelu", alone, alpha=0.1)
    again = maker.same("Relu", maker.same("Add", blocks, maker.conv(alone, 16)))
    half = maker.same("Relu", maker.conv(again, 32, strides=[2, 2]))
    maker.conv(maker.conv(half, 32), 3)
    return maker.model()


def he_conv(
    maker: GraphMaker,
    source: str,
    channels: int,
    kernel: int = 3,
    *,
    gain: float = 1.0,
    **attributes: Any,
) -> str:
    """A convolution that keeps the variance of what a Relu gives it, times *gain* squared."""
    ins = maker.channels[source]
    scale = gain * np.sqrt(2 / (ins * kernel * kernel))
    weights = maker.numbers(channels, ins, kernel, kernel, scale=scale)
    constants = [maker.weight(weights), maker.weight(maker.numbers(channels, scale=0.01))]
    attributes.setdefault("pads", [kernel // 2] * 4)
    return maker.node("Conv", [source, *constants], channels, **attributes)
