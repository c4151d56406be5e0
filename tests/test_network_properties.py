"""Random small networks against onnxruntime and the NumPy twin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from network_models import GraphMaker, as_model, assert_close, expected, session_of

import nnr
from nnr.networks import Network
from nnr.networks.graph import read_graph
from nnr.reference import network as reference


@dataclass(frozen=True)
class Value:
    name: str
    channels: int
    height: int
    width: int


class RandomGraph:
    """Draws one node after the other, each of a value that is there already."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        channels, height, width = (draw(st.integers(1, high)) for high in (5, 12, 12))
        self.maker = GraphMaker(channels, seed=draw(st.integers(0, 2**16)))
        self.values = [Value("x", channels, height, width)]

    def add(self) -> None:
        value = self._draw(st.sampled_from(self.values))
        steps = [self._conv, self._activate, self._constant, self._combine, self._pad, self._slice]
        if value.channels % 4 == 0:
            steps.append(self._spread)
        if value.height % 2 == 0 and value.width % 2 == 0:
            steps.append(self._gather)
        self.values.append(self._draw(st.sampled_from(steps))(value))

    def _conv(self, value: Value) -> Value:
        channels, bias = self._draw(st.integers(1, 20)), self._draw(st.booleans())
        kernel = self._draw(st.tuples(*[st.sampled_from([1, 3, 5])] * 2))
        name = self.maker.conv(value.name, channels, kernel, bias=bias)
        return Value(name, channels, value.height, value.width)

    def _same(self, value: Value, name: str) -> Value:
        return Value(name, value.channels, value.height, value.width)

    def _per_channel(self, value: Value) -> str:
        count = self._draw(st.sampled_from([1, value.channels]))
        return self.maker.weight(self.maker.numbers(count, 1, 1))

    def _activate(self, value: Value) -> Value:
        maker, source = self.maker, value.name
        operator = self._draw(st.sampled_from(["Relu", "LeakyRelu", "PRelu", "Clip", "Identity"]))
        if operator == "PRelu":
            return self._same(value, maker.same(operator, source, self._per_channel(value)))
        if operator == "Clip":
            bounds = [maker.weight(np.float32(bound)) for bound in (-0.5, 1.0)]
            return self._same(value, maker.same(operator, source, *bounds))
        return self._same(value, maker.same(operator, source))

    def _constant(self, value: Value) -> Value:
        operator = self._draw(st.sampled_from(["Add", "Mul"]))
        return self._same(value, self.maker.same(operator, value.name, self._per_channel(value)))

    def _combine(self, value: Value) -> Value:
        operator = self._draw(st.sampled_from(["Add", "Mul", "Concat"]))
        size = value.height, value.width
        fitting = [other for other in self.values if (other.height, other.width) == size]
        if operator == "Concat":
            others = self._draw(st.lists(st.sampled_from(fitting), max_size=2))
            names = [value.name, *(other.name for other in others)]
            channels = value.channels + sum(other.channels for other in others)
            return Value(self.maker.node("Concat", names, channels, axis=1), channels, *size)
        other = self._draw(st.sampled_from([v for v in fitting if v.channels == value.channels]))
        return self._same(value, self.maker.same(operator, value.name, other.name))

    def _pad(self, value: Value) -> Value:
        mode = self._draw(st.sampled_from(["constant", "edge", "reflect"]))
        limit = (value.height - 1, value.width - 1) if mode == "reflect" else (3, 3)
        pads = [self._draw(st.integers(0, min(3, limit[i % 2]))) for i in range(4)]
        name = self.maker.pad(value.name, (pads[0], pads[1], pads[2], pads[3]), mode)
        height, width = value.height + pads[0] + pads[2], value.width + pads[1] + pads[3]
        return Value(name, value.channels, height, width)

    def _slice(self, value: Value) -> Value:
        first = self._draw(st.integers(0, value.channels - 1))
        last = self._draw(st.integers(first + 1, value.channels))
        name = self.maker.slice(value.name, first, last)
        return Value(name, last - first, value.height, value.width)

    def _spread(self, value: Value) -> Value:
        channels, mode = value.channels // 4, self._draw(st.sampled_from(["DCR", "CRD"]))
        name = self.maker.node("DepthToSpace", [value.name], channels, blocksize=2, mode=mode)
        return Value(name, channels, value.height * 2, value.width * 2)

    def _gather(self, value: Value) -> Value:
        channels = value.channels * 4
        name = self.maker.node("SpaceToDepth", [value.name], channels, blocksize=2)
        return Value(name, channels, value.height // 2, value.width // 2)


@st.composite
def random_graphs(draw: st.DrawFn) -> RandomGraph:
    graph = RandomGraph(draw)
    for _ in range(draw(st.integers(1, 7))):
        graph.add()
    return graph


@settings(max_examples=200, deadline=None)
@given(random_graphs(), st.integers(1, 9), st.integers(1, 3))
def test_random_network(graph: RandomGraph, tile: int, threads: int) -> None:
    proto = graph.maker.model()
    model = as_model(proto)
    network = Network.load(model)
    image = graph.values[0]
    x = graph.maker.numbers(image.channels, image.height, image.width)
    wanted = expected(session_of(proto), x)
    for target in nnr.cpu.targets():
        with nnr.cpu.use_target(target):
            whole = network.run(x, threads=1)
            tiled = network.run(x, threads=threads, _tile=tile)
        assert_close(whole, wanted)
        np.testing.assert_array_equal(tiled, whole)
        if target == "scalar":
            np.testing.assert_array_equal(whole, reference.run(read_graph(model), x))
