"""Runs an integer network."""

from __future__ import annotations

import os
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ..explain import explain_plan
from ..layers import Float32Array
from ..run import Cut, check_images, run_plan, run_quantized
from .file import load_graph, save_graph
from .layers import Int16Array, IntegerGraph
from .plan import build_integer_plan
from .validate import validate


class IntegerNetwork:
    """A network of integers, which gives the same bits on every machine.

    docs/integer.md defines what it computes. `network_to_integer` makes one of a float network.

    Parameters
    ----------
    graph : IntegerGraph
        The layers; `load` reads them from a file.

    Raises
    ------
    ValueError
        The network is none that docs/integer.md defines.

    Examples
    --------
    >>> from nnr.networks import POSTFILTER
    >>> from nnr.networks.graph import read_graph
    >>> from nnr.networks.integer import network_to_integer
    >>> graph = read_graph(nnr.load(POSTFILTER))
    >>> network = network_to_integer(graph, [np.random.rand(7, 32, 32).astype(np.float32)])
    >>> network.run(np.zeros((7, 48, 64), np.float32)).shape
    (6, 48, 64)
    """

    def __init__(self, graph: IntegerGraph) -> None:
        validate(graph)
        self._graph = graph
        self._plan = build_integer_plan(graph)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> IntegerNetwork:
        """Read what `save` wrote.

        Raises
        ------
        BitstreamError
            The file is damaged, or holds no integer network.
        """
        return cls(load_graph(path))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network as an ordinary safetensors file."""
        save_graph(self._graph, path)

    @property
    def graph(self) -> IntegerGraph:
        """The layers, and what the values stand for."""
        return self._graph

    @property
    def plan(self) -> _core.NetworkPlan:
        """The native plan. Internal."""
        return self._plan

    @property
    def in_channels(self) -> int:
        """Channels of an input image."""
        return self._graph.values[0].channels

    @property
    def out_channels(self) -> int:
        """Channels of an output image."""
        return self._graph.values[self._graph.output].channels

    def run(
        self,
        x: Float32Array,
        *,
        threads: SupportsIndex | None = None,
        out: Float32Array | None = None,
    ) -> Float32Array:
        """Run the network over one image or several of one size.

        Parameters
        ----------
        x : ndarray of float32
            Shape (channels, height, width) or (images, channels, height, width). Each number
            becomes the nearest integer times the scale of the input, halves to even; what is
            beyond 16 bits is clipped.
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
            A shape does not fit the network, or *x* holds NaN.
        """
        check_images(x, "x", np.dtype(np.float32), self.in_channels)
        if np.isnan(x).any():
            raise ValueError("x must not hold NaN")
        given, result = self._graph.values[0], self._graph.values[self._graph.output]
        return run_quantized(self._plan, x, out, (given.scales, result.scales), threads)

    def run_integers(
        self,
        q: Int16Array,
        *,
        threads: SupportsIndex | None = None,
        out: NDArray[Any] | None = None,
        _cut: Cut | None = None,
    ) -> NDArray[Any]:
        """Run the network over integers: the part that docs/integer.md defines.

        Parameters
        ----------
        q : ndarray of int16
            Shape (channels, height, width) or (images, channels, height, width).
        threads : int, optional
            By default one a core. The result does not depend on it.
        out : ndarray, optional
            Where the result goes; C-contiguous.

        Returns
        -------
        ndarray of int16 or uint8
            With as many dimensions as *q*, of the type of the output; *out* if it was given.

        Raises
        ------
        TypeError
            *q* is not int16.
        ValueError
            A shape does not fit the network.
        """
        check_images(q, "q", self._graph.values[0].dtype, self.in_channels)
        return run_plan(self._plan, q, out, threads, _cut)

    def explain(
        self, width: SupportsIndex, height: SupportsIndex, *, threads: SupportsIndex | None = None
    ) -> str:
        """Tell how the network runs on an image of this size; see `nnr.Network.explain`."""
        return explain_plan(self._plan, width, height, threads)

    def __repr__(self) -> str:
        return f"IntegerNetwork({self.in_channels} -> {self.out_channels} channels)"
