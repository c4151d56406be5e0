"""A network that improves decoded planes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, SupportsIndex, TypeVar

import numpy as np
from numpy.typing import NDArray

from .._arguments import check_integer, check_out, check_threads
from ..models import Model
from .explain import explain_plan
from .integer import IntegerNetwork, integer_bit_depth, is_integer_file, postfilter_to_integer
from .network import Network
from .planes import MAX_QP, check_plane, check_qp

# Every post filter takes a plane of as many phases a side; smaller planes are continued as needed.
_TRIAL_PHASES = 64

_Sample = TypeVar("_Sample", np.uint8, np.uint16)


class PostFilter:
    """A network from a luma plane to a luma plane.

    Samples go in as 0 to 1. A network with a second input channel gets ``qp / 63`` there. A plane
    whose height or width is no multiple of the network's blocks (SpaceToDepth), or too small for
    its margins (Pad, reflected), is continued by its last row and column to the next size that the
    network takes, and cut again.

    Parameters
    ----------
    network : Network or IntegerNetwork
        With one or two input channels and one output channel, and an output as large as its input;
        64 blocks a side must be enough for its margins.

    Examples
    --------
    >>> post_filter = nnr.PostFilter.load(nnr.networks.POSTFILTER_LUMA)
    >>> decoded_luma = np.full((47, 63), 512, np.uint16)
    >>> post_filter.apply(decoded_luma, qp=37, bit_depth=10).shape
    (47, 63)
    """

    def __init__(self, network: Network | IntegerNetwork) -> None:
        plan = network.plan
        if plan.in_channels not in (1, 2) or plan.out_channels != 1:
            raise ValueError(
                "a post filter must have 1 or 2 input channels (luma, QP) and 1 output channel, "
                f"got {plan.in_channels} and {plan.out_channels}"
            )
        # Sizes grow evenly, so a network that keeps two of them keeps all.
        for side in (plan.phase * _TRIAL_PHASES, plan.phase * (_TRIAL_PHASES + 1)):
            if (size := plan.output_size(side, side)) != (side, side):
                raise ValueError(
                    f"a post filter must keep the size of a plane; this network makes {size} of "
                    f"{(side, side)}"
                )
        self._network = network
        self._bit_depth = (
            integer_bit_depth(network) if isinstance(network, IntegerNetwork) else None
        )

    @classmethod
    def load(cls, model: Model | str | os.PathLike[str]) -> PostFilter:
        """Make a post filter from a model, or from a model file; see `Network.load`.

        A file that `IntegerNetwork.save` wrote gives a filter of integers.
        """
        if not isinstance(model, Model) and is_integer_file(model):
            return cls(IntegerNetwork.load(model))
        return cls(Network.load(model))

    @property
    def network(self) -> Network | IntegerNetwork:
        """The network inside."""
        return self._network

    @property
    def bit_depth(self) -> int | None:
        """Bits a sample that a filter of integers is compiled for; None for floats, which take any."""
        return self._bit_depth

    def to_integer(
        self,
        samples: Iterable[tuple[NDArray[Any], int]],
        *,
        bit_depth: SupportsIndex | None = None,
        activation_bits: SupportsIndex = 8,
    ) -> PostFilter:
        """Compile the filter to integers, which give the same bits on every machine.

        Parameters
        ----------
        samples : iterable of (ndarray of uint8 or uint16, int)
            Some decoded planes, (height, width), and the QP of each. They should span the QPs that
            the filter is for; twenty planes of 160x160 are enough.
        bit_depth : int, optional
            Bits a sample, 8 to 15, of *samples* and of all that the filter will see. By default 8,
            which only planes of uint8 have.
        activation_bits : {8, 16}
            Bits of the values between convolutions: 8 is quicker, 16 more precise.

        Returns
        -------
        PostFilter
            Its `network` is an `IntegerNetwork`, which can be saved.

        Raises
        ------
        ValueError
            There are no samples, an argument is out of its range, or the filter is of integers
            already.

        Examples
        --------
        >>> post_filter = nnr.PostFilter.load(nnr.networks.POSTFILTER_LUMA)
        >>> plane = np.random.default_rng(1).integers(0, 256, (64, 64), np.uint8)
        >>> exact = post_filter.to_integer([(plane, 32)])
        >>> exact.apply(plane, qp=32).dtype
        dtype('uint8')
        """
        bits = 8 if bit_depth is None else check_integer(bit_depth, "bit_depth")
        activation = check_integer(activation_bits, "activation_bits")
        match self._network:
            case Network(graph=graph):
                return PostFilter(postfilter_to_integer(graph, samples, bits, activation))
            case _:
                raise ValueError("this filter is compiled to integers already")

    def explain(
        self, width: SupportsIndex, height: SupportsIndex, *, threads: SupportsIndex | None = None
    ) -> str:
        """Tell how the filter runs on a plane of this size; see `nnr.Network.explain`."""
        return explain_plan(self._network.plan, width, height, threads)

    def apply(
        self,
        plane: NDArray[_Sample],
        *,
        qp: SupportsIndex,
        bit_depth: SupportsIndex | None = None,
        out: NDArray[_Sample] | None = None,
        threads: SupportsIndex | None = None,
        _cut: tuple[int, int, int] | None = None,
    ) -> NDArray[_Sample]:
        """Filter one plane.

        Parameters
        ----------
        plane : ndarray of uint8 or uint16
            Shape (height, width); uint8 for 8 bits a sample, uint16 for more.
        qp : int
            The quantisation parameter that the plane was encoded with, 0 to 63. Networks with one
            input channel do not use it.
        bit_depth : int, optional
            Bits a sample: 9 to 16 for uint16, where it must be given; 8 for uint8.
        out : ndarray, optional
            Where the result goes; C-contiguous, of the shape and dtype of *plane*.
        threads : int, optional
            By default one a core. The result does not depend on it.

        Returns
        -------
        ndarray
            Of the shape and dtype of *plane*; *out* if it was given. Results are rounded to the
            nearest value, halves to even, within 0 to the peak.
        """
        peak = check_plane(plane, bit_depth)
        qp_value = check_qp(qp)
        if self._bit_depth is not None and peak.bit_length() != self._bit_depth:
            raise ValueError(
                f"this filter is compiled to integers for {self._bit_depth} bits a sample, got a "
                f"plane of {peak.bit_length()}"
            )
        if out is None:
            out = np.empty(plane.shape, plane.dtype)
        else:
            check_out(out, plane.shape, plane.dtype, plane)
        samples = np.require(plane, requirements=["C_CONTIGUOUS", "ALIGNED"])
        side = qp_value / MAX_QP if self._bit_depth is None else qp_value
        self._network.plan.filter_plane(samples, out, peak, side, check_threads(threads), _cut)
        return out

    def __repr__(self) -> str:
        return f"PostFilter({self._network!r})"
