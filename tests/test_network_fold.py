"""Folding keeps what a network computes, and removes what it need not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from network_models import PowersOfTwo, as_model, third_party_filter
from random_networks import RandomGraph, random_graphs

import nnr
from nnr.networks.fold import fold
from nnr.networks.graph import read_graph
from nnr.networks.layers import Affine, Conv, Graph
from nnr.reference import network as reference

# float64 rounds by 1.1e-16; the constants of PowersOfTwo are folded without rounding.
EXACT = 1e-12

Make = Callable[[PowersOfTwo], object]


def kinds(graph: Graph) -> list[str]:
    return [type(layer).__name__ for layer in graph.layers]


def assert_same(folded: Graph, graph: Graph, x: np.ndarray) -> None:
    wanted = reference.run(graph, x.astype(np.float64))
    result = reference.run(folded, x.astype(np.float64))
    assert result.shape == wanted.shape
    assert np.abs(result - wanted).max() <= EXACT * np.abs(wanted).max()


def constant(maker: PowersOfTwo, operator: str, source: str, *, positive: bool = False) -> str:
    numbers = maker.numbers(maker.channels[source], 1, 1)
    return maker.same(operator, source, maker.weight(np.abs(numbers) if positive else numbers))


def affine(maker: PowersOfTwo, source: str) -> str:
    return constant(maker, "Add", constant(maker, "Mul", source))


def relu_between(maker: PowersOfTwo) -> None:
    constant(maker, "Mul", maker.same("LeakyRelu", maker.conv("x", 8), alpha=0.25), positive=True)


def negative_after_relu(maker: PowersOfTwo) -> None:
    value = maker.same("Relu", maker.conv("x", 8))
    maker.same("Mul", value, maker.weight(np.float32(-2)))


def offset_after_relu(maker: PowersOfTwo) -> None:
    constant(maker, "Add", maker.same("Relu", maker.conv("x", 8)))


def used_twice(maker: PowersOfTwo) -> None:
    value = maker.conv("x", 4)
    maker.same("Add", constant(maker, "Mul", value), value)


def activation_used_twice(maker: PowersOfTwo) -> None:
    value = maker.conv("x", 4)
    maker.same("Add", constant(maker, "Mul", maker.same("Relu", value), positive=True), value)


def affine_used_twice(maker: PowersOfTwo) -> None:
    value = constant(maker, "Mul", "x")
    maker.same("Add", maker.conv(value, 4), value)


def nothing_at_all(maker: PowersOfTwo) -> None:
    value = maker.crop(maker.pad("x", (0, 0, 0, 0), "edge"), (0, 0, 0, 0))
    value = maker.node("SpaceToDepth", [maker.slice(value, 0, 4)], 4, blocksize=1)
    value = maker.node("DepthToSpace", [value], 4, blocksize=1)
    value = maker.node("Concat", [value], 4, axis=1)
    maker.same("Mul", value, maker.weight(np.float32(1)))


def unused(maker: PowersOfTwo) -> None:
    maker.same("Relu", maker.conv(maker.conv("x", 3), 5))
    maker.conv("x", 2)


HALF = np.float32(0.5)
STRIDED = {"strides": [2, 1], "pads": [0] * 4}
CASES: dict[str, tuple[Make, list[str]]] = {
    "after": (lambda m: affine(m, m.conv("x", 8)), ["Conv"]),
    "after, no bias": (lambda m: affine(m, m.conv("x", 8, bias=False)), ["Conv"]),
    "after depthwise": (lambda m: affine(m, m.conv("x", 4, group=4)), ["DepthwiseConv"]),
    "batch normalisation": (lambda m: m.batch_normalization(m.conv("x", 8)), ["Conv"]),
    "through a slope": (relu_between, ["Conv", "Slope"]),
    "not by negative numbers": (negative_after_relu, ["Conv", "Slope", "Affine"]),
    "no offset through a slope": (offset_after_relu, ["Conv", "Slope", "Affine"]),
    "not where used twice": (used_twice, ["Conv", "Affine", "Add"]),
    "nor under a slope": (activation_used_twice, ["Conv", "Slope", "Affine", "Add"]),
    "before": (lambda m: m.conv(affine(m, "x"), 8, (4, 3), **STRIDED), ["Conv"]),
    "before depthwise": (
        lambda m: m.conv(affine(m, "x"), 4, group=4, **STRIDED),
        ["DepthwiseConv"],
    ),
    "scales before zeros": (lambda m: m.conv(constant(m, "Mul", "x"), 8), ["Conv"]),
    "no offsets before zeros": (lambda m: m.conv(affine(m, "x"), 8), ["Affine", "Conv"]),
    "not before where used twice": (affine_used_twice, ["Affine", "Conv", "Add"]),
    "between": (lambda m: m.conv(affine(m, m.conv("x", 5)), 6), ["Conv", "Conv"]),
    "chain": (lambda m: m.same("Relu", affine(m, affine(m, "x"))), ["Affine", "Slope"]),
    "chain that ends where it began": (
        lambda m: m.same("Div", m.same("Mul", "x", m.weight(HALF)), m.weight(HALF)),
        [],
    ),
    "nothing": (nothing_at_all, []),
    "unused": (unused, ["Conv"]),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_left(name: str) -> None:
    make, left = CASES[name]
    maker = PowersOfTwo(4, seed=len(name))
    make(maker)
    graph = read_graph(as_model(maker.model()))
    folded = fold(graph)
    assert kinds(folded) == left
    assert_same(folded, graph, maker.numbers(4, 7, 8))


def test_biases_appear_only_where_there_is_one() -> None:
    for operator, has_bias in (("Mul", False), ("Add", True)):
        maker = PowersOfTwo(4)
        constant(maker, operator, maker.conv("x", 8, bias=False))
        (conv,) = fold(read_graph(as_model(maker.model()))).layers
        assert isinstance(conv, Conv)
        assert (conv.bias is not None) is has_bias


def test_the_graph_given_stays_as_it_is() -> None:
    maker = PowersOfTwo(4)
    affine(maker, maker.conv("x", 8))
    graph = read_graph(as_model(maker.model()))
    x = maker.numbers(4, 7, 8)
    before = reference.run(graph, x)
    fold(graph)
    np.testing.assert_array_equal(reference.run(graph, x), before)


@pytest.mark.parametrize("conv_first", [True, False])
def test_numbers_that_would_not_be_finite_stay_apart(conv_first: bool) -> None:
    maker = PowersOfTwo(4)
    large = maker.weight(np.float32(3e38))
    ones = maker.weight(np.full((2, 4, 1, 1), 4, np.float32))
    if conv_first:
        maker.node("Mul", [maker.node("Conv", ["x", ones], 2), large], 2)
    else:
        maker.node("Conv", [maker.same("Mul", "x", large), ones], 2)
    assert len(fold(read_graph(as_model(maker.model()))).layers) == 2


def test_chain_that_would_not_be_finite_stays_apart() -> None:
    maker = PowersOfTwo(4)
    large = maker.weight(np.float32(3e38))
    maker.same("Mul", maker.same("Mul", "x", large), large)
    assert len(fold(read_graph(as_model(maker.model()))).layers) == 2


def test_channels_that_do_not_fit_are_left_to_the_engine() -> None:
    three = np.ones(3, np.float32)
    weights = np.ones((2, 4, 1, 1), np.float32)
    conv = Conv("c", (1,), weights, None, (0, 0, 0, 0))
    affines = [Affine("a", (0,), three, three), Affine("b", (1,), three, three)]
    graphs = [
        Graph(4, (affines[0], conv), 2),
        Graph(4, (*affines,), 2),
        Graph(4, (Conv("c", (0,), weights, None, (0, 0, 0, 0)), affines[1]), 2),
        Graph(4, (Conv("c", (0,), weights, three, (0, 0, 0, 0)), affines[1]), 2),
    ]
    for graph in graphs:
        assert len(fold(graph).layers) == 2


def test_third_party_filter_loses_its_scales() -> None:
    graph = read_graph(as_model(third_party_filter()))
    folded = fold(graph)
    assert kinds(graph).count("Affine") == 10
    assert len(folded.layers) == len(graph.layers) - 10
    assert folded.input_size == (72, 72)


def test_bundled_network_is_as_small_as_it_can_be() -> None:
    graph = read_graph(nnr.load(nnr.networks.POSTFILTER))
    assert kinds(fold(graph)) == kinds(graph)


def numbers_of(graph: Graph) -> list[object]:
    """All that two equal graphs share, in a form that can be compared."""
    return [
        (kind, layer.inputs, [np.asarray(value).tolist() for value in vars(layer).values()][2:])
        for kind, layer in zip(kinds(graph), graph.layers, strict=True)
    ]


@settings(max_examples=200, deadline=None)
@given(random_graphs(PowersOfTwo))
def test_random_graph_means_the_same(graph: RandomGraph) -> None:
    image = graph.values[0]
    whole = read_graph(as_model(graph.maker.model()))
    folded = fold(whole)
    assert len(folded.layers) <= len(whole.layers)
    assert_same(folded, whole, graph.maker.numbers(image.channels, image.height, image.width))
    assert numbers_of(fold(folded)) == numbers_of(folded)


@settings(max_examples=200, deadline=None)
@given(random_graphs(PowersOfTwo))
def test_random_graph_has_nothing_left_to_fold(graph: RandomGraph) -> None:
    folded = fold(read_graph(as_model(graph.maker.model())))
    uses = [value for layer in folded.layers for value in layer.inputs] + [folded.output]
    for layer in folded.layers:
        before = folded.layers[layer.inputs[0] - 1] if layer.inputs[0] else None
        if uses.count(layer.inputs[0]) == 1 and isinstance(layer, Affine):
            assert not isinstance(before, Conv | Affine)
    assert set(range(1, len(folded.layers) + 1)) <= set(uses)
