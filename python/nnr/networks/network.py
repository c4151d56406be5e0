"""Runs a network on the native engine."""

from __future__ import annotations

import os
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._arguments import check_out, check_threads
from ..models import Model, load
from .fold import fold
from .graph import read_graph
from .layers import (
    Add,
    Affine,
    Clip,
    Concat,
    Conv,
    Crop,
    DepthToSpace,
    DepthwiseConv,
    Float32Array,
    Graph,
    Layer,
    Mul,
    Pad,
    Slice,
    Slope,
    SpaceToDepth,
)


class Network:
    """A small convolutional network, ready to run.

    An image is cut into strips of columns, each computed from top to bottom a few rows at a time.
    Beyond input and output a thread works in a few megabytes, up to eight for networks of the usual
    sizes, which do not grow with the image. The result depends neither on how it is cut nor on the
    number of threads, bit for bit; levels (`nnr.cpu`) differ in the last bits.

    Convolutions of 3x3 with stride 1, from 8 channels to 8 or more, are computed by blocks of 4x4
    samples (Winograd's F(4x4, 3x3)), with a quarter of the products and up to about three times the
    rounding of sums in one order. A sample that is not finite spoils all of the blocks that see it.

    Parameters
    ----------
    graph : Graph
        The layers; `load` reads them from a model.

    Examples
    --------
    >>> network = nnr.Network.load(nnr.networks.POSTFILTER_LUMA)
    >>> network.run(np.zeros((2, 48, 64), np.float32)).shape
    (1, 48, 64)
    """

    def __init__(self, graph: Graph) -> None:
        self._plan = build_plan(graph)

    @classmethod
    def load(cls, model: Model | str | os.PathLike[str]) -> Network:
        """Make a network from a model, or from a model file that has a topology.

        Parameters
        ----------
        model : Model or path
            What `nnr.load` reads. Supported are these ONNX operators, in float32:

            - Conv with kernels up to 15x15, strides up to 64, zero padding and groups, not dilated;
              ConvTranspose with one stride up to 8 for both axes;
            - BatchNormalization, Relu, LeakyRelu, PRelu, Clip;
            - Add, Sub, Mul, Div, Sum of values of equal shape, or with constants: one number, or
              one a channel; the divisor must be constant;
            - Concat of channels; Slice by step 1 of channels, and of rows and columns counted from
              the ends, or as it is where the model declares its size;
            - DepthToSpace, SpaceToDepth, and Pad of rows and columns;
            - Identity, Dropout (which does nothing) and Constant.

            Batch normalisation and constant factors and offsets are folded into convolutions where
            they can be. Height and width may be any that the layers take, also where the model
            declares others.

        Raises
        ------
        UnsupportedOperatorError
            A node cannot be run; the message names node and operator.
        ValueError
            Channels do not fit, weights are not finite, or the graph has several inputs or outputs.
        MissingExtraError
            ``onnx`` is not installed.
        """
        return cls(read_graph(model if isinstance(model, Model) else load(model)))

    @property
    def in_channels(self) -> int:
        """Channels of an input image."""
        return self._plan.in_channels

    @property
    def out_channels(self) -> int:
        """Channels of an output image."""
        return self._plan.out_channels

    @property
    def plan(self) -> _core.NetworkPlan:
        """The native plan. Internal."""
        return self._plan

    def run(
        self,
        x: NDArray[np.float32],
        *,
        threads: SupportsIndex | None = None,
        out: Float32Array | None = None,
        _cut: tuple[int, int, int] | None = None,
    ) -> Float32Array:
        """Run the network over one image or several of one size.

        Parameters
        ----------
        x : ndarray of float32
            Shape (channels, height, width) or (images, channels, height, width).
        threads : int, optional
            By default one a core. The result does not depend on it.
        out : ndarray of float32, optional
            Where the result goes; C-contiguous.

        Returns
        -------
        ndarray of float32
            With as many dimensions as *x*; *out* if it was given.

        Raises
        ------
        TypeError
            *x* is not float32.
        ValueError
            A shape does not fit the network.
        """
        if not isinstance(x, np.ndarray) or x.dtype != np.float32:
            got = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
            raise TypeError(f"x must be an array of float32, got {got}")
        if x.ndim not in (3, 4) or x.shape[-3] != self.in_channels:
            raise ValueError(
                f"x must have shape ({self.in_channels}, height, width), or that with the number "
                f"of images before it, got {x.shape}"
            )
        if 0 in x.shape[-2:]:
            raise ValueError(f"x must not be empty, got shape {x.shape}")
        images = np.require(x, requirements=["C_CONTIGUOUS", "ALIGNED"])
        height, width = self._plan.output_size(*x.shape[-2:])
        shape = (*x.shape[:-3], self.out_channels, height, width)
        if out is None:
            out = np.empty(shape, np.float32)
        else:
            check_out(out, shape, np.dtype(np.float32), x)
        self._plan.run(
            images.reshape(-1, *x.shape[-3:]),
            out.reshape(-1, *shape[-3:]),
            check_threads(threads),
            _cut,
        )
        return out

    def __repr__(self) -> str:
        return f"Network({self.in_channels} -> {self.out_channels} channels)"


def build_plan(graph: Graph, *, fused: bool = True) -> _core.NetworkPlan:
    """The native plan of a graph, folded; what is left of the graph is validated.

    A plan that is not *fused* computes every layer on its own, under the value numbers of the
    folded graph.
    """
    folded = fold(graph)
    builder = _core.NetworkBuilder(folded.in_channels)
    for layer in folded.layers:
        _append(builder, layer)
    return builder.build(folded.output, fused)


def blocks_of(graph: Graph) -> dict[int, tuple[int, int]]:
    """Which values of a folded graph are computed by blocks of 4x4 samples.

    For each, the row and column, modulo 4, at which blocks begin. What
    `nnr.reference.network.run` needs to give the bits of the ``scalar`` level.
    """
    return build_plan(graph, fused=False).blocks


def _append(builder: _core.NetworkBuilder, layer: Layer) -> None:
    name, inputs = layer.name, layer.inputs
    match layer:
        case Conv():
            builder.conv(name, inputs[0], layer.weights, layer.bias, layer.pads, layer.stride)
        case DepthwiseConv():
            weights, bias = layer.weights, layer.bias
            builder.depthwise_conv(name, inputs[0], weights, bias, layer.pads, layer.stride)
        case Slope():
            builder.slope(name, inputs[0], layer.slopes)
        case Affine():
            builder.affine(name, inputs[0], layer.scales, layer.offsets)
        case Clip():
            builder.clip(name, inputs[0], layer.lo, layer.hi)
        case Add():
            builder.add(name, inputs[0], inputs[1])
        case Mul():
            builder.mul(name, inputs[0], inputs[1])
        case Concat():
            builder.concat(name, list(inputs))
        case Slice():
            builder.slice(name, inputs[0], layer.first, layer.last)
        case DepthToSpace():
            builder.depth_to_space(name, inputs[0], layer.block, layer.mode)
        case SpaceToDepth():
            builder.space_to_depth(name, inputs[0], layer.block)
        case Pad():
            builder.pad(name, inputs[0], layer.pads, layer.mode, layer.value)
        case Crop():
            builder.crop(name, inputs[0], layer.margins)
        case _:
            raise TypeError(f"not a layer: {layer!r}")
