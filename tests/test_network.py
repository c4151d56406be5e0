"""The network engine against its NumPy twin, float64 and onnxruntime."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from network_models import (
    GraphMaker,
    as_model,
    assert_close,
    every_operator,
    expected,
    residual_filter,
    session_of,
)

import nnr
from nnr.networks import Network
from nnr.networks.graph import read_graph
from nnr.reference import network as reference
from nnr.reference.conv import conv as reference_conv

ROUNDING = 2.0**-24


def random_image(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def convolution(kernel: tuple[int, int], ins: int, outs: int) -> onnx.ModelProto:
    """A convolution without padding and its activation, with slopes on both sides of 1."""
    maker = GraphMaker(ins, seed=kernel[0] * 1000 + kernel[1] * 100 + ins)
    result = maker.conv("x", outs, kernel, pads=[0] * 4)
    maker.same("PRelu", result, maker.weight(maker.numbers(outs, 1, 1)))
    return maker.model()


def assert_bound(kernel: tuple[int, int], ins: int, outs: int) -> None:
    """A convolution that sums its products keeps the bound of `kernel_table.hpp` at every level."""
    model = as_model(convolution(kernel, ins, outs))
    weights, bias, slopes = (model.tensors[f"w{i}"] for i in range(3))
    slopes = slopes.reshape(-1)
    x = random_image(ins, kernel[0] + 2 * (ins % 4), kernel[1] + 2 * (ins % 15))
    wide = [array.astype(np.float64) for array in (x, weights, bias, slopes)]
    exact = reference_conv(*wide)
    magnitude = reference_conv(*(np.abs(array) for array in wide[:3]))
    terms = ins * kernel[0] * kernel[1] + 4
    bound = terms * ROUNDING / (1 - terms * ROUNDING) * magnitude
    bound *= np.maximum(1, np.abs(slopes))[:, None, None]
    network = Network.load(model)
    for target in nnr.cpu.targets():
        with nnr.cpu.use_target(target):
            result = network.run(x)
        assert (np.abs(result - exact) <= bound).all(), target
        if target == "scalar":
            np.testing.assert_array_equal(result, reference_conv(x, weights, bias, slopes))


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (5, 5), (1, 3), (3, 5), (5, 1)])
@pytest.mark.parametrize("ins", range(1, 41))
def test_convolution_keeps_its_bound_at_every_level(kernel: tuple[int, int], ins: int) -> None:
    # Of 3x3, those of 8 channels and more are another matter: test_network_blocks.
    assert_bound(kernel, ins, 7 if kernel == (3, 3) and ins >= 8 else 41 - ins)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (5, 4)])
@pytest.mark.parametrize("ins", [16, 32, 48, 80])
@pytest.mark.parametrize("outs", [1, 2, 3, 4])
def test_few_outputs_keep_the_bound(kernel: tuple[int, int], ins: int, outs: int) -> None:
    assert_bound(kernel, ins, outs)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("size", [(2, 3), (5, 8), (37, 22), (64, 91)])
def test_every_operator_equals_onnxruntime(size: tuple[int, int]) -> None:
    proto = every_operator()
    x = random_image(2, 3, *size)
    assert_close(Network.load(as_model(proto)).run(x), expected(session_of(proto), x))


def small_network() -> onnx.ModelProto:
    maker = GraphMaker(1)
    hidden = maker.same("Relu", maker.conv("x", 8, 5))
    maker.conv(maker.same("Relu", maker.conv(hidden, 8)), 1, 3, bias=False)
    return maker.model()


def test_wide_network_of_many_images() -> None:
    network = Network.load(as_model(residual_filter(40)))
    x = random_image(5, 2, 36, 36)
    result = network.run(x, threads=3)
    for image, alone in zip(x, result, strict=True):
        np.testing.assert_array_equal(network.run(image), alone)


def test_no_images_give_no_images() -> None:
    network = Network.load(as_model(small_network()))
    assert network.run(np.zeros((0, 1, 4, 5), np.float32)).shape == (0, 1, 4, 5)


def test_strided_input_and_out() -> None:
    network = Network.load(as_model(small_network()))
    x = random_image(1, 9, 11)
    out = np.empty_like(x)
    assert network.run(np.asfortranarray(x), out=out) is out
    np.testing.assert_array_equal(out, network.run(x))


def test_misaligned_input() -> None:
    network = Network.load(as_model(small_network()))
    x = np.frombuffer(bytes(1) + random_image(1, 9, 11).tobytes(), np.float32, offset=1)
    x = x.reshape(1, 9, 11)
    assert not x.flags.aligned
    np.testing.assert_array_equal(network.run(x), network.run(x.copy()))
    out = np.empty((1, 1, 9, 11), np.float32)
    with pytest.raises(ValueError, match="aligned"):
        network.plan.run(x[None], out, 1, None)
    with pytest.raises(TypeError, match="incompatible"):
        network.plan.run(np.asfortranarray(out), out, 1, None)


def test_threads_of_python_get_what_one_alone_gets() -> None:
    network = Network.load(as_model(every_operator()))
    images = [random_image(2, 3, 40 + 2 * i, 51, seed=i) for i in range(16)]
    alone = [network.run(x, threads=1) for x in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda x: network.run(x, threads=2), images))
    for result, wanted in zip(together, alone, strict=True):
        np.testing.assert_array_equal(result, wanted)


ACTIVATIONS = {
    "Relu": lambda maker, source: maker.same("Relu", source),
    "LeakyRelu": lambda maker, source: maker.same("LeakyRelu", source, alpha=0.25),
    "PRelu": lambda maker, source: maker.same(
        "PRelu", source, maker.weight(np.array([0.5, -2, 1e30], np.float32).reshape(3, 1, 1))
    ),
}


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("fused", [True, False])
def test_activation_of_infinities_and_nan(activation: str, fused: bool) -> None:
    maker = GraphMaker(1)
    copies = maker.node("Conv", ["x", maker.weight(np.ones((3, 1, 1, 1), np.float32))], 3)
    result = ACTIVATIONS[activation](maker, copies)
    if not fused:
        maker.same("Add", result, maker.same("Identity", copies))
    x = np.array([-np.inf, -3e38, -1, -0.0, 0, 1, 3e38, np.inf], np.float32).reshape(1, 2, 4)
    proto = maker.model()
    network = Network.load(as_model(proto))
    wanted = expected(session_of(proto), x)
    np.testing.assert_array_equal(network.run(x), wanted)
    np.testing.assert_array_equal(reference.run(read_graph(as_model(proto)), x), wanted)
    x[0, 1, 1] = np.nan
    assert np.isnan(network.run(x)[:, 1, 1]).all()
    assert np.isnan(reference.run(read_graph(as_model(proto)), x)[:, 1, 1]).all()


@pytest.mark.usefixtures("target")
def test_sum_that_overflows_is_cut_off_by_relu() -> None:
    maker = GraphMaker(1)
    weights = maker.weight(np.array([-3e38, 3e38], np.float32).reshape(2, 1, 1, 1))
    maker.same("Relu", maker.node("Conv", ["x", weights], 2))
    result = Network.load(as_model(maker.model())).run(np.full((1, 2, 3), 9, np.float32))
    np.testing.assert_array_equal(result[0], np.zeros((2, 3)))
    np.testing.assert_array_equal(result[1], np.full((2, 3), np.inf))


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect"])
def test_largest_pad(mode: str) -> None:
    maker = GraphMaker(1)
    maker.pad("x", (0, 65536, 0, 65536), mode)
    plan = Network.load(as_model(maker.model())).plan
    # Takes no time, however large.
    assert plan.output_size(1, 1 << 40) == (1, (1 << 40) + (1 << 17))
    with pytest.raises(ValueError, match=r"input: is too large|'pad0' \(Pad\): .* too large"):
        plan.output_size(1, 1 << 48)
    with pytest.raises(ValueError, match="input: is too large"):
        plan.output_size(1 << 62, 1)


def test_network_without_layers_copies() -> None:
    maker = GraphMaker(3)
    maker.same("Identity", "x")
    x = random_image(3, 5, 7)
    np.testing.assert_array_equal(Network.load(as_model(maker.model())).run(x), x)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.zeros((1, 4, 4)), TypeError, "float32, got float64"),
        ([[[1.0]]], TypeError, "got list"),
        (np.zeros((4, 4), np.float32), ValueError, r"\(1, height, width\)"),
        (np.zeros((2, 4, 4), np.float32), ValueError, r"got \(2, 4, 4\)"),
        (np.zeros((1, 0, 4), np.float32), ValueError, "must not be empty"),
        (np.zeros((2, 1, 4, 0), np.float32), ValueError, "must not be empty"),
    ],
)
def test_wrong_input(x: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        Network.load(as_model(small_network())).run(x)
    assert "\n" not in str(raised.value)


def test_wrong_out() -> None:
    network = Network.load(as_model(small_network()))
    x = random_image(1, 4, 4)
    with pytest.raises(ValueError, match="shape"):
        network.run(x, out=np.empty((1, 4, 5), np.float32))
    with pytest.raises(TypeError, match="float32"):
        network.run(x, out=np.empty((1, 4, 4)))
    with pytest.raises(ValueError, match="overlap"):
        network.run(x, out=x)
    with pytest.raises(ValueError, match="threads"):
        network.run(x, threads=0)
