"""What an integer network is made of; docs/integer.md defines what each layer computes.

Values are numbered as those of `nnr.networks.layers.Graph`: 0 is the network's input, and layer
``i`` of a list gives value ``i + 1``. Layers that only move integers are those of the float network,
but for `IntegerPad`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers import Concat, Crop, DepthToSpace, Layer, PadMode, Pads, Slice, SpaceToDepth

Float64Array = NDArray[np.float64]
Int16Array = NDArray[np.int16]
Int32Array = NDArray[np.int32]
UINT8: np.dtype[Any] = np.dtype(np.uint8)
INT16: np.dtype[Any] = np.dtype(np.int16)

# Transforms of the convolution by blocks: A M A' and B d B' of integers, G g G' when compiling.
WINOGRAD_A = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], np.int64
)
WINOGRAD_B = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.int64,
)
WINOGRAD_G = (
    np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.float64)
    / 24
)


@dataclass(frozen=True, eq=False)
class IntegerValue:
    """What the integers of a value stand for: ``scales[c] * (q - zeros[c])``.

    Parameters
    ----------
    channels : int
    dtype : dtype
        uint8 or int16.
    scales : ndarray of float64
        One positive number a channel. For people; no arithmetic uses them.
    zeros : ndarray of *dtype*
        One number a channel, for int16 all 0.
    """

    channels: int
    dtype: np.dtype[Any]
    scales: Float64Array = field(repr=False)
    zeros: NDArray[Any] = field(repr=False)

    @property
    def limits(self) -> tuple[int, int]:
        """The smallest and the largest integer."""
        info = np.iinfo(self.dtype)
        return int(info.min), int(info.max)

    @property
    def distances(self) -> NDArray[np.int64]:
        """The largest ``|q - zeros[c]|`` a channel."""
        lo, hi = self.limits
        zeros = self.zeros.astype(np.int64)
        return np.maximum(hi - zeros, zeros - lo)


@dataclass(frozen=True, eq=False)
class Epilogue:
    """From the sums of a convolution to its result; all arrays have a number an output channel.

    *addend_multipliers* are there where the layer has a second input, which is added.
    """

    bias: Int32Array = field(repr=False)
    multipliers: Int32Array = field(repr=False)
    negative_multipliers: Int32Array = field(repr=False)
    addend_multipliers: Int32Array | None = field(repr=False)
    lo: int
    hi: int


@dataclass(frozen=True, eq=False)
class IntegerConv(Layer):
    """A convolution; *weights* are (out channel, in channel, kernel row, column).

    Where the input is uint8, they are -128 to 127.
    """

    weights: Int16Array = field(repr=False)
    pads: Pads
    stride: tuple[int, int]
    epilogue: Epilogue


@dataclass(frozen=True, eq=False)
class IntegerDepthwiseConv(Layer):
    """A convolution of each channel by itself; *weights* are (channel, kernel row, column)."""

    weights: Int16Array = field(repr=False)
    pads: Pads
    stride: tuple[int, int]
    epilogue: Epilogue


@dataclass(frozen=True, eq=False)
class IntegerWinograd(Layer):
    """A convolution of 3x3 by blocks of 4x4.

    *weights* are (6, 6, out channel, in channel), *shifts* (6, 6) of uint8. Blocks begin where the
    row and the column are *phase* modulo 4.
    """

    weights: Int16Array = field(repr=False)
    shifts: NDArray[np.uint8] = field(repr=False)
    pads: Pads
    phase: tuple[int, int]
    epilogue: Epilogue


@dataclass(frozen=True, eq=False)
class IntegerRescale(Layer):
    """A multiplier for positive and one for negative numbers, and an offset, a channel."""

    multipliers: Int32Array = field(repr=False)
    negative_multipliers: Int32Array = field(repr=False)
    offsets: Int32Array = field(repr=False)
    lo: int
    hi: int


@dataclass(frozen=True, eq=False)
class IntegerAdd(Layer):
    """The sum of two values, each times a multiplier a channel."""

    first_multipliers: Int32Array = field(repr=False)
    second_multipliers: Int32Array = field(repr=False)
    lo: int
    hi: int


@dataclass(frozen=True, eq=False)
class IntegerMul(Layer):
    """The product of two values times a multiplier a channel."""

    multipliers: Int32Array = field(repr=False)
    lo: int
    hi: int


@dataclass(frozen=True, eq=False)
class IntegerPad(Layer):
    """Rows and columns around the image; *fills*, one a channel, are for the mode ``constant``."""

    pads: Pads
    mode: PadMode
    fills: Int16Array = field(repr=False)


Convolution = IntegerConv | IntegerDepthwiseConv | IntegerWinograd


@dataclass(frozen=True, eq=False)
class IntegerGraph:
    """An integer network: what its values stand for, and its layers in an order to run them."""

    values: tuple[IntegerValue, ...]
    layers: tuple[Layer, ...]
    output: int


def moved_channels(layer: Layer, channels: Sequence[int]) -> list[list[tuple[int, int]]] | None:
    """Where the integers of each output channel come from, as numbers of input and channel.

    None for a layer that computes. *channels* are those of the layer's inputs, and must fit it.
    """
    match layer:
        case Concat():
            return [[(i, c)] for i, count in enumerate(channels) for c in range(count)]
        case Slice():
            return [[(0, c)] for c in range(layer.first, layer.last)]
        case DepthToSpace():
            area = layer.block * layer.block
            outs = channels[0] // area
            if layer.mode == "DCR":
                return [[(0, i * outs + c) for i in range(area)] for c in range(outs)]
            return [[(0, c * area + i) for i in range(area)] for c in range(outs)]
        case SpaceToDepth():
            return [[(0, c)] for _ in range(layer.block**2) for c in range(channels[0])]
        case Crop() | IntegerPad():
            return [[(0, c)] for c in range(channels[0])]
        case _:
            return None
