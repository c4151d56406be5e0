"""Strides, groups, transposed convolutions, crops and what else is lowered to few layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from network_models import (
    GraphMaker,
    as_model,
    assert_close,
    codec_filter_7,
    cut_of,
    expected,
    session_of,
    strided_and_grouped,
    third_party_filter,
)

import nnr
from nnr.networks import Network
from nnr.networks.fold import fold
from nnr.networks.graph import read_graph
from nnr.networks.layers import (
    Add,
    Affine,
    Conv,
    Crop,
    DepthToSpace,
    DepthwiseConv,
    Slice,
)
from nnr.networks.plan import blocks_of
from nnr.reference import network as reference
from nnr.reference.conv import conv as reference_conv
from nnr.reference.conv import depthwise_conv

Make = Callable[[GraphMaker], object]
SIZES = [(9, 12), (16, 17), (23, 10)]


def conv(channels: int, kernel: int | tuple[int, int], **attributes: Any) -> Make:
    return lambda maker: maker.conv("x", channels, kernel, **attributes)


def wide(channels: int, kernel: int | tuple[int, int] = 3, **attributes: Any) -> Make:
    """A convolution of 16 channels."""
    return lambda maker: maker.conv(maker.conv("x", 16, 1), channels, kernel, **attributes)


def transposed(channels: int, kernel: tuple[int, int], stride: int, **attributes: Any) -> Make:
    return lambda maker: maker.conv_transpose("x", channels, kernel, stride, **attributes)


def plain_conv(kernel: tuple[int, int], **attributes: object) -> Make:
    """Without the pads that `GraphMaker.conv` adds."""

    def make(maker: GraphMaker) -> None:
        weights = maker.weight(maker.numbers(3, 6, *kernel, scale=0.1))
        maker.node("Conv", ["x", weights], 3, **attributes)

    return make


def node(operator: str, *inputs: object, **attributes: object) -> Make:
    """A node that keeps the channels; inputs are names or constants."""

    def make(maker: GraphMaker) -> None:
        names = [name if isinstance(name, str) else maker.weight(name) for name in inputs]
        maker.node(operator, names, 6, **attributes)

    return make


def cut(starts: list[int], ends: list[int], axes: list[int], channels: int = 6) -> Make:
    return lambda maker: maker.cut("x", starts, ends, axes, channels)


def combined(operator: str) -> Make:
    def make(maker: GraphMaker) -> None:
        maker.node(operator, [maker.conv("x", 6), maker.same("Relu", "x")], 6)

    return make


PER_CHANNEL = np.array([0.5, -2, 3, 0.1, 1, -0.7], np.float32).reshape(6, 1, 1)
END = 2**63 - 1

CASES: dict[str, Make] = {
    "conv 1x1": conv(4, 1),
    "conv 2x2": conv(4, 2, pads=[0, 1, 1, 0]),
    "conv 4x7": conv(4, (4, 7), pads=[3, 6, 0, 1]),
    "conv 3x3 by blocks": wide(16),
    "conv 3x3 by blocks, few pads": wide(9, pads=[0, 2, 1, 0]),
    "conv 3x3 of few outputs": wide(2),
    "conv 5x3 of few outputs, stride 2": wide(3, (5, 3), strides=[2, 1]),
    "depthwise of 17": lambda maker: maker.conv(maker.conv("x", 17, 1), 17, 3, group=17),
    "conv 9x9": conv(17, 9),
    "conv 15x15": conv(2, 15, pads=[14, 7, 7, 14]),
    "conv stride 2": conv(5, 3, strides=[2, 2]),
    "conv stride 2 of 1x1": conv(5, 1, strides=[2, 2]),
    "conv stride 3x1": conv(5, (3, 5), strides=[3, 1]),
    "conv stride 1x4 of 2x2": conv(5, 2, strides=[1, 4], pads=[1, 1, 0, 0]),
    "conv stride 2 without pads": conv(5, 4, strides=[2, 2], pads=[0] * 4),
    "auto_pad SAME_UPPER of 4x2": plain_conv((4, 2), auto_pad="SAME_UPPER"),
    "auto_pad SAME_LOWER of 4x2": plain_conv((4, 2), auto_pad="SAME_LOWER"),
    "auto_pad VALID with strides": plain_conv((3, 3), auto_pad="VALID", strides=[2, 2]),
    "depthwise": conv(6, 3, group=6),
    "depthwise 5x4, stride 2": conv(6, (5, 4), group=6, strides=[2, 2], bias=False),
    "depthwise 1x1": conv(6, 1, group=6),
    "depthwise of two outputs": conv(12, 3, group=6),
    "two groups": conv(4, 3, group=2),
    "three groups, stride 2": conv(9, 3, group=3, strides=[2, 1]),
    "transposed 1x1, stride 1": transposed(3, (1, 1), 1),
    "transposed 3x3, stride 1": transposed(3, (3, 3), 1, pads=[1] * 4),
    "transposed 4x4, stride 2": transposed(3, (4, 4), 2, pads=[1] * 4),
    "transposed 3x5, stride 2": transposed(3, (3, 5), 2, pads=[1, 2, 0, 3]),
    "transposed 2x3, stride 3": transposed(3, (2, 3), 3, output_padding=[2, 1]),
    "transposed 9x9, stride 4": transposed(2, (9, 9), 4, pads=[5, 4, 3, 2], bias=False),
    "transposed 8x8, stride 8": transposed(1, (8, 8), 8),
    "transposed, pads beyond the kernel": transposed(2, (2, 3), 2, pads=[5, 4, 3, 6]),
    "transposed, two groups": transposed(4, (3, 3), 2, group=2, output_padding=[1, 1]),
    "transposed, a group a channel": transposed(12, (4, 2), 2, group=6),
    "BatchNormalization": lambda maker: maker.batch_normalization("x"),
    "Sub of a constant": node("Sub", "x", PER_CHANNEL),
    "Sub from a constant": node("Sub", np.float32(1.5), "x"),
    "Sub of values": combined("Sub"),
    "Div": node("Div", "x", PER_CHANNEL),
    "Sum of one": node("Sum", "x"),
    "Sum of three": node("Sum", "x", "x", "x"),
    "Sum of two": combined("Sum"),
    "Dropout": node("Dropout", "x", np.float32(0.5)),
    "rows and columns": cut([1, 2], [-3, END], [2, 3]),
    "rows": cut([0], [-4], [2]),
    "columns": cut([3], [2**31 - 1], [-1]),
    "channels, rows, columns": cut([2, 1, 0], [5, END, -1], [1, 2, 3], 3),
    "two resolutions": lambda maker: maker.conv_transpose(
        maker.same("Relu", maker.conv("x", 8, 3, strides=[2, 2])), 5, (4, 4), 2, pads=[1] * 4
    ),
}


def made(name: str) -> onnx.ModelProto:
    maker = GraphMaker(6, seed=len(name))
    CASES[name](maker)
    return maker.model()


def image(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize("name", CASES)
def test_twin_equals_onnxruntime(name: str) -> None:
    proto = made(name)
    graph, session = read_graph(as_model(proto)), session_of(proto)
    for size in SIZES:
        x = image(6, *size)
        assert_close(reference.run(graph, x), expected(session, x))


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("name", CASES)
def test_engine_equals_onnxruntime_with_any_cut(name: str) -> None:
    proto = made(name)
    network, session = Network.load(as_model(proto)), session_of(proto)
    for size in SIZES:
        x = image(6, *size)
        whole = network.run(x, threads=1)
        assert_close(whole, expected(session, x))
        for cut in (cut_of(1), cut_of(3), cut_of(8), (5, 2, 6), (100, 3, 100)):
            np.testing.assert_array_equal(network.run(x, threads=2, _cut=cut), whole)


@pytest.mark.parametrize("name", CASES)
def test_scalar_level_has_the_bits_of_the_twin(name: str) -> None:
    model = as_model(made(name))
    x = image(6, 16, 17)
    with nnr.cpu.use_target("scalar"):
        result = Network.load(model).run(x)
    folded = fold(read_graph(model))
    np.testing.assert_array_equal(result, reference.run(folded, x, blocks_of(folded)))


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("depthwise", [DepthwiseConv]),
        ("depthwise of two outputs", [Conv]),
        ("transposed 3x3, stride 1", [Conv]),
        ("transposed 8x8, stride 8", [Conv, DepthToSpace]),
        ("transposed 4x4, stride 2", [Conv, DepthToSpace, Crop]),
        ("BatchNormalization", [Affine]),
        ("Sub of values", [Conv, "Slope", Affine, Add]),
        ("Sum of three", [Add, Add]),
        ("Sum of one", []),
        ("Dropout", []),
        ("rows", [Crop]),
        ("channels, rows, columns", [Slice, Crop]),
    ],
)
def test_layers_of_an_operator(name: str, kinds: list[type | str]) -> None:
    names = [kind if isinstance(kind, str) else kind.__name__ for kind in kinds]
    layers = read_graph(as_model(made(name))).layers
    assert [type(layer).__name__ for layer in layers] == names


def test_transposed_convolution_of_a_stride_has_a_fraction_of_the_taps() -> None:
    first = read_graph(as_model(made("transposed 9x9, stride 4"))).layers[0]
    assert isinstance(first, Conv)
    assert first.weights.shape == (2 * 16, 6, 3, 3)


def sized(make: Make, size: tuple[int, int] | None = (10, 12)) -> GraphMaker:
    maker = GraphMaker(6, size=size)
    make(maker)
    return maker


@pytest.mark.parametrize(
    ("starts", "ends", "axes"),
    [
        ([2, 3], [8, 9], [2, 3]),
        ([-5], [END], [2]),
        ([-5, 1], [-2, 100], [3, 2]),
        ([-(2**63)], [7], [-2]),
    ],
)
def test_slice_that_needs_the_size(starts: list[int], ends: list[int], axes: list[int]) -> None:
    proto = sized(cut(starts, ends, axes)).model()
    x = image(6, 10, 12)
    graph = read_graph(as_model(proto))
    assert_close(reference.run(graph, x), expected(session_of(proto), x))
    with pytest.raises(nnr.UnsupportedOperatorError, match="size of the input is not fixed"):
        read_graph(as_model(sized(cut(starts, ends, axes), None).model()))


def through_every_size(maker: GraphMaker) -> None:
    value = maker.conv("x", 4, 3, strides=[2, 2])  # 5x6
    value = maker.conv_transpose(value, 4, (3, 3), 2)  # 11x13
    value = maker.pad(value, (1, 1, 0, 0), "constant")  # 12x14
    value = maker.node("SpaceToDepth", [value], 16, blocksize=2)  # 6x7
    value = maker.node("DepthToSpace", [value], 4, blocksize=2, mode="DCR")  # 12x14
    maker.cut(maker.conv(value, 4, 3, group=4, pads=[0] * 4), [-9, 2], [-2, 11], [2, 3], 4)


def test_sizes_are_known_after_every_layer() -> None:
    proto = sized(through_every_size).model()
    x = image(6, 10, 12)
    assert_close(reference.run(read_graph(as_model(proto)), x), expected(session_of(proto), x))


def test_size_that_the_layers_do_not_take_is_not_known_after_them() -> None:
    def odd(maker: GraphMaker) -> None:
        maker.node("SpaceToDepth", ["x"], 24, blocksize=4)
        maker.cut("spacetodepth0", [0], [1], [2], 24)

    with pytest.raises(nnr.UnsupportedOperatorError, match="size of the input is not fixed"):
        read_graph(as_model(sized(odd).model()))


def test_declared_size() -> None:
    relu = node("Relu", "x")
    assert read_graph(as_model(sized(relu).model())).input_size == (10, 12)
    assert read_graph(as_model(sized(relu, None).model())).input_size is None


@pytest.mark.parametrize("make", [codec_filter_7, third_party_filter, strided_and_grouped])
def test_twin_of_whole_networks(make: Callable[[], onnx.ModelProto]) -> None:
    proto = make()
    graph = read_graph(as_model(proto))
    x = image(graph.in_channels, 72, 72)
    folded, wanted = fold(graph), expected(session_of(proto), x)
    assert_close(reference.run(folded, x), wanted)
    assert_close(reference.run(folded, x, blocks_of(folded)), wanted)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("make", [codec_filter_7, third_party_filter, strided_and_grouped])
def test_engine_of_whole_networks(make: Callable[[], onnx.ModelProto]) -> None:
    proto = make()
    network = Network.load(as_model(proto))
    x = image(network.in_channels, 72, 72)
    assert_close(network.run(x), expected(session_of(proto), x))


def test_weights_of_published_shapes() -> None:
    for make, weights in ((codec_filter_7, 185_857), (third_party_filter, 105_102)):
        tensors = as_model(make()).tensors.values()
        assert sum(t.size for t in tensors if t.dtype == np.float32) == weights


@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
def test_depthwise_twin_is_a_convolution_with_zeros(stride: tuple[int, int]) -> None:
    x, weights, bias, slopes = image(5, 9, 8), image(5, 3, 2), image(5), image(5)
    dense = np.zeros((5, 5, 3, 2), np.float32)
    dense[np.arange(5), np.arange(5)] = weights
    np.testing.assert_array_equal(
        depthwise_conv(x, weights, bias, slopes, stride),
        reference_conv(x, dense, bias, slopes, stride),
    )
