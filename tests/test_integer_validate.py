"""Every bound of docs/integer.md: what just keeps it is accepted, one more is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from integer_models import epilogue, every_layer, graph_of, i16, i32, pads, u8

from nnr.networks.integer import IntegerGraph, IntegerValue, validate
from nnr.networks.integer.layers import (
    IntegerAdd,
    IntegerConv,
    IntegerDepthwiseConv,
    IntegerMul,
    IntegerPad,
    IntegerRescale,
    IntegerWinograd,
)
from nnr.networks.layers import (
    Concat,
    Crop,
    DepthToSpace,
    Layer,
    Pad,
    Slice,
    SpaceToDepth,
)


def refuse(graph: IntegerGraph, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        validate(graph)


def conv(weights: Any, end: Any = None, **changes: Any) -> IntegerConv:
    array = np.array(weights, np.int16).reshape(1, -1, 1, 1)
    layer = IntegerConv("c", (0,), array, pads(0), (1, 1), end or epilogue(1, lo=0, hi=255))
    return replace(layer, **changes)


def winograd(weight: int = 1, shift: int = 1, end: Any = None, **changes: Any) -> IntegerWinograd:
    weights = np.full((6, 6, 1, 1), weight, np.int16)
    shifts = np.full((6, 6), shift, np.uint8)
    layer = IntegerWinograd(
        "w", (0,), weights, shifts, pads(1), (0, 0), end or epilogue(1, lo=0, hi=255)
    )
    return replace(layer, **changes)


def test_every_layer_is_accepted() -> None:
    validate(every_layer())


@pytest.mark.parametrize(("value", "largest"), [(u8(4), 255), (i16(4), 32768)])
def test_sums_of_a_convolution_keep_32_bits(value: IntegerValue, largest: int) -> None:
    weights = [127, -128, 5, 0]
    left = (1 << 31) - 260 * largest
    for bias, fits in ((left - 1, True), (-left + 1, True), (left, False), (-left, False)):
        graph = graph_of(conv(weights, epilogue(1, bias=bias)), value, i16(1))
        if fits:
            validate(graph)
        else:
            refuse(graph, "sum may reach 2147483648, beyond 32 bits")


def test_sums_of_a_depthwise_convolution_keep_32_bits() -> None:
    weights = np.full((2, 1, 2), 32767, np.int16)
    layer = IntegerDepthwiseConv("d", (0,), weights, pads(0), (1, 1), epilogue(2))
    validate(graph_of(layer, i16(2), i16(2)))
    layer = replace(layer, weights=np.full((2, 1, 3), 32767, np.int16))
    refuse(graph_of(layer, i16(2), i16(2)), "beyond 32 bits")


def test_weights_have_8_bits_for_inputs_of_8_bits() -> None:
    validate(graph_of(conv([127, -128]), u8(2), i16(1)))
    for weight in (128, -129):
        refuse(graph_of(conv([weight]), u8(1), i16(1)), "weights .* must be -128 to 127")
        validate(graph_of(conv([weight]), i16(1), i16(1)))


@pytest.mark.parametrize(
    ("value", "most"),
    [(u8(1, 100), ((1 << 31) - 129) // 155), (i16(1), ((1 << 31) - 129) // 32768)],
)
def test_addends_keep_32_bits(value: IntegerValue, most: int) -> None:
    layer = conv([1], epilogue(1, k=most), inputs=(0, 0))
    validate(graph_of(layer, value, i16(1)))
    layer = conv([1], epilogue(1, k=-most - 1), inputs=(0, 0))
    refuse(graph_of(layer, value, i16(1)), "addend may reach")


@pytest.mark.parametrize("zero", [0, 200, 255])
def test_products_of_blocks_keep_32_bits(zero: int) -> None:
    # The corner's row is 4, 0, -5, 0, 1, whose products are 50 in sum above 0, and -50 below.
    largest = 50 * 255
    channels, shift = 8, 20
    weight, left = divmod((1 << 31) - 1 - (1 << (shift - 1)), largest)
    weights = np.zeros((6, 6, 1, channels), np.int16)
    weights[0, 0, 0] = weight // channels
    weights[0, 0, 0, 0] += weight % channels
    assert 0 <= left < largest
    layer = replace(winograd(shift=shift), weights=weights)
    # What is shifted out leaves room for the sums that follow.
    validate(graph_of(layer, u8(channels, zero), i16(1)))
    weights = weights.copy()
    weights[0, 0, 0, 1] = -weights[0, 0, 0, 1] - 1
    refuse(
        graph_of(replace(layer, weights=weights), u8(channels, zero), i16(1)),
        "sum of products may reach",
    )


def test_outputs_of_blocks_keep_32_bits() -> None:
    # The largest factors of A at row and column 4 are 8 and 8.
    row = np.array([0, 2, -1, -2, 1, 0])
    products = np.outer(row, row)
    largest = 255 * max(products[products > 0].sum(), -products[products < 0].sum())
    weights = np.zeros((6, 6, 1, 1), np.int16)
    weights[4, 4] = 10000
    reached = 8 * 8 * ((10000 * largest + 1) >> 1)
    assert reached < 1 << 31
    for bias, fits in ((reached - (1 << 31) + 1, True), (reached - (1 << 31), False)):
        layer = replace(winograd(end=epilogue(1, bias=bias)), weights=weights)
        graph = graph_of(layer, u8(1), i16(1))
        if fits:
            validate(graph)
        else:
            refuse(graph, "sum may reach 2147483648")


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (winograd(shift=0), "shifts must be 1 to 24"),
        (winograd(shift=25), "shifts must be 1 to 24"),
        (winograd(shifts=np.ones(36, np.uint8)), r"shifts must be \(6, 6\)"),
        (winograd(phase=(0, 4)), "phase must be"),
        (winograd(pads=(3, 0, 0, 0)), "pads must be"),
        (replace(winograd(), weights=np.ones((6, 6, 1, 2), np.int16)), r"shape \(6, 6, 1, 1\)"),
        (conv([1], stride=(1, 0)), "strides must be 1 to 16"),
        (conv([1], pads=(1, 0, 0, 0)), "pads must be"),
        (conv([1, 1]), "weights must have shape"),
        (replace(conv([1]), weights=np.ones((1, 1, 1, 0), np.int16)), "weights must have shape"),
        (replace(conv([1]), weights=np.ones((1, 1, 1, 1), np.int32)), "weights must be int16"),
        (conv([1], epilogue(2)), "bias must be 1 numbers of int32"),
        (conv([1], epilogue(1, lo=-1, hi=255)), "lo <= hi must lie in 0 to 255"),
        (conv([1], epilogue(1, lo=0, hi=256)), "lo <= hi must lie in 0 to 255"),
        (conv([1], epilogue(1, lo=9, hi=8)), "lo <= hi must lie"),
        (conv([1], epilogue(1, k=1, lo=0, hi=9)), "must have 2 inputs, got 1"),
        (conv([1], inputs=(1,)), "inputs must be values before it"),
        (conv([1], inputs=(-1,)), "inputs must be values before it"),
        (IntegerAdd("a", (0,), i32(1), i32(1), 0, 9), "must have 2 inputs"),
        (IntegerMul("m", (0, 0), i32(1, 1), 0, 9), "multipliers must be 1 numbers"),
        (IntegerRescale("r", (0,), i32(1), i32(1), np.ones(1, np.int64), 0, 9), "offsets must be"),
        (Slice("s", (0,), 0, 2), "channels 0 to 2 of 1"),
        (DepthToSpace("d", (0,), 2, "DCR"), "blocks of 2 do not fit 1"),
        (DepthToSpace("d", (0,), 0, "DCR"), "blocks of 0 do not fit"),
        (SpaceToDepth("d", (0,), 1 << 40), "block must be 1 to"),
        (SpaceToDepth("d", (0,), 1 << 15), "must have 1073741824 channels"),
        (Crop("c", (0,), (0, 0, 0, 5000)), "margins must be"),
        (IntegerPad("p", (0,), (-1, 0, 0, 0), "edge", np.zeros(1, np.int16)), "pads must be"),
        (IntegerPad("p", (0,), pads(1), "edge", np.array([256], np.int16)), "fills must be"),
        (Pad("p", (0,), pads(1), "edge", 0.0), "no layer of an integer network"),
    ],
)
def test_malformed_layers_are_refused(layer: Layer, why: str) -> None:
    refuse(graph_of(layer, u8(1), u8(1)), why)


def test_blocks_read_8_bits() -> None:
    refuse(graph_of(winograd(), i16(1), i16(1)), "its input must be uint8")


def test_moving_keeps_type_zero_and_scale() -> None:
    layer = Slice("s", (0,), 0, 1)
    refuse(graph_of(layer, u8(2), i16(1)), "equal dtypes")
    refuse(graph_of(layer, u8(2, 1), u8(1)), "scale or zero of channel 0 changes")
    refuse(graph_of(layer, u8(2), u8(1, scale=2.0)), "scale or zero of channel 0 changes")
    refuse(graph_of(Concat("c", (0, 0)), u8(2), u8(3)), "must have 4 channels, got 3")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (replace(u8(1), dtype=np.dtype(np.int8)), "dtype must be uint8 or int16"),
        (replace(i16(1), zeros=np.ones(1, np.int16)), "zeros must be 0 for int16"),
        (replace(u8(1), zeros=np.zeros(1, np.int16)), "zeros must be 1 numbers of uint8"),
        (u8(1, scale=0.0), "scales must be positive"),
        (u8(1, scale=float("inf")), "scales must be positive and finite"),
        (replace(u8(1), scales=np.ones(2)), "scales must be 1 numbers"),
        (replace(u8(1), channels=0), "channels must be 1 to"),
    ],
)
def test_malformed_values_are_refused(value: IntegerValue, why: str) -> None:
    refuse(IntegerGraph((value,), (), 0), why)


def test_values_layers_and_output_fit() -> None:
    refuse(IntegerGraph((u8(1), u8(1)), (), 0), "has 1 values, got 2")
    refuse(IntegerGraph((u8(1),), (), 1), "output must be 0 to 0, got 1")


def test_multipliers_are_above_the_least_number() -> None:
    least = -(1 << 31)
    for multipliers, fits in ((i32(least + 1), True), (i32(least), False)):
        add = graph_of(IntegerAdd("a", (0, 0), multipliers, i32(1), 0, 9), i16(1), i16(1))
        if fits:
            validate(add)
        else:
            refuse(add, r"first_multipliers must be above -2\^31")
