"""Small integer networks that several test files share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from network_models import GraphMaker, as_model

from nnr.networks.fold import fold
from nnr.networks.graph import read_graph
from nnr.networks.integer import (
    IntegerGraph,
    IntegerValue,
    Observer,
    compile_graph,
    observe_ranges,
)
from nnr.networks.integer.layers import (
    Epilogue,
    IntegerAdd,
    IntegerConv,
    IntegerDepthwiseConv,
    IntegerMul,
    IntegerPad,
    IntegerRescale,
    IntegerWinograd,
)
from nnr.networks.integer.ranges import Ranges
from nnr.networks.layers import (
    Concat,
    Crop,
    DepthToSpace,
    Graph,
    Layer,
    Slice,
    SpaceToDepth,
)


def u8(channels: int, zero: int = 0, scale: float = 1.0) -> IntegerValue:
    zeros = np.full(channels, zero, np.uint8)
    return IntegerValue(channels, np.dtype(np.uint8), np.full(channels, scale), zeros)


def i16(channels: int, scale: float = 1.0) -> IntegerValue:
    zeros = np.zeros(channels, np.int16)
    return IntegerValue(channels, np.dtype(np.int16), np.full(channels, scale), zeros)


def i32(*numbers: int) -> Any:
    return np.array(numbers, np.int32)


def epilogue(
    channels: int,
    *,
    bias: int = 0,
    m: int = 1 << 30,
    n: int | None = None,
    k: int | None = None,
    lo: int = -32768,
    hi: int = 32767,
) -> Epilogue:
    """By default a division by 4."""
    arrays = [i32(*[x] * channels) for x in (bias, m, m if n is None else n)]
    return Epilogue(*arrays, None if k is None else i32(*[k] * channels), lo, hi)


def graph_of(layer: Layer, *values: IntegerValue) -> IntegerGraph:
    """One layer that reads value 0; the last of *values* is its output."""
    return IntegerGraph(values, (layer,), 1)


def pads(all_around: int) -> tuple[int, int, int, int]:
    return all_around, all_around, all_around, all_around


def every_layer() -> IntegerGraph:
    """A network that has all layers; it takes pictures of even sides from 2 on."""
    rng = np.random.default_rng(3)

    def weights(*shape: int, largest: int = 9) -> Any:
        return rng.integers(-largest, largest, shape).astype(np.int16)

    clamp = 0, 255
    deep = epilogue(16, m=1 << 28, n=1 << 26, lo=0, hi=255)
    wino = epilogue(16, m=1 << 27, k=40000, lo=0, hi=255)
    layers: list[tuple[Layer, IntegerValue]] = [
        (SpaceToDepth("s2d", (0,), 2), i16(4)),
        (IntegerConv("conv", (1,), weights(16, 4, 3, 3), pads(1), (1, 1), deep), u8(16, 7)),
        (
            IntegerWinograd(
                "winograd",
                (2, 2),
                weights(6, 6, 16, 16, largest=90),
                rng.integers(1, 9, (6, 6)).astype(np.uint8),
                pads(1),
                (1, 2),
                wino,
            ),
            u8(16, 7),
        ),
        (IntegerDepthwiseConv("depthwise", (3,), weights(16, 3, 5), (1, 2, 1, 2), (1, 1), deep),
         u8(16, 7)),
        (IntegerAdd("add", (3, 4), i32(*[40000] * 16), i32(*[30000] * 16), *clamp), u8(16, 7)),
        (IntegerMul("mul", (3, 5), i32(*[1 << 26] * 16), -32768, 32767), i16(16)),
        (IntegerRescale("rescale", (6,), i32(*[1 << 16] * 16), i32(*[9] * 16), i32(*range(16)),
                        -99, 999), i16(16)),
        (Slice("slice", (7,), 4, 12), i16(8)),
        (Concat("concat", (8, 7, 8)), i16(32)),
        (DepthToSpace("d2s", (9,), 2, "CRD"), i16(8)),
        (IntegerPad("pad", (10,), (1, 0, 2, 1), "constant", np.arange(8, dtype=np.int16)), i16(8)),
        (Crop("crop", (11,), (1, 1, 0, 0)), i16(8)),
    ]  # fmt: skip
    return IntegerGraph((i16(1), *[value for _, value in layers]), tuple(x for x, _ in layers), 12)


def assert_same_graphs(first: IntegerGraph, second: IntegerGraph) -> None:
    assert first.output == second.output
    assert len(first.values) == len(second.values)
    assert len(first.layers) == len(second.layers)
    for one, other in zip(
        (*first.values, *first.layers), (*second.values, *second.layers), strict=True
    ):
        _assert_same(one, other)


def _assert_same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif hasattr(one, "__dict__"):
        for name in vars(one):
            _assert_same(vars(one)[name], vars(other)[name])
    else:
        assert one == other


def read(maker: GraphMaker) -> Graph:
    """A graph as the package compiles it."""
    return fold(read_graph(as_model(maker.model())))


def observed(graph: Graph, pictures: Iterable[Any]) -> Ranges:
    return observe_ranges(Observer(graph), pictures)


def compiled(maker: GraphMaker, size: int = 16, **options: Any) -> IntegerGraph:
    """The network compiled for noise."""
    graph = read(maker)
    x = maker.numbers(graph.in_channels, size, size)
    return compile_graph(graph, observed(graph, [x]), **options)
