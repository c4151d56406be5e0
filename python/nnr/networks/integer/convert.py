"""From a float network and a few pictures to an integer network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._arguments import check_integer
from ..layers import Float32Array, Graph
from ..postfilter import MAX_QP
from .compile import OutputFormat, compile_graph
from .network import IntegerNetwork
from .ranges import observe_ranges

_BIT_DEPTHS = range(8, 16)


def network_to_integer(
    graph: Graph, samples: Iterable[Float32Array], activation_bits: int = 8
) -> IntegerNetwork:
    """Compile a float network to integers.

    Parameters
    ----------
    graph : Graph
        The float network.
    samples : iterable of ndarray of float32
        Inputs as the network will see them, (channels, height, width). A few are enough; the
        ranges of all values come from them.
    activation_bits : {8, 16}
        Bits of the values between convolutions: 8 is quicker, 16 more precise.

    Raises
    ------
    ValueError
        There are no samples, or *activation_bits* is neither 8 nor 16.
    """
    ranges = observe_ranges(graph, samples)
    return IntegerNetwork(compile_graph(graph, ranges, activation_bits=activation_bits))


def postfilter_to_integer(
    graph: Graph,
    samples: Iterable[tuple[NDArray[Any], int]],
    bit_depth: int,
    activation_bits: int = 8,
) -> IntegerNetwork:
    """Compile a post filter to integers: samples in, samples out.

    Parameters
    ----------
    graph : Graph
        A float network as `nnr.PostFilter` takes it.
    samples : iterable of (ndarray of uint8 or uint16, int)
        Decoded planes of shape (height, width), and the QP of each, 0 to 63. They should span the
        QPs that the filter is for. Stronger detail than they hold is clipped: 160x160 samples of
        four photographs are enough, 96x96 were too few.
    bit_depth : int
        Bits a sample, 8 to 15, of *samples* and of all that the filter will see.
    activation_bits : {8, 16}
        Bits of the values between convolutions: 8 is quicker, 16 more precise.

    Raises
    ------
    ValueError
        An argument is out of its range.
    """
    if check_integer(bit_depth, "bit_depth") not in _BIT_DEPTHS:
        raise ValueError(f"bit_depth must be 8 to 15, got {bit_depth}")
    if graph.in_channels not in (1, 2):
        raise ValueError(f"a post filter must have 1 or 2 input channels, got {graph.in_channels}")
    peak = (1 << bit_depth) - 1
    inputs = [_input(graph.in_channels, plane, qp, peak) for plane, qp in samples]
    first, *others = observe_ranges(graph, inputs)
    # Any sample and any QP may come, whatever these pictures hold.
    nothing, whole = np.zeros(graph.in_channels), np.ones(graph.in_channels)
    compiled = compile_graph(
        graph,
        (replace(first, minimum=nothing, maximum=whole), *others),
        activation_bits=activation_bits,
        input_scales=[1 / peak, 1 / MAX_QP][: graph.in_channels],
        output=OutputFormat(1 / peak, 0, peak),
    )
    return IntegerNetwork(compiled)


def _input(channels: int, plane: NDArray[Any], qp: int, peak: int) -> Float32Array:
    if not isinstance(plane, np.ndarray) or plane.dtype not in (np.uint8, np.uint16):
        got = plane.dtype if isinstance(plane, np.ndarray) else type(plane).__name__
        raise TypeError(f"a plane of samples must be an array of uint8 or uint16, got {got}")
    if plane.ndim != 2 or plane.size == 0 or plane.max() > peak:
        raise ValueError(f"a plane of samples must be (height, width) of 0 to {peak}")
    if not 0 <= check_integer(qp, "qp") <= MAX_QP:
        raise ValueError(f"qp must be 0 to {MAX_QP}, got {qp}")
    luma = plane.astype(np.float32) / np.float32(peak)
    return np.stack([luma, np.full_like(luma, np.float32(qp / MAX_QP))][:channels])
