"""Some pictures of a sequence at one QP: their streams, and the quality of what comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from .. import cpu
from ..video import vvc
from ..video.frame import Frame, Plane
from ..video.vvc import LoopFilters, VvcSettings, VvcStream
from .cache import Cache, JsonObject, code_digest, content_key, frames_digest
from .candidates import Candidate
from .metrics import psnr, ssim
from .results import Quality


class Chunk:
    """Pictures that are encoded, decoded, filtered and measured together.

    Parameters
    ----------
    frames : sequence of Frame
    settings : VvcSettings
        QP and preset; the loop filters are given to each method.
    cache : Cache
    threads : int
    """

    def __init__(
        self, frames: Sequence[Frame], settings: VvcSettings, cache: Cache, threads: int
    ) -> None:
        self._frames = frames
        self._settings = settings
        self._cache = cache
        self._threads = threads

    def anchor(self, loop_filters: LoopFilters) -> tuple[VvcStream, Quality]:
        """Return the stream with these in-loop filters, and the quality of its pictures."""
        is_unfiltered = loop_filters == "none"
        stream = self._unfiltered_stream if is_unfiltered else self._encoded(loop_filters)
        key = self._measurement_key(stream, "no network")

        def measure() -> JsonObject:
            decoded = self._unfiltered if is_unfiltered else vvc.decode(stream)
            return self._measured([frame.y for frame in decoded])

        return stream, Quality(**self._cache.measurement(key, measure))

    def filtered(self, candidate: Candidate) -> Quality:
        """Return the quality of a network's output on the stream without in-loop filters."""
        # Convolution sums, and with them a rare sample, may differ between levels.
        network = f"{candidate.digest} at {cpu.current_target()}"
        key = self._measurement_key(self._unfiltered_stream, network)

        def apply(frame: Frame) -> Plane:
            luma = cast(NDArray[np.uint16], frame.y)  # as vvc.decode gives it
            return candidate.network.apply(
                luma, qp=self._settings.qp, bit_depth=frame.bit_depth, threads=self._threads
            )

        def measure() -> JsonObject:
            return self._measured([apply(frame) for frame in self._unfiltered])

        return Quality(**self._cache.measurement(key, measure))

    @cached_property
    def _unfiltered_stream(self) -> VvcStream:
        return self._encoded("none")

    @cached_property
    def _unfiltered(self) -> list[Frame]:
        return vvc.decode(self._unfiltered_stream)

    @cached_property
    def _source_digest(self) -> str:
        return frames_digest(self._frames)

    def _encoded(self, loop_filters: LoopFilters) -> VvcStream:
        settings = replace(self._settings, loop_filters=loop_filters)
        return self._cache.stream(self._frames, settings, threads=self._threads)

    def _measurement_key(self, stream: VvcStream, network: str) -> str:
        return content_key(
            "measurement",
            code_digest(),
            self._source_digest,
            hashlib.sha256(stream.data).hexdigest(),
            self._settings.qp,
            network,
        )

    def _measured(self, planes: list[Plane]) -> JsonObject:
        depths = {
            "source_bit_depth": self._frames[0].bit_depth,
            "bit_depth": vvc.INTERNAL_BIT_DEPTH,
        }
        pairs = [(frame.y, plane) for frame, plane in zip(self._frames, planes, strict=True)]
        return {
            "psnr": [psnr(source, plane, **depths) for source, plane in pairs],
            "ssim": [ssim(source, plane, **depths) for source, plane in pairs],
        }
