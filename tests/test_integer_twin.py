"""The twin against numbers worked out by hand from docs/integer.md, and simple loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from integer_models import epilogue, every_layer, graph_of, i16, i32, pads, u8

from nnr.networks.integer import IntegerGraph, validate
from nnr.networks.integer.layers import (
    WINOGRAD_G,
    IntegerAdd,
    IntegerConv,
    IntegerDepthwiseConv,
    IntegerMul,
    IntegerPad,
    IntegerRescale,
    IntegerWinograd,
)
from nnr.networks.layers import Concat, Crop, DepthToSpace, Slice, SpaceToDepth
from nnr.reference import integer_network as twin


def run(graph: IntegerGraph, *rows: list[int]) -> Any:
    """Over an image of one row a channel."""
    validate(graph)
    q = np.array(rows)[:, None, :].astype(graph.values[0].dtype)
    return twin.run(graph, q)[:, 0].tolist()


def test_convolution_rounds_halves_up() -> None:
    weights = np.array([[[[3]]], [[[-3]]]], np.int16)
    layer = IntegerConv("c", (0,), weights, pads(0), (1, 1), epilogue(2, bias=1))
    # Sums 1, 4, 7 and 1, -2, -5, over 4: 0.25, 1, 1.75 and 0.25, -0.5, -1.25.
    assert run(graph_of(layer, u8(1), i16(2)), [0, 1, 2]) == [[0, 1, 2], [0, 0, -1]]


def test_negative_sums_have_a_multiplier_of_their_own() -> None:
    weights = np.array([[[[4]]]], np.int16)
    end = epilogue(1, n=-(1 << 28), lo=-3, hi=100)
    layer = IntegerConv("c", (0,), weights, pads(0), (1, 1), end)
    # Sums of -64, 0, 64: -64 * -1/16, 0, 64 / 4; then one beyond each bound.
    graph = graph_of(layer, i16(1), i16(1))
    assert run(graph, [-16, 0, 16, 1000]) == [[4, 0, 16, 100]]
    end = epilogue(1, lo=-3, hi=100)
    layer = IntegerConv("c", (0,), weights, pads(0), (1, 1), end)
    assert run(graph_of(layer, i16(1), i16(1)), [-16]) == [[-3]]


def test_edges_hold_the_zero_point() -> None:
    weights = np.array([[[[1, 2, 4]]]], np.int16)
    layer = IntegerConv("c", (0,), weights, (0, 1, 0, 1), (1, 1), epilogue(1))
    # Over [10] 20 30 [10]: (10 + 40 + 120) / 4 = 42.5 and (20 + 60 + 40) / 4 = 30.
    assert run(graph_of(layer, u8(1, 10), i16(1)), [20, 30]) == [[43, 30]]
    # The zero point of the result comes on top.
    layer = IntegerConv("c", (0,), weights, (0, 1, 0, 1), (1, 1), epilogue(1, lo=0, hi=255))
    assert run(graph_of(layer, u8(1, 10), u8(1, 7)), [20, 30]) == [[50, 37]]


def test_strides_skip_positions() -> None:
    weights = np.full((1, 1, 1, 1), 4, np.int16)
    layer = IntegerConv("c", (0,), weights, pads(0), (2, 3), epilogue(1))
    q = np.arange(5 * 7, dtype=np.uint8).reshape(1, 5, 7)
    result = twin.run(graph_of(layer, u8(1), i16(1)), q)
    np.testing.assert_array_equal(result[0], q[0, ::2, ::3])


def test_an_addend_comes_before_the_last_rounding() -> None:
    weights = np.array([[[[1]]]], np.int16)
    # r = a * 64 (a quarter in 1/256), s = (b - 10) * 128 (a half in 1/256).
    end = epilogue(1, m=1 << 30, k=128 * 256, lo=0, hi=255)
    end = type(end)(end.bias, i32(1 << 30), i32(1 << 29), end.addend_multipliers, 0, 255)
    layer = IntegerConv("c", (0, 0), weights, pads(0), (1, 1), end)
    # a = 100: r = 25, s = (90 * 32768 + 128) >> 8 = 11520; (25 + 11520 + 128) >> 8 = 45; + 5.
    assert run(graph_of(layer, u8(1, 10), u8(1, 5)), [100]) == [[50]]


def test_depthwise_channels_see_themselves() -> None:
    weights = np.array([[[4]], [[8]]], np.int16)
    layer = IntegerDepthwiseConv("d", (0,), weights, pads(0), (1, 1), epilogue(2, bias=4))
    assert run(graph_of(layer, u8(2), i16(2)), [1, 2], [3, 4]) == [[2, 3], [7, 9]]


def test_rescale() -> None:
    layer = IntegerRescale("r", (0,), i32(1 << 15), i32(-(1 << 14)), i32(1 << 16), 0, 9)
    # x = q - 4: -4 * -1/4 + 1, -1 * -1/4 + 1, 1, 3 / 2 + 1, 36 / 2 + 1 clamped.
    assert run(graph_of(layer, u8(1, 4), i16(1)), [0, 3, 4, 7, 40]) == [[2, 1, 1, 3, 9]]


def test_add_and_mul() -> None:
    add = IntegerAdd("a", (0, 0), i32(1 << 16), i32(-(1 << 15)), -9, 9)
    assert run(graph_of(add, i16(1), i16(1)), [-30, -3, 3, 4]) == [[-9, -1, 2, 2]]
    mul = IntegerMul("m", (0, 0), i32(1 << 30), 0, 99)
    # x * x / 4 + 2 for x = q - 1.
    assert run(graph_of(mul, u8(1, 1), u8(1, 2)), [0, 1, 2, 3, 90]) == [[2, 2, 2, 3, 99]]


def test_moving_layers_change_no_integer() -> None:
    q = np.arange(4 * 2 * 2, dtype=np.int16).reshape(4, 2, 2)
    for layer, channels, wanted in (
        (Slice("s", (0,), 1, 3), 2, q[1:3]),
        (Concat("c", (0, 0)), 8, np.concatenate([q, q])),
        (Crop("c", (0,), (1, 0, 0, 1)), 4, q[:, 1:, :1]),
        (IntegerPad("p", (0,), (1, 0, 0, 1), "edge", np.zeros(4, np.int16)), 4,
         np.pad(q, ((0, 0), (1, 0), (0, 1)), mode="edge")),
        (IntegerPad("p", (0,), (0, 0, 0, 1), "constant", np.arange(4, dtype=np.int16)), 4,
         np.stack([np.pad(q[c], ((0, 0), (0, 1)), constant_values=c) for c in range(4)])),
    ):  # fmt: skip
        graph = graph_of(layer, i16(4), i16(channels))
        validate(graph)
        np.testing.assert_array_equal(twin.run(graph, q), wanted)
    spread = graph_of(DepthToSpace("d", (0,), 2, "CRD"), i16(4), i16(1))
    assert twin.run(spread, q)[0].tolist() == [
        [0, 4, 1, 5], [8, 12, 9, 13], [2, 6, 3, 7], [10, 14, 11, 15]
    ]  # fmt: skip
    gather = graph_of(SpaceToDepth("d", (0,), 2), i16(1), i16(4))
    np.testing.assert_array_equal(twin.run(gather, twin.run(spread, q)), q)


@pytest.mark.parametrize("phase", [(0, 0), (1, 3), (2, 2)])
@pytest.mark.parametrize("around", [(1, 1, 1, 1), (0, 2, 1, 0), (2, 2, 2, 2)])
def test_blocks_give_the_convolution_where_their_weights_are_exact(
    phase: tuple[int, int], around: tuple[int, int, int, int]
) -> None:
    rng = np.random.default_rng(1)
    taps = rng.integers(-2, 3, (3, 2, 3, 3))
    # 576 G g G' are integers.
    exact = np.einsum("iy,ocyx,jx->ijoc", WINOGRAD_G, taps * 576.0, WINOGRAD_G)
    multiplier, bias = (1 << 31) // 576, 576 * 5
    shifts = rng.integers(1, 4, (6, 6)).astype(np.uint8)
    weights = np.rint(exact * 2.0 ** shifts[:, :, None, None]).astype(np.int16)
    end = epilogue(3, bias=bias, m=multiplier)
    graph = graph_of(
        IntegerWinograd("w", (0,), weights, shifts, around, phase, end), u8(2, 9), i16(3)
    )
    validate(graph)
    q = rng.integers(0, 256, (2, 9, 10)).astype(np.uint8)
    top, left, bottom, right = around
    x = np.pad(q.astype(np.int64) - 9, ((0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
    sums = 576 * np.einsum("ocyx,cabyx->oab", taps, windows) + bias
    np.testing.assert_array_equal(twin.run(graph, q), (sums * multiplier + (1 << 31)) >> 32)


def test_every_layer_runs() -> None:
    graph = every_layer()
    validate(graph)
    q = np.random.default_rng(0).integers(-1000, 1000, (1, 6, 8)).astype(np.int16)
    result = twin.run(graph, q)
    assert result.shape == (8, 8, 8)
    assert result.dtype == np.int16
    assert len(np.unique(result)) > 50
