"""Integer networks on the native engine: the bits of the twin, at every level, however it is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_models import compiled, every_layer, graph_of, i16, i32, observed, read, u8
from network_models import GraphMaker, as_model, codec_filter_7, cut_of, residual_filter
from numpy.typing import NDArray
from random_networks import RandomGraph, random_graphs

import nnr
from nnr.networks import IntegerNetwork, Network
from nnr.networks.integer import IntegerGraph, compile_graph
from nnr.networks.integer.layers import IntegerAdd, IntegerRescale
from nnr.reference import integer_network as twin


def random_input(graph: IntegerGraph, height: int, width: int, seed: int = 0) -> NDArray[Any]:
    """Any integers of the input's type."""
    value = graph.values[0]
    lo, hi = value.limits
    shape = (value.channels, height, width)
    return np.random.default_rng(seed).integers(lo, hi + 1, shape).astype(value.dtype)


def assert_equals_twin(graph: IntegerGraph, q: NDArray[Any]) -> None:
    network, wanted = IntegerNetwork(graph), twin.run(graph, q)
    for target in nnr.cpu.targets():
        with nnr.cpu.use_target(target):
            np.testing.assert_array_equal(network.run_integers(q), wanted, target)


@pytest.mark.parametrize("size", [(2, 2), (2, 6), (10, 4), (38, 34), (64, 90)])
def test_every_layer_has_the_bits_of_the_twin(size: tuple[int, int]) -> None:
    graph = every_layer()
    assert_equals_twin(graph, random_input(graph, *size))


@pytest.mark.usefixtures("target")
def test_result_depends_on_neither_cuts_nor_threads() -> None:
    graph = every_layer()
    network, q = IntegerNetwork(graph), random_input(graph, 38, 52)
    whole = network.run_integers(q, threads=1, _cut=(1000, 1000, 1000))
    for tile, threads in [(1, 2), (2, 1), (7, 3), (13, 1), (16, 4), (31, 2), (52, 5)]:
        cut = network.run_integers(q, threads=threads, _cut=cut_of(tile))
        np.testing.assert_array_equal(cut, whole)
    np.testing.assert_array_equal(network.run_integers(q), whole)


# Compiled for one picture, run on any integers there are: sums must keep to 32 bits.
@settings(max_examples=60, deadline=None)
@given(random_graphs(), st.sampled_from([8, 16]), st.integers(1, 20))
def test_random_networks_have_the_bits_of_the_twin(
    drawn: RandomGraph, activation_bits: int, tile: int
) -> None:
    graph, image = read(drawn.maker), drawn.values[0]
    x = drawn.maker.numbers(image.channels, image.height, image.width)
    made = compile_graph(graph, observed(graph, [x]), activation_bits=activation_bits)
    q = random_input(made, image.height, image.width)
    assert_equals_twin(made, q)
    tiled = IntegerNetwork(made).run_integers(q, threads=2, _cut=cut_of(tile))
    np.testing.assert_array_equal(tiled, twin.run(made, q))


# 33 channels end in the middle of a vector; every sum of 48 bits is reached at both ends.
@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_largest_sums_have_the_bits_of_the_twin(dtype: str) -> None:
    most = (1 << 31) - 1
    given = u8(33, 200) if dtype == "uint8" else i16(33)
    multipliers = i32(*[most, -most, 1 << 16] * 11)
    q = np.resize(np.array(given.limits, given.dtype), (33, 2, 3))
    q[:, 1] = 0
    for layer in (
        IntegerAdd("a", (0, 0), multipliers, multipliers, -32768, 32767),
        IntegerAdd("a", (0, 0), multipliers, multipliers[::-1].copy(), -5, 4),
        IntegerRescale("r", (0,), multipliers, multipliers[::-1].copy(), multipliers, -9, 32767),
    ):
        assert_equals_twin(graph_of(layer, given, i16(33)), q)


