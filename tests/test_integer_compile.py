"""Float networks compiled to integers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_models import compiled, observed, read
from network_models import GraphMaker, as_model, every_operator, residual_filter
from numpy.typing import NDArray
from random_networks import RandomGraph, random_graphs

from nnr.networks.fold import fold
from nnr.networks.graph import read_graph
from nnr.networks.integer import (
    IntegerGraph,
    IntegerNetwork,
    OutputFormat,
    compile_graph,
)
from nnr.networks.integer.layers import (
    INT16,
    UINT8,
    Epilogue,
    IntegerConv,
    IntegerDepthwiseConv,
    IntegerValue,
    IntegerWinograd,
)
from nnr.networks.integer.weights import Folded, round_direct, round_winograd
from nnr.networks.layers import (
    Affine,
    Clip,
    Concat,
    Conv,
    Crop,
    DepthwiseConv,
    Graph,
    Layer,
    Mul,
    Pad,
    Slice,
    Slope,
)
from nnr.reference import integer_network as twin
from nnr.reference import network as reference


def kinds(graph: IntegerGraph) -> list[str]:
    return [type(layer).__name__ for layer in graph.layers]


def psnr(got: NDArray[Any], wanted: NDArray[Any]) -> float:
    """In dB, of the span of what was wanted."""
    span = float(wanted.max() - wanted.min())
    return float(10 * np.log10(span**2 / np.mean((got - wanted) ** 2)))


def tolerance(
    graph: Graph, compiled_graph: IntegerGraph, x: NDArray[np.float32], steps: float
) -> float:
    """How far the output can move when every value is moved by some steps of the coarsest scale."""
    coarsest = steps * max(float(value.scales.max()) for value in compiled_graph.values)
    values, moves = [x.astype(np.float64)], [np.full(x.shape, coarsest)]
    for layer in graph.layers:
        inputs = [values[i] for i in layer.inputs]
        moved = [moves[i] for i in layer.inputs]
        values.append(reference.run_layer(layer, inputs))
        moves.append(_most_moved(layer, inputs, moved) + coarsest)
    return float(moves[graph.output].max())


def _most_moved(layer: Layer, inputs: list[Any], moves: list[Any]) -> Any:
    """How far a layer's result can move when its inputs do."""
    match layer:
        case Conv() | DepthwiseConv():
            return reference.run_layer(
                replace(layer, weights=np.abs(layer.weights), bias=None), moves
            )
        case Slope():
            return moves[0] * np.maximum(1, np.abs(layer.slopes))[:, None, None]
        case Affine():
            return moves[0] * np.abs(layer.scales)[:, None, None]
        case Clip():
            return moves[0]
        case Mul():
            (a, b), (da, db) = inputs, moves
            return np.abs(a) * db + np.abs(b) * da + da * db
        case Pad(mode="constant"):
            return reference.run_layer(replace(layer, value=0.0), moves)
        case _:
            return reference.run_layer(layer, moves)


# Rounding moves a value by up to half a step; weights and multipliers are rounded as well. A range
# of 8 bits may be clipped by several steps, so that all others are rounded less.
@settings(max_examples=100, deadline=None)
@given(random_graphs(), st.sampled_from([(16, 4.0), (8, 16.0)]))
def test_random_networks_are_close(drawn: RandomGraph, mode: tuple[int, float]) -> None:
    activation_bits, steps = mode
    graph = read(drawn.maker)
    image = drawn.values[0]
    x = drawn.maker.numbers(image.channels, image.height, image.width)
    ranges = observed(graph, [x])
    result = compile_graph(graph, ranges, activation_bits=activation_bits)
    wanted = reference.run(graph, x)
    got = IntegerNetwork(result).run(x)
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() <= tolerance(graph, result, x, steps)


@pytest.mark.parametrize(("bits", "least"), [(8, 30), (16, 60)])
@pytest.mark.parametrize("proto", [residual_filter(20), every_operator()])
def test_networks_keep_their_signal(proto: Any, bits: int, least: float) -> None:
    graph = fold(read_graph(as_model(proto)))
    rng = np.random.default_rng(5)
    pictures = [rng.standard_normal((graph.in_channels, 24, 28)).astype(np.float32) for _ in "abc"]
    network = IntegerNetwork(compile_graph(graph, observed(graph, pictures), activation_bits=bits))
    for picture in pictures:
        assert psnr(network.run(picture), reference.run(graph, picture)) > least


