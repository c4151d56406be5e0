"""Some pictures of a sequence at one QP: their streams, and the quality of what comes out."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cached_property

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
        stream = self._stream(loop_filters)
        key = self._measurement_key(stream, "no network")

        def measure() -> JsonObject:
            return asdict(self.measured(self.decoded(loop_filters)))

        return stream, Quality(**self._cache.measurement(key, measure))

    def filtered_quality(self, candidate: Candidate) -> Quality:
        """Return the quality of a network's output on the stream without in-loop filters."""
        # Convolution sums, and with them a rare sample, may differ between levels.
        network = f"{candidate.digest} at {cpu.current_target()}"
        key = self._measurement_key(self._unfiltered_stream, network)

        def measure() -> JsonObject:
            return asdict(self.measured(self.filtered(candidate)))

        return Quality(**self._cache.measurement(key, measure))

    def decoded(self, loop_filters: LoopFilters) -> list[Frame]:
        """Return the pictures of the stream with these in-loop filters."""
        return (
            self._unfiltered if loop_filters == "none" else vvc.decode(self._stream(loop_filters))
        )

    def filtered(self, candidate: Candidate) -> Iterator[Frame]:
        """Return what a network makes of the pictures without in-loop filters, one by one."""
        return (
            candidate.network.apply_frame(frame, qp=self._settings.qp, threads=self._threads)
            for frame in self._unfiltered
        )

    def measured(self, frames: Iterable[Frame]) -> Quality:
        """Measure decoded or filtered pictures against their sources."""
        quality = Quality()
        for source, frame in zip(self._frames, frames, strict=True):
            depths = {"source_bit_depth": source.bit_depth, "bit_depth": vvc.INTERNAL_BIT_DEPTH}
            quality.psnr.append(psnr(source.y, frame.y, **depths))
            for values, plane, decoded in (
                (quality.psnr_u, source.u, frame.u),
                (quality.psnr_v, source.v, frame.v),
            ):
                values.append(psnr(plane, decoded, **depths) if _has_colour(source) else math.nan)
            quality.ssim.append(ssim(source.y, frame.y, **depths))
        return quality

    @cached_property
    def _unfiltered_stream(self) -> VvcStream:
        return self._encoded("none")

    @cached_property
    def _unfiltered(self) -> list[Frame]:
        return vvc.decode(self._unfiltered_stream)

    @cached_property
    def _source_digest(self) -> str:
        return frames_digest(self._frames)

    def _stream(self, loop_filters: LoopFilters) -> VvcStream:
        return self._unfiltered_stream if loop_filters == "none" else self._encoded(loop_filters)

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


def _has_colour(frame: Frame) -> bool:
    return any(_varies(plane) for plane in (frame.u, frame.v))


def _varies(plane: Plane) -> bool:
    return bool((plane != plane.flat[0]).any())
