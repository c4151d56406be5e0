"""Convolutions of 3x3 by blocks: the twin, and how much more they round than sums in one order.

A block's result is A'[(G g G') * (B d B')]A, with products position by position. Whatever the
numbers are, its error is within what `error_bound` gives: every step rounds a few times, and makes
no more of a number than the absolute matrices do. Of numbers as networks have them, the error is
at most `FACTOR` times that of a convolution whose products are summed in one order, and of whole
networks that of onnxruntime.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
from network_models import (
    GraphMaker,
    as_model,
    codec_filter_7,
    every_kind_of_conv,
    every_operator,
    expected,
    half_size_filter,
    residual_filter,
    session_of,
    strided_and_grouped,
    third_party_filter,
    u_net,
)

import nnr
from nnr.models import Model
from nnr.networks import POSTFILTER, Network
from nnr.networks.fold import fold
from nnr.networks.graph import read_graph
from nnr.networks.plan import blocks_of, build_plan
from nnr.reference import network as reference
from nnr.reference.conv import conv as reference_conv
from nnr.reference.winograd import conv_blocks, transform_weights

ROUNDING = 2.0**-24
FACTOR = 4.0

R, S = np.sqrt(0.5), np.sqrt(2.0)
# What the transforms of the input and of the output make of magnitudes.
INPUT = np.abs(
    [
        [1, 0, 2.5, 0, 1, 0],
        [0, 2 * R, 2, R, 1, 0],
        [0, 2 * R, 2, R, 1, 0],
        [0, S / 2, 0.5, S, 1, 0],
        [0, S / 2, 0.5, S, 1, 0],
        [0, 1, 0, 2.5, 0, 1],
    ]
)
OUTPUT = np.abs(
    [
        [1, 1, 1, 1, 1, 0],
        [0, R, R, S, S, 0],
        [0, 0.5, 0.5, 2, 2, 0],
        [0, R / 2, R / 2, 2 * S, 2 * S, 1],
    ]
)


def random_image(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def error_bound(x: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Of a padded *x* whose blocks begin at its first sample; shape of the result."""
    # Input 8, weights 1, products and sums as many as channels, output 10, bias, activation 2.
    roundings = weights.shape[1] + 22
    blocks = [(length + 1) // 4 for length in x.shape[1:]]
    result = np.zeros((weights.shape[0], *(4 * count for count in blocks)))
    around = np.zeros((x.shape[0], *(4 * count + 2 for count in blocks)))
    around[:, : x.shape[1], : x.shape[2]] = np.abs(x)
    kernels = np.abs(transform_weights(weights.astype(np.float64)))
    for y, z in np.ndindex(*blocks):
        seen = INPUT @ around[:, 4 * y : 4 * y + 6, 4 * z : 4 * z + 6] @ INPUT.T
        sums = np.einsum("ijoc,cij->oij", kernels, seen)
        result[:, 4 * y : 4 * y + 4, 4 * z : 4 * z + 4] = OUTPUT @ sums @ OUTPUT.T
    whole = result[:, : x.shape[1] - 2, : x.shape[2] - 2] + np.abs(bias)[:, None, None]
    return roundings * ROUNDING / (1 - roundings * ROUNDING) * whole


@pytest.mark.parametrize("row", range(4))
@pytest.mark.parametrize("column", range(4))
def test_twin_is_a_convolution(row: int, column: int) -> None:
    rng = np.random.default_rng(4 * row + column)
    weights, bias = rng.standard_normal((5, 9, 3, 3)), rng.standard_normal(5)
    for pads in [(1, 1, 1, 1), (0, 2, 1, 0), (2, 0, 2, 2), (0, 0, 0, 0)]:
        for height, width in [(1, 1), (3, 3), (4, 5), (9, 14)]:
            sides = height + pads[0] + pads[2], width + pads[1] + pads[3]
            if min(sides) < 3:
                continue
            x = rng.standard_normal((9, height, width))
            padded = np.pad(x, ((0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
            result = conv_blocks(x, weights, bias, pads, (row, column))
            wanted = reference_conv(padded, weights, bias)
            np.testing.assert_allclose(result, wanted, rtol=0, atol=1e-12)


def one_layer(ins: int, outs: int, pads: list[int] | None = None, kernel: int = 3) -> Model:
    maker = GraphMaker(ins, seed=ins * 100 + outs)
    maker.conv("x", outs, kernel, pads=pads or [0] * 4)
    return as_model(maker.model())


@pytest.mark.parametrize(
    ("ins", "outs", "kernel", "strides", "method"),
    [
        (8, 8, 3, 1, "blocks of 4x4"),
        (7, 8, 3, 1, "direct"),
        (8, 7, 3, 1, "direct"),
        (8, 8, 3, 2, "direct"),
        (8, 8, 1, 1, "direct"),
        (8, 8, 5, 1, "direct"),
        (16, 1, 3, 1, "thin"),
        (32, 4, 1, 2, "thin"),
        (16, 5, 3, 1, "direct"),
        (17, 4, 3, 1, "direct"),
    ],
)
def test_how_a_layer_is_computed(
    ins: int, outs: int, kernel: int, strides: int, method: str
) -> None:
    maker = GraphMaker(ins)
    maker.conv("x", outs, kernel, strides=[strides] * 2)
    graph = read_graph(as_model(maker.model()))
    (layer,) = Network(graph).plan.explain(20, 20, 1, None)["layers"]
    assert layer["kernel"].endswith(method)
    assert set(blocks_of(graph)) == ({1} if method == "blocks of 4x4" else set())


@pytest.mark.parametrize("ins", [*range(8, 34), 47, 48, 49, 64, 100])
def test_layer_keeps_its_bound_at_every_level(ins: int) -> None:
    outs = 8 + 5 * ins % 41
    model = one_layer(ins, outs)
    weights, bias = model.tensors["w0"], model.tensors["w1"]
    x = random_image(ins, 3 + ins % 11, 3 + ins % 16, seed=ins)
    phase = blocks_of(read_graph(model))[1]
    exact = reference_conv(*(array.astype(np.float64) for array in (x, weights, bias)))
    # Blocks that begin at the first sample are those of an image with zeros before it.
    shift = [-(-place % 4) for place in phase]
    padded = np.pad(x, ((0, 0), (-shift[0], 0), (-shift[1], 0)))
    bound = error_bound(padded, weights, bias)[:, -shift[0] :, -shift[1] :]
    network = Network.load(model)
    for target in nnr.cpu.targets():
        with nnr.cpu.use_target(target):
            result = network.run(x)
        assert (np.abs(result - exact) <= bound).all(), target
        if target == "scalar":
            twin = conv_blocks(x, weights, bias, (0, 0, 0, 0), phase)
            np.testing.assert_array_equal(result, twin)


# Samples that transforms round badly: of all magnitudes, large with a small pattern, one alone.
AWKWARD: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "all magnitudes": lambda x: x * np.float32(10) ** np.round(5 * np.roll(x, 1)),
    "large offset": lambda x: np.float32(1e4) + x,
    "alternating": lambda x: x * np.where(np.indices(x.shape).sum(axis=0) % 2, 1, -1000),
    "one sample": lambda x: np.where(np.arange(x.size).reshape(x.shape) % 50 == 49, 1e6 * x, 0),
    "tiny": lambda x: x * np.float32(1e-30),
    "huge": lambda x: x * np.float32(1e30),
}


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_samples_keep_the_bound(name: str) -> None:
    model = one_layer(16, 16)
    weights, bias = model.tensors["w0"], model.tensors["w1"]
    # The bound is of what lies in the blocks from the first whole one on.
    phase = blocks_of(read_graph(model))[1]
    x = AWKWARD[name](random_image(16, 17 + phase[0], 18 + phase[1])).astype(np.float32)
    exact = reference_conv(*(array.astype(np.float64) for array in (x, weights, bias)))
    result = Network.load(model).run(x)[:, phase[0] :, phase[1] :]
    bound = error_bound(x[:, phase[0] :, phase[1] :], weights, bias)
    assert (np.abs(result - exact[:, phase[0] :, phase[1] :]) <= bound).all()


def errors(result: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Root of the mean square, and the largest."""
    difference = np.abs(result - exact)
    return np.array([np.sqrt(np.mean(difference**2)), difference.max()])


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize(("ins", "outs"), [(8, 8), (16, 32), (24, 24), (64, 64), (128, 48)])
@pytest.mark.parametrize("positive", [False, True])
def test_layer_rounds_little_more_than_sums_in_one_order(
    ins: int, outs: int, positive: bool
) -> None:
    model = one_layer(ins, outs, [1] * 4)
    x = random_image(ins, 38, 42, seed=outs)
    x = np.maximum(x, 0) if positive else x
    graph = read_graph(model)
    exact = reference.run(graph, x.astype(np.float64))
    plain = errors(reference.run(graph, x), exact)
    assert (errors(Network.load(model).run(x), exact) <= FACTOR * plain).all()


def two_branches() -> onnx.ModelProto:
    maker = GraphMaker(8)
    first, second = maker.conv("x", 16), maker.conv(maker.conv("x", 16), 16)
    maker.same("Relu", maker.same("Add", first, second))
    return maker.model()


def bundled() -> onnx.ModelProto:
    return onnx.load(POSTFILTER)


def wide_residual_filter() -> onnx.ModelProto:
    return residual_filter(64)


REALISTIC = [
    bundled,
    codec_filter_7,
    half_size_filter,
    third_party_filter,
    u_net,
    wide_residual_filter,
]


@pytest.mark.parametrize("make", REALISTIC)
def test_network_rounds_little_more_than_onnxruntime(
    make: Callable[[], onnx.ModelProto],
) -> None:
    proto = make()
    network, graph = Network.load(as_model(proto)), read_graph(as_model(proto))
    x = np.random.default_rng(1).random((network.in_channels, 72, 72), dtype=np.float32)
    exact = reference.run(graph, x.astype(np.float64))
    plain = errors(reference.run(graph, x), exact)
    other = errors(_onnxruntime(proto, x), exact)
    for target in nnr.cpu.targets():
        with nnr.cpu.use_target(target):
            found = errors(network.run(x), exact)
        assert (found <= FACTOR * plain).all(), target
        assert (found <= FACTOR * other).all(), target


def _onnxruntime(proto: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    if proto.graph.input[0].name == "x":
        return np.asarray(expected(session_of(proto), x))
    session = onnxruntime.InferenceSession(POSTFILTER, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {proto.graph.input[0].name: x[None]})[0][0])


@pytest.mark.parametrize(
    "make",
    [
        *REALISTIC,
        every_kind_of_conv,
        every_operator,
        residual_filter,
        strided_and_grouped,
        two_branches,
    ],
)
@pytest.mark.parametrize("size", [(24, 36), (44, 20)])
def test_scalar_level_has_the_bits_of_the_twin(
    make: Callable[[], onnx.ModelProto], size: tuple[int, int]
) -> None:
    model = as_model(make())
    folded = fold(read_graph(model))
    x = random_image(folded.in_channels, *size)
    with nnr.cpu.use_target("scalar"):
        result = Network.load(model).run(x)
    np.testing.assert_array_equal(result, reference.run(folded, x, blocks_of(folded)))


@pytest.mark.parametrize("make", [*REALISTIC, every_kind_of_conv, residual_filter, two_branches])
def test_fusing_does_not_move_blocks(make: Callable[[], onnx.ModelProto]) -> None:
    graph = fold(read_graph(as_model(make())))
    fused = build_plan(graph).blocks
    assert sorted(fused.values()) == sorted(blocks_of(graph).values())
    assert len(fused) > 0


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_sample_that_is_not_finite_spoils_only_blocks_that_see_it(value: float) -> None:
    model = one_layer(8, 8, [1] * 4)
    network = Network.load(model)
    x = random_image(8, 40, 41)
    clean = network.run(x)
    x[3, 20, 21] = value
    result = network.run(x)
    assert not np.isfinite(result[:, 19:22, 20:23]).any()
    near = np.zeros((40, 41), bool)
    near[16:25, 17:26] = True
    np.testing.assert_array_equal(result[:, ~near], clean[:, ~near])
    for cut in [(4, 4, 4), (7, 3, 10)]:
        np.testing.assert_array_equal(network.run(x, threads=2, _cut=cut), result)
