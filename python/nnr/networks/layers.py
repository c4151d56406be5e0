"""What the engine can run: a network as a list of layers.

Values are numbered: 0 is the network's input, and layer ``i`` of a list gives value ``i + 1``.
Every value has the shape (channels, rows, columns).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
# Rows above, columns to the left, rows below, columns to the right.
Pads = tuple[int, int, int, int]
# Rows, columns.
Stride = tuple[int, int]
Size = tuple[int, int]
DepthMode = Literal["DCR", "CRD"]
PadMode = Literal["constant", "edge", "reflect"]


@dataclass(frozen=True)
class Layer:
    """What all layers have.

    Parameters
    ----------
    name : str
        For error messages.
    inputs : tuple of int
        The values that it reads.
    """

    name: str
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class Conv(Layer):
    """A convolution; *weights* are (out channel, in channel, kernel row, kernel column).

    Kernels have 1 to 15 rows and columns; *pads* are zeros, fewer than those at every side.
    """

    weights: Float32Array = field(repr=False)
    bias: Float32Array | None = field(repr=False)
    pads: Pads
    stride: Stride = (1, 1)


@dataclass(frozen=True)
class DepthwiseConv(Layer):
    """A convolution of each channel by itself; *weights* are (channel, kernel row, column)."""

    weights: Float32Array = field(repr=False)
    bias: Float32Array | None = field(repr=False)
    pads: Pads
    stride: Stride = (1, 1)


@dataclass(frozen=True)
class Slope(Layer):
    """``slope * x`` where ``x < 0``: Relu, LeakyRelu, PRelu; one slope, or one a channel.

    A slope of 0 gives 0 for minus infinity too; NaN stays NaN.
    """

    slopes: Float32Array


@dataclass(frozen=True)
class Affine(Layer):
    """``x * scale + offset``, each one number, or one a channel."""

    scales: Float32Array
    offsets: Float32Array


@dataclass(frozen=True)
class Clip(Layer):
    """``min(max(x, lo), hi)``."""

    lo: float
    hi: float


@dataclass(frozen=True)
class Add(Layer):
    """The sum of two values of equal shape."""


@dataclass(frozen=True)
class Mul(Layer):
    """The product of two values of equal shape, sample by sample."""


@dataclass(frozen=True)
class Concat(Layer):
    """The channels of all inputs, one after the other."""


@dataclass(frozen=True)
class Slice(Layer):
    """Channels *first* to *last* - 1."""

    first: int
    last: int


@dataclass(frozen=True)
class DepthToSpace(Layer):
    """Channels become blocks of *block* x *block* samples, in the order that ONNX calls *mode*."""

    block: int
    mode: DepthMode


@dataclass(frozen=True)
class SpaceToDepth(Layer):
    """Blocks become channels: channel ``c`` of sample ``i`` of a block becomes ``i * C + c``."""

    block: int


@dataclass(frozen=True)
class Pad(Layer):
    """Rows and columns around the image; *value* is for the mode ``constant``."""

    pads: Pads
    mode: PadMode
    value: float


@dataclass(frozen=True)
class Crop(Layer):
    """What is left without *margins*, rows and columns at the edges."""

    margins: Pads


@dataclass(frozen=True)
class Graph:
    """A network: its layers in an order in which they can be run.

    *input_size* is the height and width that the model declares, or None if it leaves them open.
    The layers may take other sizes as well.
    """

    in_channels: int
    layers: tuple[Layer, ...]
    output: int
    input_size: Size | None = None
