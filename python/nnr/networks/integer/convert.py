"""From a float network and a few pictures to an integer network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._arguments import check_integer
from ..fold import fold
from ..layers import Float32Array, Graph
from ..planes import FRAME_CHANNELS, MAX_QP, check_plane, check_qp, network_input
from ..run import check_images
from .compile import OutputFormat, compile_graph
from .network import IntegerNetwork
from .observe import Observer
from .ranges import observe_ranges

_BIT_DEPTHS = range(8, 16)


def network_to_integer(
    graph: Graph,
    samples: Iterable[Float32Array],
    activation_bits: int = 8,
    *,
    input_scales: Sequence[float] | None = None,
    output: OutputFormat | None = None,
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
    input_scales : sequence of float, optional
        What an integer 1 stands for in each channel of the input, where that is given from
        outside; by default chosen by *samples*.
    output : OutputFormat, optional
        What the integers of the output stand for, and their range; by default chosen by *samples*.

    Raises
    ------
    ValueError
        There are no samples, *activation_bits* is neither 8 nor 16, or *input_scales* are not one
        a channel.
    """
    folded = fold(graph)
    observer = Observer(folded)
    compiled = compile_graph(
        folded,
        observe_ranges(observer, _checked(samples, graph.in_channels)),
        activation_bits=activation_bits,
        input_scales=input_scales,
        output=output,
        phases=observer.phases,
    )
    return IntegerNetwork(compiled)


def postfilter_to_integer(
    graph: Graph,
    samples: Iterable[tuple[Sequence[NDArray[Any]], int]],
    bit_depth: int,
    activation_bits: int = 8,
) -> IntegerNetwork:
    """Compile a post filter to integers: samples in, samples out.

    Parameters
    ----------
    graph : Graph
        A float network as `nnr.PostFilter` takes it.
    samples : iterable of (sequence of ndarray of uint8 or uint16, int)
        Decoded planes of shape (height, width), of luma alone or of a frame, and the QP of each, 0
        to 63. They should span the QPs that the filter is for. Stronger detail than they hold is clipped: 160x160 samples of
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
    if graph.in_channels not in (1, 2, FRAME_CHANNELS, FRAME_CHANNELS + 1):
        raise ValueError(
            f"a post filter must have 1, 2, 6 or 7 input channels, got {graph.in_channels}"
        )
    peak = (1 << bit_depth) - 1
    # What comes out are samples alone; a channel more that goes in is the QP.
    has_qp = graph.in_channels in (2, FRAME_CHANNELS + 1)
    input_scales = [1 / peak] * (graph.in_channels - has_qp) + [1 / MAX_QP] * has_qp
    folded = fold(graph)
    observer = Observer(folded)
    inputs = (
        _input(graph.in_channels, planes, qp, bit_depth, observer.phase) for planes, qp in samples
    )
    first, *others = observe_ranges(observer, inputs)
    # Any sample and any QP may come, whatever these pictures hold.
    nothing, whole = np.zeros(graph.in_channels), np.ones(graph.in_channels)
    compiled = compile_graph(
        folded,
        (replace(first, minimum=nothing, maximum=whole), *others),
        activation_bits=activation_bits,
        input_scales=input_scales,
        output=OutputFormat(1 / peak, 0, peak),
        phases=observer.phases,
    )
    return IntegerNetwork(compiled)


def integer_bit_depth(network: IntegerNetwork) -> int:
    """Bits a sample of the planes that an integer post filter is for.

    Raises
    ------
    ValueError
        Its input and output are not samples.
    """
    given, result = (network.graph.values[i] for i in (0, network.graph.output))
    bits = round(1 / float(given.scales[0])).bit_length()
    peak = (1 << bits) - 1
    samples = given.dtype == result.dtype == np.int16 and bits in _BIT_DEPTHS
    if not samples or not np.isclose([given.scales[0], result.scales[0]], 1 / peak).all():
        raise ValueError(
            "this integer network is no post filter: it does not take and give samples"
        )
    return bits


def _checked(samples: Iterable[Float32Array], channels: int) -> Iterator[Float32Array]:
    for sample in samples:
        check_images(sample, "a sample", np.dtype(np.float32), channels)
        if sample.ndim != 3:
            raise ValueError(f"a sample must be (channels, height, width), got {sample.shape}")
        yield sample


def _input(
    channels: int, planes: Sequence[NDArray[Any]], qp: int, bit_depth: int, phase: int
) -> Float32Array:
    """What a network sees of planes, continued to sides that are multiples of *phase*."""
    peaks = [check_plane(plane, bit_depth) for plane in planes]
    given = network_input(planes, check_qp(qp), peaks[0])[:channels]
    return np.pad(given, [(0, 0), *((0, -side % phase) for side in given.shape[1:])], mode="edge")