def test_every_size_has_the_bits_of_the_twin() -> None:
    maker = GraphMaker(1)
    head = maker.same("LeakyRelu", maker.conv("x", 16), alpha=0.1)
    body = maker.same("Add", head, maker.conv(head, 16))
    maker.conv(body, 1)
    made = compiled(maker)
    network = IntegerNetwork(made)
    for height in range(1, 24):
        for width in range(1, 24):
            q = random_input(made, height, width, seed=height * 32 + width)
            np.testing.assert_array_equal(network.run_integers(q), twin.run(made, q))


@pytest.mark.parametrize("size", [(1, 70), (70, 1), (67, 69), (70, 70)])
def test_filter_sizes_have_the_bits_of_the_twin(size: tuple[int, int]) -> None:
    network = Network.load(as_model(codec_filter_7()))
    picture = np.random.default_rng(3).random((1, 48, 48), np.float32)
    made = network.to_integer([picture]).graph
    assert_equals_twin(made, random_input(made, *size))


def test_post_filter_of_integers() -> None:
    post_filter = nnr.PostFilter.load(as_model(residual_filter(20)))
    rng = np.random.default_rng(1)
    plane = rng.integers(0, 1024, (45, 63)).astype(np.uint16)
    exact = post_filter.to_integer([(plane, 30)], bit_depth=10)
    assert (post_filter.bit_depth, exact.bit_depth) == (None, 10)
    network = exact.network
    assert isinstance(network, IntegerNetwork)
    # Continued to even sides by the last row and column.
    luma = np.pad(plane, ((0, 1), (0, 1)), mode="edge").astype(np.int16)
    wanted = twin.run(network.graph, np.stack([luma, np.full_like(luma, 37)]))[0, :45, :63]
    for target in nnr.cpu.targets():
        with nnr.cpu.use_target(target):
            np.testing.assert_array_equal(exact.apply(plane, qp=37, bit_depth=10), wanted)
    assert np.abs(wanted - post_filter.apply(plane, qp=37, bit_depth=10).astype(int)).max() < 64
    with pytest.raises(ValueError, match="for 10 bits a sample, got a plane of 8"):
        exact.apply(plane.astype(np.uint8), qp=37)
    with pytest.raises(ValueError, match="integers already"):
        exact.to_integer([(plane, 30)], bit_depth=10)


def test_saved_post_filter_gives_the_same_bits(tmp_path: Any) -> None:
    post_filter = nnr.PostFilter.load(as_model(residual_filter(20)))
    plane = np.random.default_rng(1).integers(0, 256, (40, 48)).astype(np.uint8)
    exact = post_filter.to_integer([(plane, 30)])
    network = exact.network
    assert isinstance(network, IntegerNetwork)
    path = tmp_path / "filter.safetensors"
    network.save(path)
    loaded = nnr.PostFilter.load(path)
    np.testing.assert_array_equal(loaded.apply(plane, qp=30), exact.apply(plane, qp=30))


def test_network_that_is_no_post_filter() -> None:
    network = Network.load(as_model(residual_filter(8)))
    made = network.to_integer([np.random.default_rng(1).random((2, 16, 16), np.float32) * 9 - 4])
    with pytest.raises(ValueError, match="does not take and give samples"):
        nnr.PostFilter(made)


@pytest.mark.parametrize(
    ("sample", "error", "message"),
    [
        (np.zeros((2, 8, 8)), TypeError, "float32, got float64"),
        (np.zeros((1, 8, 8), np.float32), ValueError, r"\(2, height, width\)"),
        (np.zeros((1, 2, 8, 8), np.float32), ValueError, "channels, height, width"),
        (np.full((2, 8, 8), np.nan, np.float32), ValueError, "not finite"),
    ],
)
def test_wrong_samples(sample: NDArray[Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Network.load(as_model(residual_filter(4))).to_integer([sample])
    with pytest.raises(ValueError, match="at least one picture"):
        Network.load(as_model(residual_filter(4))).to_integer([])
