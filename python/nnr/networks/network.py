"""Runs a network on the native engine."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._arguments import check_integer
from ..models import Model, load
from .explain import explain_plan
from .fold import fold
from .graph import read_graph
from .layers import Float32Array, Graph
from .plan import build_plan
from .run import check_images, run_plan

if TYPE_CHECKING:
    from .integer import IntegerNetwork


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
    >>> network = nnr.Network.load(nnr.networks.POSTFILTER)
    >>> network.run(np.zeros((7, 48, 64), np.float32)).shape
    (6, 48, 64)
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = fold(graph)
        self._plan = build_plan(self._graph)

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
            - Add, Sub and Mul of two values of equal shape, or of a value and a constant (one
              number, or one a channel); Div by such a constant; Sum of values;
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
    def graph(self) -> Graph:
        """The layers, simplified."""
        return self._graph

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
        check_images(x, "x", np.dtype(np.float32), self.in_channels)
        return run_plan(self._plan, x, out, threads, _cut)

    def to_integer(
        self, samples: Iterable[Float32Array], *, activation_bits: SupportsIndex = 8
    ) -> IntegerNetwork:
        """Compile the network to integers, which give the same bits on every machine.

        Parameters
        ----------
        samples : iterable of ndarray of float32
            Some inputs as the network will see them, each (channels, height, width): the ranges of
            all values come from them. Twenty pictures of 160x160 are enough; no more than the rows at
            hand of one of them are in memory.
        activation_bits : {8, 16}
            Bits of the values between convolutions: 8 is quicker, 16 more precise.

        Returns
        -------
        IntegerNetwork
            docs/integer.md defines what it computes.

        Raises
        ------
        ValueError
            There are no samples, or *activation_bits* is neither 8 nor 16.

        Examples
        --------
        >>> network = nnr.Network.load(nnr.networks.POSTFILTER)
        >>> samples = [np.random.default_rng(1).random((7, 64, 64), np.float32)]
        >>> network.to_integer(samples).run(samples[0]).shape
        (6, 64, 64)
        """
        from .integer import network_to_integer

        return network_to_integer(
            self._graph, samples, check_integer(activation_bits, "activation_bits")
        )

    def explain(
        self, width: SupportsIndex, height: SupportsIndex, *, threads: SupportsIndex | None = None
    ) -> str:
        """Tell how the network runs on an image of this size, as a table.

        Parameters
        ----------
        width, height : int
            Of the image.
        threads : int, optional
            As for `run`.

        Returns
        -------
        str
            A line a layer: its kernel, channels, size, the operations of the direct convolution,
            how much is computed more than once, bytes, and what bounds its speed.

        Examples
        --------
        >>> network = nnr.Network.load(nnr.networks.POSTFILTER)
        >>> print(network.explain(416, 240).splitlines()[0].split()[:2])
        ['layer', 'kernel']
        """
        return explain_plan(self._plan, width, height, threads)

    def __repr__(self) -> str:
        return f"Network({self.in_channels} -> {self.out_channels} channels)"
