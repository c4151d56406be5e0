"""Runs a float network in NumPy and shows all its values."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...reference.network import _run_layer
from ..layers import Conv, DepthwiseConv, Float32Array, Graph, Pads


class ReferenceObserver:
    """A network on NumPy, in float32; convolutions are matrix products, which are quicker."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def observe(self, x: Float32Array) -> list[Float32Array]:
        """All values, (channels, height, width), for one input; value 0 is *x* itself."""
        values = [x]
        for layer in self._graph.layers:
            inputs = [values[i] for i in layer.inputs]
            match layer:
                case Conv():
                    taps = np.moveaxis(layer.weights, (2, 3), (0, 1))
                    value = _convolve(inputs[0], taps, layer.bias, layer.pads, layer.stride)
                case DepthwiseConv():
                    taps = np.moveaxis(layer.weights, (1, 2), (0, 1))
                    value = _convolve(inputs[0], taps, layer.bias, layer.pads, layer.stride)
                case _:
                    value = _run_layer(layer, inputs)
            values.append(value)
        return values


def _convolve(
    x: Float32Array,
    taps: Float32Array,
    bias: Float32Array | None,
    pads: Pads,
    stride: tuple[int, int],
) -> Float32Array:
    """*taps* are (kernel row, kernel column, ...): a matrix, or a number a channel, for each."""
    top, left, bottom, right = pads
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right)))
    rows, columns = (padded.shape[1] - taps.shape[0] + 1, padded.shape[2] - taps.shape[1] + 1)
    sums: Any = 0.0
    for ky in range(taps.shape[0]):
        for kx in range(taps.shape[1]):
            window = padded[:, ky : ky + rows : stride[0], kx : kx + columns : stride[1]]
            tap = taps[ky, kx]
            product = tap[:, None, None] * window if tap.ndim == 1 else np.tensordot(tap, window, 1)
            sums = sums + product
    result = np.asarray(sums, np.float32)
    return result if bias is None else result + bias[:, None, None]
