"""`IntegerNetwork`, post filters of integers, and what the native engine is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from integer_models import read
from network_models import GraphMaker, as_model, residual_filter

from nnr.networks.graph import read_graph
from nnr.networks.integer import (
    IntegerGraph,
    IntegerNetwork,
    OutputFormat,
    network_to_integer,
    postfilter_to_integer,
)
from nnr.reference import integer_network as twin
from nnr.reference import network as reference


@pytest.fixture
def network() -> IntegerNetwork:
    maker = GraphMaker(2)
    maker.conv("x", 3)
    return network_to_integer(read(maker), [maker.numbers(2, 16, 16)])


def test_floats_go_through_integers(network: IntegerNetwork) -> None:
    x = np.random.default_rng(0).standard_normal((2, 5, 7)).astype(np.float32)
    first, last = (network.graph.values[i].scales[:, None, None] for i in (0, 1))
    q = np.rint(x / first).astype(np.int16)
    wanted = twin.run(network.graph, q) * last
    result = network.run(x)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, wanted.astype(np.float32))
    images = np.stack([x, -x])
    np.testing.assert_array_equal(network.run(images)[0], result)
    assert network.run(images).shape == (2, 3, 5, 7)
    assert network.run_integers(np.stack([q, q])).shape == (2, 3, 5, 7)


def test_numbers_beyond_16_bits_are_clipped(network: IntegerNetwork) -> None:
    x = np.full((2, 3, 3), np.inf, np.float32)
    largest = np.full((2, 3, 3), 32767, np.int16)
    wanted = network.run_integers(largest) * network.graph.values[1].scales[:, None, None]
    np.testing.assert_array_equal(network.run(x), wanted.astype(np.float32))


def test_arguments_are_checked(network: IntegerNetwork) -> None:
    assert (network.in_channels, network.out_channels) == (2, 3)
    assert repr(network) == "IntegerNetwork(2 -> 3 channels)"
    with pytest.raises(TypeError, match="x must be an array of float32, got float64"):
        network.run(np.zeros((2, 4, 4)))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="q must be an array of int16, got float32"):
        network.run_integers(np.zeros((2, 4, 4), np.float32))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"x must have shape \(2, height, width\)"):
        network.run(np.zeros((3, 4, 4), np.float32))
    with pytest.raises(ValueError, match="x must not be empty"):
        network.run(np.zeros((2, 0, 4), np.float32))
    with pytest.raises(ValueError, match="x must not hold NaN"):
        network.run(np.full((2, 4, 4), np.nan, np.float32))
    with pytest.raises(ValueError, match="output must be"):
        IntegerNetwork(IntegerGraph(network.graph.values, network.graph.layers, 7))


def test_a_file_keeps_it(network: IntegerNetwork, tmp_path: Path) -> None:
    network.save(tmp_path / "network.safetensors")
    x = np.random.default_rng(0).standard_normal((2, 5, 7)).astype(np.float32)
    loaded = IntegerNetwork.load(tmp_path / "network.safetensors")
    np.testing.assert_array_equal(loaded.run(x), network.run(x))


def test_units_of_input_and_output_may_be_given() -> None:
    maker = GraphMaker(2)
    maker.conv("x", 3, kernel=1)
    graph = read(maker)
    sample = maker.numbers(2, 16, 16)
    network = network_to_integer(
        graph,
        [sample],
        activation_bits=16,
        input_scales=[1 / 256, 1 / 64],
        output=OutputFormat(1 / 100, -50, 60),
    )
    scales = np.array([1 / 256, 1 / 64])[:, None, None]
    q = np.rint(sample / scales).astype(np.int16)
    wanted = reference.run(graph, (q * scales).astype(np.float32)) * 100
    result = network.run_integers(q)
    assert np.abs(result - np.clip(wanted, -50, 60)).max() < 1
    with pytest.raises(ValueError, match="input_scales must be 2 numbers, got 1"):
        network_to_integer(graph, [sample], input_scales=[1.0])


@pytest.mark.parametrize("bit_depth", [8, 10, 15])
def test_post_filters_take_and_give_samples(bit_depth: int) -> None:
    graph = read_graph(as_model(residual_filter(20)))
    peak = (1 << bit_depth) - 1
    rng = np.random.default_rng(1)
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    planes = [(rng.integers(0, peak + 1, (24, 24)).astype(dtype), qp) for qp in (22, 37)]
    samples = (([plane], qp) for plane, qp in planes)
    network = postfilter_to_integer(graph, samples, bit_depth, activation_bits=16)
    for plane, qp in planes:
        q = np.stack([plane, np.full_like(plane, qp)]).astype(np.int16)
        result = network.run_integers(q)[0]
        assert result.min() >= 0
        assert result.max() <= peak
        wanted = reference.filter_plane(graph, plane, qp=qp, peak=peak).astype(int)
        # The residual filter's own output is at most a few hundredths of the peak.
        assert np.abs(result - wanted).max() <= 1 + peak / 2000


def test_a_post_filter_without_qp() -> None:
    maker = GraphMaker(1)
    maker.same("Relu", maker.conv("x", 1))
    graph = read(maker)
    plane = np.arange(64, dtype=np.uint8).reshape(8, 8)
    network = postfilter_to_integer(graph, [([plane], 30)], 8)
    assert network.run_integers(plane[None].astype(np.int16)).shape == (1, 8, 8)


def test_samples_of_a_post_filter_are_checked() -> None:
    graph = read_graph(as_model(residual_filter(4)))
    plane = np.zeros((8, 8), np.uint16)
    with pytest.raises(ValueError, match="bit_depth must be 8 to 15, got 16"):
        postfilter_to_integer(graph, [([plane], 30)], 16)
    with pytest.raises(ValueError, match="qp must be 0 to 63, got 64"):
        postfilter_to_integer(graph, [([plane], 64)], 10)
    with pytest.raises(ValueError, match="holds 1024, more than 10 bits"):
        postfilter_to_integer(graph, [([plane + 1024], 30)], 10)
    with pytest.raises(TypeError, match="uint8 or uint16, got float64"):
        postfilter_to_integer(graph, [([np.zeros((8, 8))], 30)], 10)
    maker = GraphMaker(3)
    maker.conv("x", 1)
    with pytest.raises(ValueError, match="1, 2, 6 or 7 input channels, got 3"):
        postfilter_to_integer(read(maker), [([plane], 30)], 10)
