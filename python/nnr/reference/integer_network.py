"""The NumPy twin of the integer engine: docs/integer.md, one whole value after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..networks.integer.layers import (
    WINOGRAD_A,
    WINOGRAD_B,
    Convolution,
    Epilogue,
    IntegerAdd,
    IntegerConv,
    IntegerDepthwiseConv,
    IntegerGraph,
    IntegerMul,
    IntegerPad,
    IntegerRescale,
    IntegerValue,
    IntegerWinograd,
)
from ..networks.layers import Concat, Crop, DepthToSpace, Layer, PadMode, Pads, Slice, SpaceToDepth

Integers = NDArray[np.int64]


def run(graph: IntegerGraph, q: NDArray[Any]) -> NDArray[Any]:
    """Run an integer network over the integers of one image.

    Parameters
    ----------
    graph : IntegerGraph
        One that `nnr.networks.integer.validate` accepts.
    q : ndarray
        Shape (channels, height, width), of the dtype of the input.

    Returns
    -------
    ndarray
        Shape (channels, height, width), of the dtype of the output.

    Raises
    ------
    ValueError
        The size does not fit the network: no multiple of a block, or too small for a margin.
    """
    values = [q.astype(np.int64)]
    for layer, value in zip(graph.layers, graph.values[1:], strict=True):
        inputs = [(values[i], graph.values[i]) for i in layer.inputs]
        values.append(_run_layer(layer, inputs, value))
    return values[graph.output].astype(graph.values[graph.output].dtype)


def _run_layer(
    layer: Layer, inputs: list[tuple[Integers, IntegerValue]], value: IntegerValue
) -> Integers:
    q, source = inputs[0]
    match layer:
        case IntegerConv() | IntegerDepthwiseConv() | IntegerWinograd():
            return _convolve(layer, inputs, value)
        case IntegerRescale():
            x = _without_zero(q, source)
            multipliers = np.where(x < 0, _columns(layer.negative_multipliers), 0)
            multipliers += np.where(x < 0, 0, _columns(layer.multipliers))
            scaled = (x * multipliers + _columns(layer.offsets) + (1 << 15)) >> 16
            return _clamped(scaled, value, layer.lo, layer.hi)
        case IntegerAdd():
            first = _without_zero(q, source) * _columns(layer.first_multipliers)
            second = _without_zero(*inputs[1]) * _columns(layer.second_multipliers)
            total = (first + second + (1 << 15)) >> 16
            return _clamped(total, value, layer.lo, layer.hi)
        case IntegerMul():
            product = _without_zero(q, source) * _without_zero(*inputs[1])
            scaled = (product * _columns(layer.multipliers) + (1 << 31)) >> 32
            return _clamped(scaled, value, layer.lo, layer.hi)
        case _:
            return _move(layer, [array for array, _ in inputs])


def _convolve(
    layer: Convolution, inputs: list[tuple[Integers, IntegerValue]], value: IntegerValue
) -> Integers:
    q, source = inputs[0]
    match layer:
        case IntegerWinograd():
            sums = _winograd_sums(layer, q, source)
        case IntegerDepthwiseConv():
            padded = _pad(q, layer.pads, "constant", source.zeros)
            sums = _windows_sum(padded, layer.weights.astype(np.int64), layer.stride)
        case IntegerConv():
            padded = _pad(q, layer.pads, "constant", source.zeros)
            sums = _conv_sums(padded, layer.weights, layer.stride)
    epilogue = layer.epilogue
    a = sums + _columns(epilogue.bias)
    r = _rounded(a, epilogue)
    if epilogue.addend_multipliers is not None:
        addend = _without_zero(*inputs[1]) * _columns(epilogue.addend_multipliers)
        r = (r + ((addend + (1 << 7)) >> 8) + (1 << 7)) >> 8
    return _clamped(r, value, epilogue.lo, epilogue.hi)


def _rounded(a: Integers, epilogue: Epilogue) -> Integers:
    positive, negative = _columns(epilogue.multipliers), _columns(epilogue.negative_multipliers)
    return (a * np.where(a < 0, negative, positive) + (1 << 31)) >> 32


def _conv_sums(padded: Integers, weights: NDArray[Any], stride: tuple[int, int]) -> Integers:
    # Exact in float64, whose matrix products are many times faster: every sum is below 2^31.
    x, w = padded.astype(np.float64), weights.astype(np.float64)
    sums: Any = 0.0
    for ky in range(w.shape[2]):
        for kx in range(w.shape[3]):
            window = _window(x, w.shape[2:], (ky, kx), stride)
            sums = sums + np.tensordot(w[:, :, ky, kx], window, 1)
    return np.asarray(sums).astype(np.int64)


def _windows_sum(padded: Integers, weights: Integers, stride: tuple[int, int]) -> Integers:
    sums: Any = 0
    for ky in range(weights.shape[1]):
        for kx in range(weights.shape[2]):
            window = _window(padded, weights.shape[1:], (ky, kx), stride)
            sums = sums + weights[:, ky, kx, None, None] * window
    return np.asarray(sums)


def _window(
    padded: NDArray[Any], kernel: tuple[int, ...], at: tuple[int, int], stride: tuple[int, int]
) -> NDArray[Any]:
    """The samples that one position of the kernel sees."""
    stops = [at[i] + padded.shape[i + 1] - kernel[i] + 1 for i in range(2)]
    return padded[:, at[0] : stops[0] : stride[0], at[1] : stops[1] : stride[1]]


def _winograd_sums(layer: IntegerWinograd, q: Integers, source: IntegerValue) -> Integers:
    top, left, bottom, right = layer.pads
    height, width = q.shape[1] + top + bottom - 2, q.shape[2] + left + right - 2
    x = _without_zero(q, source)
    # Rows and columns of blocks before the result begins, and how many blocks reach its end.
    before = [(-phase) % 4 for phase in layer.phase]
    blocks = [-(-(size + b) // 4) for size, b in zip((height, width), before, strict=True)]
    around = [
        (front + b, 4 * count + 2 - front - b - size)
        for front, b, count, size in zip((top, left), before, blocks, q.shape[1:], strict=True)
    ]
    x = np.pad(x, [(0, 0), *around])
    d = np.lib.stride_tricks.sliding_window_view(x, (6, 6), (1, 2))[:, ::4, ::4]
    # Exact in float64: every sum is below 2^31.
    v = np.einsum("iy,cabyx,jx->ijcab", WINOGRAD_B, d, WINOGRAD_B, optimize=True)
    v = v.reshape(36, x.shape[0], -1).astype(np.float64)
    u = layer.weights.reshape(36, -1, x.shape[0]).astype(np.float64)
    shifts = layer.shifts.reshape(36, 1, 1).astype(np.int64)
    m = ((u @ v).astype(np.int64) + (1 << (shifts - 1))) >> shifts
    m = m.reshape(6, 6, -1, *blocks)
    y = np.einsum("yi,ijoab,xj->oaybx", WINOGRAD_A, m, WINOGRAD_A, optimize=True)
    y = y.reshape(m.shape[2], 4 * blocks[0], 4 * blocks[1])
    return np.asarray(y)[:, before[0] : before[0] + height, before[1] : before[1] + width]


def _move(layer: Layer, inputs: list[Integers]) -> Integers:
    q = inputs[0]
    match layer:
        case Concat():
            return np.concatenate(inputs)
        case Slice():
            return q[layer.first : layer.last]
        case Crop():
            top, left, bottom, right = layer.margins
            return q[:, top : q.shape[1] - bottom, left : q.shape[2] - right]
        case DepthToSpace():
            return _depth_to_space(q, layer)
        case SpaceToDepth():
            channels, height, width = q.shape
            block = layer.block
            split = q.reshape(channels, height // block, block, width // block, block)
            return split.transpose(2, 4, 0, 1, 3).reshape(-1, height // block, width // block)
        case IntegerPad():
            return _pad(q, layer.pads, layer.mode, layer.fills)
        case _:
            raise TypeError(f"not a layer: {layer!r}")


def _depth_to_space(q: Integers, layer: DepthToSpace) -> Integers:
    depth, height, width = q.shape
    block = layer.block
    channels = depth // (block * block)
    if layer.mode == "DCR":
        split = q.reshape(block, block, channels, height, width).transpose(2, 3, 0, 4, 1)
    else:
        split = q.reshape(channels, block, block, height, width).transpose(0, 3, 1, 4, 2)
    return split.reshape(channels, height * block, width * block)


def _pad(q: Integers, pads: Pads, mode: PadMode, fills: NDArray[Any]) -> Integers:
    top, left, bottom, right = pads
    widths = ((0, 0), (top, bottom), (left, right))
    if mode == "constant":
        return np.pad(q - _columns(fills), widths) + _columns(fills)
    return np.pad(q, widths, mode=mode)


def _clamped(x: Integers, value: IntegerValue, lo: int, hi: int) -> Integers:
    return np.asarray(np.clip(x + _columns(value.zeros), lo, hi))


def _without_zero(q: Integers, value: IntegerValue) -> Integers:
    return q - _columns(value.zeros)


def _columns(numbers: NDArray[Any]) -> Integers:
    """One number a channel, beside rows and columns."""
    return numbers.astype(np.int64)[:, None, None]