def test_what_follows_a_convolution_becomes_part_of_it() -> None:
    maker = GraphMaker(16)
    head = maker.same("Relu", maker.conv("x", 16))
    inner = maker.same("LeakyRelu", maker.conv(head, 16), alpha=0.25)
    total = maker.same("Add", head, maker.conv(inner, 16))
    maker.same("Clip", maker.conv(total, 16), *(maker.weight(np.float32(x)) for x in (-0.5, 0.5)))
    graph = compiled(maker)
    assert kinds(graph) == ["IntegerConv", "IntegerRescale", *["IntegerWinograd"] * 3]
    first, copy, second, third, last = graph.layers
    assert isinstance(first, IntegerConv)
    assert not first.epilogue.negative_multipliers.any()
    assert isinstance(second, IntegerWinograd)
    ratios = second.epilogue.negative_multipliers / second.epilogue.multipliers
    np.testing.assert_allclose(ratios, 0.25, rtol=1e-4)
    assert isinstance(third, IntegerWinograd)
    # The addition reads the features in 16 bits, the convolutions a copy in 8.
    assert (copy.inputs, second.inputs, third.inputs) == ((1,), (2,), (3, 1))
    assert [value.dtype for value in graph.values[1:4]] == [INT16, UINT8, UINT8]
    assert isinstance(last, IntegerWinograd)
    (scale,) = set(graph.values[5].scales)
    assert (last.epilogue.lo, last.epilogue.hi) == (round(-0.5 / scale), round(0.5 / scale))


def test_a_value_that_others_read_is_not_swallowed() -> None:
    maker = GraphMaker(4)
    conv = maker.conv("x", 4)
    maker.same("Add", maker.same("Relu", conv), conv)
    assert kinds(compiled(maker)) == ["IntegerConv", "IntegerRescale", "IntegerAdd"]


def test_blocks_are_for_wide_3x3_convolutions_of_8_bits() -> None:
    maker = GraphMaker(16)
    x = maker.conv("x", 16)
    for channels, kernel in ((16, 3), (15, 3), (16, 3), (16, (3, 5)), (16, 3), (16, 3)):
        x = maker.conv(x, channels, kernel)
    graph = compiled(maker)
    # The first reads 16 bits, the third and the fourth have 15 channels on a side.
    wanted = ["IntegerConv", "IntegerWinograd", "IntegerConv", "IntegerConv", "IntegerConv"]
    assert kinds(graph) == [*wanted, "IntegerWinograd", "IntegerWinograd"]
    assert set(kinds(compiled(maker, activation_bits=16))) == {"IntegerConv"}


def test_types_of_values() -> None:
    graph = fold(read_graph(as_model(residual_filter(64))))
    x = np.random.default_rng(0).random((2, 24, 24), np.float32)
    result = compile_graph(graph, observed(graph, [x]))
    found = [
        (layer.name.split("'")[1].rstrip("0123456789"), value.dtype.name)
        for layer, value in zip(result.layers, result.values[1:], strict=True)
    ]
    # The features start a residual of 16 bits, and have a copy of 8; what follows the last large
    # convolution has 16 again.
    assert found == [
        ("spacetodepth", "int16"),
        ("conv", "int16"),
        *[("conv", "uint8")] * 3,
        *[("conv", "int16")] * 2,
        ("depthtospace", "int16"),
        ("mul", "int16"),
        ("slice", "int16"),
        ("add", "int16"),
    ]
    sixteen = compile_graph(graph, observed(graph, [x]), activation_bits=16)
    assert {value.dtype for value in sixteen.values} == {INT16}


def test_forms_of_input_and_output_are_kept() -> None:
    maker = GraphMaker(2)
    maker.same("Add", maker.slice("x", 0, 1), maker.conv("x", 1))
    graph = read(maker)
    x = maker.rng.random((2, 16, 16), np.float32)
    ranges = observed(graph, [x])
    form = OutputFormat(1 / 255, 0, 255)
    result = compile_graph(graph, ranges, input_scales=[1 / 255, 1 / 63], output=form)
    assert result.values[0].scales.tolist() == [1 / 255, 1 / 63]
    assert result.values[result.output].scales.tolist() == [1 / 255]
    q = np.rint(x * np.array([255, 63])[:, None, None]).astype(np.int16)
    got = twin.run(result, q)
    wanted = reference.run(graph, (q / np.array([255, 63])[:, None, None]))
    assert got.min() >= 0
    assert got.max() <= 255
    np.testing.assert_allclose(got, np.clip(wanted * 255, 0, 255), atol=0.75)


