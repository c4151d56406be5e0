"""A network that improves decoded planes."""

from __future__ import annotations

import os
from typing import SupportsIndex, TypeVar

import numpy as np
from numpy.typing import NDArray

from .._arguments import check_integer, check_out, check_threads
from ..models import Model
from .network import Network

MAX_QP = 63  # of VVC
_BYTE_BITS = 8
_MAX_BITS = 16
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
    network : Network
        With one or two input channels and one output channel, and an output as large as its input;
        64 blocks a side must be enough for its margins.

    Examples
    --------
    >>> post_filter = nnr.PostFilter.load(nnr.networks.POSTFILTER_LUMA)
    >>> decoded_luma = np.full((47, 63), 512, np.uint16)
    >>> post_filter.apply(decoded_luma, qp=37, bit_depth=10).shape
    (47, 63)
    """

    def __init__(self, network: Network) -> None:
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

    @classmethod
    def load(cls, model: Model | str | os.PathLike[str]) -> PostFilter:
        """Make a post filter from a model, or from a model file; see `Network.load`."""
        return cls(Network.load(model))

    @property
    def network(self) -> Network:
        """The network inside."""
        return self._network

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
        peak = _check_plane(plane, bit_depth)
        qp_value = check_integer(qp, "qp")
        if not 0 <= qp_value <= MAX_QP:
            raise ValueError(f"qp must be 0 to {MAX_QP}, got {qp_value}")
        if out is None:
            out = np.empty(plane.shape, plane.dtype)
        else:
            check_out(out, plane.shape, plane.dtype, plane)
        samples = np.require(plane, requirements=["C_CONTIGUOUS", "ALIGNED"])
        side = qp_value / MAX_QP
        self._network.plan.filter_plane(samples, out, peak, side, check_threads(threads), _cut)
        return out

    def __repr__(self) -> str:
        return f"PostFilter({self._network!r})"


def _check_plane(plane: NDArray[_Sample], bit_depth: SupportsIndex | None) -> int:
    """The peak value of the plane's samples."""
    if not isinstance(plane, np.ndarray) or plane.dtype not in (np.uint8, np.uint16):
        got = plane.dtype if isinstance(plane, np.ndarray) else type(plane).__name__
        raise TypeError(f"plane must be an array of uint8 or uint16, got {got}")
    if plane.ndim != 2 or plane.size == 0:
        raise ValueError(f"plane must have shape (height, width), not empty, got {plane.shape}")
    if plane.dtype == np.uint8:
        bits = _BYTE_BITS if bit_depth is None else check_integer(bit_depth, "bit_depth")
        if bits != _BYTE_BITS:
            raise ValueError(f"bit_depth must be 8 for a plane of uint8, got {bits}")
        return (1 << _BYTE_BITS) - 1
    if bit_depth is None:
        raise ValueError("bit_depth must be given for a plane of uint16")
    bits = check_integer(bit_depth, "bit_depth")
    if not _BYTE_BITS < bits <= _MAX_BITS:
        raise ValueError(f"bit_depth must be 9 to 16 for a plane of uint16, got {bits}")
    peak = (1 << bits) - 1
    if (largest := int(plane.max())) > peak:
        raise ValueError(f"plane holds {largest}, more than {bits} bits a sample")
    return peak
