"""Random small networks against onnxruntime and the NumPy twin."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from network_models import as_model, assert_close, expected, session_of
from random_networks import RandomGraph, random_graphs

import nnr
from nnr.networks import Network
from nnr.networks.fold import fold
from nnr.networks.graph import read_graph
from nnr.networks.plan import blocks_of
from nnr.reference import network as reference


def image_for(graph: RandomGraph) -> np.ndarray:
    image = graph.values[0]
    return graph.maker.numbers(image.channels, image.height, image.width)


@settings(max_examples=200, deadline=None)
@given(random_graphs())
def test_twin_of_a_random_network(graph: RandomGraph) -> None:
    proto = graph.maker.model()
    x = image_for(graph)
    layers = read_graph(as_model(proto))
    wanted = expected(session_of(proto), x)
    assert_close(reference.run(layers, x), wanted)
    assert_close(reference.run(fold(layers), x), wanted)


# Mostly smaller than the values, so that there are several strips, steps and segments.
SIDES = st.integers(1, 24)


@settings(max_examples=300, deadline=None)
@given(random_graphs(), st.tuples(SIDES, SIDES, SIDES), st.integers(1, 3))
def test_random_network(graph: RandomGraph, cut: tuple[int, int, int], threads: int) -> None:
    proto = graph.maker.model()
    model = as_model(proto)
    network = Network.load(model)
    x = image_for(graph)
    wanted = expected(session_of(proto), x)
    folded = fold(read_graph(model))
    for target in nnr.cpu.targets():
        with nnr.cpu.use_target(target):
            whole = network.run(x, threads=1)
            cut_up = network.run(x, threads=threads, _cut=cut)
        assert_close(whole, wanted)
        np.testing.assert_array_equal(cut_up, whole)
        if target == "scalar":
            np.testing.assert_array_equal(whole, reference.run(folded, x, blocks_of(folded)))