def test_scales_that_cannot_be_kept_are_changed_on_the_way() -> None:
    maker = GraphMaker(4)
    # Four channels of different scales become one, which is the output as well.
    maker.node("DepthToSpace", ["x"], 1, blocksize=2, mode="CRD")
    graph = read(maker)
    x = maker.numbers(4, 6, 6)
    result = compile_graph(
        graph, observed(graph, [x]), input_scales=[1e-3, 2e-3, 3e-3, 4e-3],
        output=OutputFormat(1e-3, -5000, 5000),
    )  # fmt: skip
    assert kinds(result) == ["IntegerRescale", "DepthToSpace", "IntegerRescale"]
    got = IntegerNetwork(result).run(x)
    np.testing.assert_allclose(got, reference.run(graph, x), atol=4e-3)


def test_an_output_that_is_the_input() -> None:
    maker = GraphMaker(3)
    maker.same("Identity", "x")
    x = maker.numbers(3, 4, 4)
    result = compiled(maker, output=OutputFormat(1e-3, -9000, 9000))
    np.testing.assert_allclose(IntegerNetwork(result).run(x), x, atol=2e-3)


def _layers_of_other_kinds() -> Graph:
    rng = np.random.default_rng(2)

    def numbers(*shape: int) -> Any:
        return (rng.standard_normal(shape) / 3).astype(np.float32)

    return Graph(
        3,
        (
            Conv("a", (0,), numbers(8, 3, 3, 3), numbers(8), (1, 1, 1, 1), (2, 2)),
            DepthwiseConv("b", (1,), numbers(8, 3, 3), numbers(8), (1, 1, 1, 1), (1, 1)),
            DepthwiseConv("c", (2,), numbers(8, 1, 3), None, (0, 1, 0, 1), (1, 2)),
            Crop("d", (3,), (1, 0, 1, 2)),
            Slice("e", (4,), 0, 5),
            Concat("f", (5, 4)),
            Conv("g", (6,), numbers(20, 13, 1, 1), None, (0, 0, 0, 0), (1, 1)),
        ),
        7,
    )


@pytest.mark.parametrize(("bits", "least"), [(8, 30), (16, 60)])
def test_strides_channels_and_crops(bits: int, least: float) -> None:
    graph = _layers_of_other_kinds()
    x = np.random.default_rng(3).standard_normal((3, 40, 44)).astype(np.float32)
    wanted = reference.run(graph, x)
    assert wanted.shape == (20, 18, 9)
    result = compile_graph(graph, observed(graph, [x]), activation_bits=bits)
    assert kinds(result).count("IntegerDepthwiseConv") == 2
    assert any(isinstance(layer, IntegerDepthwiseConv) for layer in result.layers)
    assert psnr(IntegerNetwork(result).run(x), wanted) > least


