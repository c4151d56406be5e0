"""A network that improves decoded planes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from .._arguments import check_integer, check_out, check_threads
from ..models import Model
from .explain import explain_plan
from .integer import IntegerNetwork, integer_bit_depth, is_integer_file, postfilter_to_integer
from .network import Network
from .planes import FRAME_CHANNELS, MAX_QP, check_plane, check_qp

if TYPE_CHECKING:
    from ..video.frame import Frame, Plane

# Every post filter takes a plane of as many phases a side; smaller planes are continued as needed.
_TRIAL_PHASES = 64

_Sample = TypeVar("_Sample", np.uint8, np.uint16)


class PostFilter:
    """A network that improves the luma of decoded frames, or all their planes.

    Samples go in as 0 to 1. A network of luma has one channel for it and may have a second, which
    gets ``qp / 63``. A network of frames has six channels of samples at the resolution of 4:2:0
    chroma, the four phases of luma row by row, Cb and Cr, and may have a seventh for the QP. What
    comes out has the channels of samples again.

    A plane whose height or width is no multiple of the network's blocks (SpaceToDepth), or too
    small for its margins (Pad, reflected), is continued by its last row and column to the next
    size that the network takes, and cut again.

    Parameters
    ----------
    network : Network or IntegerNetwork
        With 1 or 2 input channels and 1 output channel, or with 6 or 7 and 6, and an output as
        large as its input; 64 blocks a side must be enough for its margins.

    Examples
    --------
    >>> from nnr.video import Frame
    >>> post_filter = nnr.PostFilter.load(nnr.networks.POSTFILTER)
    >>> luma, chroma = np.full((47, 63), 512, np.uint16), np.full((24, 32), 500, np.uint16)
    >>> post_filter.apply_frame(Frame(luma, chroma, chroma, 10), qp=37).y.shape
    (47, 63)
    """

    def __init__(self, network: Network | IntegerNetwork) -> None:
        plan = network.plan
        channels = (plan.in_channels, plan.out_channels)
        is_luma = channels in ((1, 1), (2, 1))
        if not is_luma and channels not in (
            (FRAME_CHANNELS, FRAME_CHANNELS),
            (FRAME_CHANNELS + 1, FRAME_CHANNELS),
        ):
            raise ValueError(
                "a post filter must have 1 or 2 input channels (luma, QP) and 1 output channel, or "
                "6 or 7 (phases of luma, Cb, Cr, QP) and 6, "
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
        self._filters_chroma = not is_luma
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
    def filters_chroma(self) -> bool:
        """Whether it is a network of frames."""
        return self._filters_chroma

    @property
    def bit_depth(self) -> int | None:
        """Bits a sample that a filter of integers is compiled for; None for floats, which take any."""
        return self._bit_depth

    def to_integer(
        self,
        samples: Iterable[tuple[NDArray[Any] | Frame, int]],
        *,
        bit_depth: SupportsIndex | None = None,
        activation_bits: SupportsIndex = 8,
    ) -> PostFilter:
        """Compile the filter to integers, which give the same bits on every machine.

        Parameters
        ----------
        samples : iterable of (Frame or ndarray of uint8 or uint16, int)
            Some decoded frames, or planes of luma, (height, width), for a network of luma, and the
            QP of each. They should span the QPs that the filter is for; twenty of 160x160 are
            enough.
        bit_depth : int, optional
            Bits a sample, 8 to 15, of *samples* and of all that the filter will see; by default 8.
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
        >>> post_filter = nnr.PostFilter.load(nnr.networks.POSTFILTER)
        >>> random = np.random.default_rng(1)
        >>> y, u, v = (random.integers(0, 256, (side, side), np.uint8) for side in (64, 32, 32))
        >>> frame = nnr.video.Frame(y, u, v)
        >>> exact = post_filter.to_integer([(frame, 32)])
        >>> exact.apply_frame(frame, qp=32).y.dtype
        dtype('uint8')
        """
        bits = 8 if bit_depth is None else check_integer(bit_depth, "bit_depth")
        activation = check_integer(activation_bits, "activation_bits")
        planes = ((self._planes_of(sample), qp) for sample, qp in samples)
        match self._network:
            case Network(graph=graph):
                return PostFilter(postfilter_to_integer(graph, planes, bits, activation))
            case _:
                raise ValueError("this filter is compiled to integers already")

    def explain(
        self, width: SupportsIndex, height: SupportsIndex, *, threads: SupportsIndex | None = None
    ) -> str:
        """Tell how the filter runs on a frame of this size; see `nnr.Network.explain`."""
        if self._filters_chroma:  # its network sees the size of chroma
            width, height = (check_integer(side, "size") + 1 >> 1 for side in (width, height))
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
        """Filter one plane with a network of luma.

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
        if self._filters_chroma:
            raise ValueError("this network filters all planes of a frame: see apply_frame")
        peak = self._checked_peak(plane, bit_depth)
        if out is None:
            out = np.empty(plane.shape, plane.dtype)
        else:
            check_out(out, plane.shape, plane.dtype, plane)
        self._filter([plane], [out], peak, qp, threads, _cut)
        return out

    def apply_frame(
        self,
        frame: Frame,
        *,
        qp: SupportsIndex,
        threads: SupportsIndex | None = None,
        _cut: tuple[int, int, int] | None = None,
    ) -> Frame:
        """Filter a frame: all its planes, or with a network of luma that, the same chroma beside it.

        Parameters
        ----------
        frame : nnr.video.Frame
        qp : int
            The quantisation parameter that the frame was encoded with, 0 to 63.
        threads : int, optional
            By default one a core. The result does not depend on it.

        Returns
        -------
        nnr.video.Frame
            Of the same size and bit depth.
        """
        planes = self._planes_of(frame)
        for plane in planes:
            peak = self._checked_peak(plane, frame.bit_depth)
        filtered = [np.empty_like(plane, order="C") for plane in planes]
        self._filter(planes, filtered, peak, qp, threads, _cut)
        names = "yuv"[: len(filtered)]
        return replace(frame, **cast(dict[str, Any], dict(zip(names, filtered, strict=True))))

    def _planes_of(self, sample: Frame | NDArray[Any]) -> list[Plane]:
        """The planes that the network sees of a frame, or of luma alone."""
        if isinstance(sample, np.ndarray):
            if self._filters_chroma:
                raise TypeError("this network filters frames, got a plane")
            return [sample]
        return list(sample.planes if self._filters_chroma else sample.planes[:1])

    def _checked_peak(self, plane: Plane, bit_depth: SupportsIndex | None) -> int:
        peak = check_plane(plane, bit_depth)
        if self._bit_depth is not None and peak.bit_length() != self._bit_depth:
            raise ValueError(
                f"this filter is compiled to integers for {self._bit_depth} bits a sample, got a "
                f"plane of {peak.bit_length()}"
            )
        return peak

    def _filter(
        self,
        planes: Sequence[Plane],
        out: Sequence[NDArray[Any]],
        peak: int,
        qp: SupportsIndex,
        threads: SupportsIndex | None,
        cut: tuple[int, int, int] | None,
    ) -> None:
        value = check_qp(qp)
        side = value / MAX_QP if self._bit_depth is None else value
        samples = [np.require(plane, requirements=["C_CONTIGUOUS", "ALIGNED"]) for plane in planes]
        self._network.plan.filter_planes(samples, out, peak, side, check_threads(threads), cut)

    def __repr__(self) -> str:
        return f"PostFilter({self._network!r})"
