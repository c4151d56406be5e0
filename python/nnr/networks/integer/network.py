"""Runs an integer network."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...reference import integer_network
from ..layers import Float32Array
from .file import load_graph, save_graph
from .layers import Int16Array, IntegerGraph
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
    >>> from nnr.networks import POSTFILTER_LUMA
    >>> from nnr.networks.graph import read_graph
    >>> from nnr.networks.integer import network_to_integer
    >>> graph = read_graph(nnr.load(POSTFILTER_LUMA))
    >>> network = network_to_integer(graph, [np.random.rand(2, 32, 32).astype(np.float32)])
    >>> network.run(np.zeros((2, 48, 64), np.float32)).shape
    (1, 48, 64)
    """

    def __init__(self, graph: IntegerGraph) -> None:
        validate(graph)
        self._graph = graph

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
    def in_channels(self) -> int:
        """Channels of an input image."""
        return self._graph.values[0].channels

    @property
    def out_channels(self) -> int:
        """Channels of an output image."""
        return self._graph.values[self._graph.output].channels

    def run(self, x: Float32Array) -> Float32Array:
        """Run the network over one image or several of one size.

        Parameters
        ----------
        x : ndarray of float32
            Shape (channels, height, width) or (images, channels, height, width). Each number
            becomes the nearest integer times the scale of the input, halves to even; what is
            beyond 16 bits is clipped.

        Returns
        -------
        ndarray of float32
            With as many dimensions as *x*.

        Raises
        ------
        TypeError
            *x* is not float32.
        ValueError
            A shape does not fit the network, or *x* holds NaN.
        """
        self._check(x, np.dtype(np.float32))
        if np.isnan(x).any():
            raise ValueError("x must not hold NaN")
        scales = self._graph.values[0].scales[:, None, None]
        q = np.clip(np.rint(x / scales), *self._graph.values[0].limits).astype(np.int16)
        value = self._graph.values[self._graph.output]
        steps = self.run_integers(q) - value.zeros.astype(np.float64)[:, None, None]
        result: Float32Array = (steps * value.scales[:, None, None]).astype(np.float32)
        return result

    def run_integers(self, q: Int16Array) -> Int16Array:
        """Run the network over integers: the part that docs/integer.md defines.

        Parameters
        ----------
        q : ndarray of int16
            Shape (channels, height, width) or (images, channels, height, width).

        Returns
        -------
        ndarray of int16
            With as many dimensions as *q*.

        Raises
        ------
        TypeError
            *q* is not int16.
        ValueError
            A shape does not fit the network.
        """
        self._check(q, np.dtype(np.int16))
        images = q.reshape(-1, *q.shape[-3:])
        results = np.stack([integer_network.run(self._graph, image) for image in images])
        return results.reshape(*q.shape[:-3], *results.shape[1:])

    def _check(self, x: NDArray[Any], dtype: np.dtype[Any]) -> None:
        name = "x" if dtype == np.float32 else "q"
        if not isinstance(x, np.ndarray) or x.dtype != dtype:
            got = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
            raise TypeError(f"{name} must be an array of {dtype}, got {got}")
        if x.ndim not in (3, 4) or x.shape[-3] != self.in_channels:
            raise ValueError(
                f"{name} must have shape ({self.in_channels}, height, width), or that with the "
                f"number of images before it, got {x.shape}"
            )
        if x.size == 0:
            raise ValueError(f"{name} must not be empty, got shape {x.shape}")

    def __repr__(self) -> str:
        return f"IntegerNetwork({self.in_channels} -> {self.out_channels} channels)"