def _folded(ins: int, outs: int, seed: int) -> Folded:
    rng = np.random.default_rng(seed)
    zeros = rng.integers(0, 256, ins).astype(np.uint8)
    source = IntegerValue(ins, UINT8, np.ones(ins), zeros)
    weights = rng.standard_normal((outs, ins, 3, 3)) * rng.random((outs, 1, 1, 1))
    return Folded(
        weights, rng.standard_normal(outs) * 100, zeros[None].astype(float),
        np.full((1, ins), 20.0), source,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_blocks_are_more_precise_than_weights_of_8_bits(seed: int) -> None:
    folded = _folded(32, 16, seed)
    rng = np.random.default_rng(seed)
    q = rng.integers(0, 256, (32, 12, 12)).astype(np.uint8)
    shifted = np.pad(q - folded.zeros[0][:, None, None], ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(shifted, (3, 3), (1, 2))
    wanted = np.einsum("ocyx,cabyx->oab", folded.weights, windows) + folded.bias[:, None, None]
    errors = []
    for rounded in (round_winograd(folded, np.full(16, 1e-9)), round_direct(folded)):
        # A result in steps of 2^-3.
        value = IntegerValue(16, INT16, np.full(16, 0.5), np.zeros(16, np.int16))
        multipliers = np.rint(rounded.units * 2.0**33).astype(np.int32)
        end = Epilogue(rounded.bias, multipliers, multipliers, None, -32768, 32767)
        around = (1, 1, 1, 1)
        layer: Any = IntegerConv("c", (0,), rounded.weights, around, (1, 1), end)
        if rounded.shifts is not None:
            layer = IntegerWinograd("w", (0,), rounded.weights, rounded.shifts, around, (0, 0), end)
        graph = IntegerGraph((folded.source, value), (layer,), 1)
        errors.append(twin.run(graph, q) * 0.5 - wanted)
    # Less what rounding adds on average, 8 bits are off by up to half a unit a weight.
    block, direct = (float(np.sqrt(np.mean(error**2))) for error in errors)
    assert block < direct / 3


def test_rounding_adds_nothing_on_average() -> None:
    folded = _folded(16, 64, 9)
    # Flat pictures of the means that the weights were rounded for.
    x = np.rint(folded.zeros[0] + folded.means[0])
    flat = (folded.weights.sum(axis=(2, 3)) * (x - folded.zeros[0])).sum(axis=1) + folded.bias
    rounded = round_direct(folded)
    sums = (rounded.weights.sum(axis=(2, 3)) * x).sum(axis=1) + rounded.bias
    np.testing.assert_allclose(sums * rounded.units, flat, atol=1.01 * rounded.units.max())


def test_phases_are_those_of_the_values_given() -> None:
    maker = GraphMaker(16)
    maker.same("Relu", maker.conv(maker.conv("x", 16), 16))
    graph = compiled(maker, phases={3: (1, 2)})
    (blocks,) = (layer for layer in graph.layers if isinstance(layer, IntegerWinograd))
    assert blocks.phase == (1, 2)


def test_ranges_over_several_pictures() -> None:
    maker = GraphMaker(1)
    maker.same("Relu", "x")
    pictures = [np.array([[[-1.0, 2.0]]], np.float32), np.array([[[0.0], [3.0]]], np.float32)]
    value, relu = observed(read(maker), iter(pictures))
    assert (value.minimum[0], value.maximum[0], value.mean[0]) == (-1, 3, 1)
    assert (relu.minimum[0], relu.zeros[0]) == (0, 0.5)
    assert value.histogram.shape == (1, 256)
    assert value.histogram[0, [0, 64, 192, 255]].tolist() == [0.25] * 4


def test_arguments_are_checked() -> None:
    maker = GraphMaker(2)
    maker.conv("x", 2)
    graph = read(maker)
    x = maker.numbers(2, 8, 8)
    ranges = observed(graph, [x])
    with pytest.raises(ValueError, match="activation_bits must be 8 or 16, got 4"):
        compile_graph(graph, ranges, activation_bits=4)
    with pytest.raises(ValueError, match="input_scales must be 2 numbers, got 1"):
        compile_graph(graph, ranges, input_scales=[1.0])
    with pytest.raises(ValueError, match="ranges must be those of 2 values, got 1"):
        compile_graph(graph, ranges[:1])
    with pytest.raises(ValueError, match="at least one picture"):
        observed(graph, [])
    with pytest.raises(ValueError, match="value 0 of the network is not finite"):
        observed(graph, [np.full_like(x, np.inf)])


def test_channels_that_are_always_zero_cost_nothing() -> None:
    maker = GraphMaker(16)
    first = maker.conv("x", 16, 5)
    last = maker.conv(maker.same("Relu", first), 16, 5)
    maker.conv(last, 16, 5)
    graph = read(maker)
    conv = graph.layers[0]
    assert isinstance(conv, Conv)
    bias = np.where(np.arange(16) < 4, np.float32(-100), np.float32(0))
    graph = replace(graph, layers=(replace(conv, bias=bias), *graph.layers[1:]))
    x = maker.numbers(16, 16, 16)
    ranges = observed(graph, [x])
    assert not ranges[2].maximum[:4].any()
    result = compile_graph(graph, ranges)
    # No detour for the sake of a channel that has no scale.
    assert kinds(result) == ["IntegerConv"] * 3
    assert psnr(IntegerNetwork(result).run(x), reference.run(graph, x)) > 30


def test_networks_that_are_always_zero() -> None:
    zeros = np.zeros((2, 2, 3, 3), np.float32)
    graph = Graph(2, (Conv("c", (0,), zeros, None, (1, 1, 1, 1), (1, 1)),), 1)
    x = np.zeros((2, 8, 8), np.float32)
    result = compile_graph(graph, observed(graph, [x]))
    assert not IntegerNetwork(result).run(x + 5).any()
