"""The post filter's evaluation: what compressing the network costs in decoded video.

Every sequence is encoded with all, some and none of VVC's in-loop filters. The network, in its
original and in its reconstructed forms, filters the pictures of the stream without any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._arguments import check_bits, check_integer
from ..cpu import processor_count
from ..networks import POSTFILTER
from ..video import vvc
from ..video.sequence import FrameSequence
from ..video.vvc import VvcSettings
from .cache import Cache
from .candidates import Candidate, entropy_coded, fixed_length, from_file, original
from .chunk import Chunk
from .examples import Example, example
from .metrics import SSIM_MIN_SIDE
from .report import PostFilterReport
from .results import ANCHORS, Anchor, Quality, SequenceResult, row_by_size

# Luma samples of the pictures that are encoded, decoded and filtered at a time. It bounds memory,
# and a run that was killed repeats no more than this. Every intra picture carries its own parameter
# sets, so the streams of the chunks have together exactly the bytes of one stream.
_CHUNK_SAMPLES = 8 << 20

OnStep = Callable[[str], None]
"""Called after each step with what it did."""


@dataclass(frozen=True)
class PostFilterTask:
    """Measure what compressing a post filter costs in decoded VVC video.

    Parameters
    ----------
    sequences : sequence of FrameSequence
        8 or 10 bit, at least 11x11 samples.
    network : str or Path
        A model file that `nnr.load` reads and `nnr.PostFilter` runs; by default the bundled one.
    qps : sequence of int
        Quantisation parameters of VVC, 0 to 63.
    bits : int
        Bits a weight of the reconstructed network, 1 to 16.
    sweep_bits : sequence of int
        More widths, whose sizes and losses are listed, of fixed length and as NNC bitstreams.
    compressed : sequence of str or Path
        Files that hold the network compressed in other ways, to be evaluated too.
    frames : int, optional
        How many of the first pictures of each sequence are used; by default all.
    preset : {"faster", "fast", "medium", "slow", "slower"}
        VVenC's effort.
    row_of : callable
        The label of the table row in which a sequence counts; by default its picture size.

    Examples
    --------
    >>> from nnr.evaluation import PostFilterTask, photographs
    >>> task = PostFilterTask(photographs(), qps=[37])
    >>> task.step_count  # six photographs, three streams and three networks
    36
    """

    sequences: Sequence[FrameSequence]
    network: str | Path = POSTFILTER
    qps: Sequence[int] = (32, 37)
    bits: int = 8
    sweep_bits: Sequence[int] = ()
    compressed: Sequence[str | Path] = ()
    frames: int | None = None
    preset: vvc.Preset = "faster"
    row_of: Callable[[FrameSequence], str] = row_by_size

    def __post_init__(self) -> None:
        if not self.sequences or not self.qps:
            raise ValueError("sequences and qps must hold at least one each")
        for qp in self.qps:
            VvcSettings(qp, preset=self.preset)
        if self.frames is not None and check_integer(self.frames, "frames") < 1:
            raise ValueError(f"frames must be at least 1, got {self.frames}")
        for bits in self._widths():
            check_bits(bits)
        for sequence in self.sequences:
            _check_source(sequence)

    @property
    def step_count(self) -> int:
        """How often `run` calls *on_step*."""
        chunks = sum(len(self._chunk_ranges(sequence)) for sequence in self.sequences)
        networks = 1 + 2 * len(self._widths()) + len(self.compressed)
        return chunks * len(self._qps()) * (len(ANCHORS) + networks)

    def run(
        self,
        *,
        threads: int | None = None,
        cache: Cache | None = None,
        on_step: OnStep = lambda description: None,  # noqa: ARG005
    ) -> PostFilterReport:
        """Encode, decode, filter and measure whatever the cache does not hold.

        Parameters
        ----------
        threads : int, optional
            Of the encoder and the network; by default one a processor. No result depends on it.
        cache : Cache, optional
            By default the one in the user's cache folder.
        on_step : callable
            Called after each step with what it did.
        """
        cache = Cache() if cache is None else cache
        threads = threads or processor_count()
        candidates = self.candidates()
        results = [
            self._run_one(sequence, qp, candidates, cache, threads, on_step)
            for sequence in self.sequences
            for qp in self._qps()
        ]
        return PostFilterReport(
            Path(self.network).name, candidates, results, vvc.encoder_version(), self.preset
        )

    def candidates(self) -> list[Candidate]:
        """Return the original, its reconstructed forms of fixed length, then all others."""
        first = original(Path(self.network))
        return [
            first,
            *(fixed_length(first.model, bits) for bits in self._widths()),
            *(entropy_coded(first.model, bits) for bits in self._widths()),
            *(from_file(Path(path), first.model) for path in self.compressed),
        ]

    def examples(
        self,
        report: PostFilterReport,
        *,
        count: int = 4,
        threads: int | None = None,
        cache: Cache | None = None,
    ) -> list[Example]:
        """Return the first frames of the first sequences, at the highest QP, to be looked at.

        Parameters
        ----------
        report : PostFilterReport
            What `run` returned; its original and its reconstructed network are used.
        count : int
            The most frames to return.
        threads, cache
            As for `run`.
        """
        cache, threads = Cache() if cache is None else cache, threads or processor_count()
        qp = max(self.qps)
        settings = VvcSettings(qp, preset=self.preset)
        return [
            example(
                sequence.name,
                qp,
                sequence[0],
                Chunk([sequence[0]], settings, cache, threads),
                [report.original, report.reconstructed],
            )
            for sequence in self.sequences[:count]
        ]

    def _run_one(
        self,
        sequence: FrameSequence,
        qp: int,
        candidates: Sequence[Candidate],
        cache: Cache,
        threads: int,
        on_step: OnStep,
    ) -> SequenceResult:
        anchors = {key: Anchor() for key in ANCHORS}
        columns = [*ANCHORS, *(candidate.label for candidate in candidates)]
        quality = {column: Quality() for column in columns}
        for indices in self._chunk_ranges(sequence):
            frames = sequence[indices.start : indices.stop]
            chunk = Chunk(frames, VvcSettings(qp, preset=self.preset), cache, threads)
            for key in ANCHORS:
                stream, anchor_quality = chunk.anchor(key)
                anchors[key].add(stream)
                quality[key].add(anchor_quality)
                on_step(f"{sequence.name} QP {qp} {key}")
            for candidate in candidates:
                quality[candidate.label].add(chunk.filtered_quality(candidate))
                on_step(f"{sequence.name} QP {qp} CNN {candidate.label}")
        return SequenceResult(
            sequence.name,
            self.row_of(sequence),
            sequence.format,
            self._frame_count(sequence),
            qp,
            anchors,
            quality,
        )

    def _qps(self) -> list[int]:
        return list(dict.fromkeys(self.qps))

    def _widths(self) -> list[int]:
        return list(dict.fromkeys([self.bits, *self.sweep_bits]))

    def _frame_count(self, sequence: FrameSequence) -> int:
        return min(len(sequence), self.frames or len(sequence))

    def _chunk_ranges(self, sequence: FrameSequence) -> list[range]:
        samples = sequence.format.width * sequence.format.height
        step = max(1, _CHUNK_SAMPLES // samples)
        count = self._frame_count(sequence)
        return [range(start, min(start + step, count)) for start in range(0, count, step)]


def _check_source(sequence: FrameSequence) -> None:
    source = sequence.format
    if min(source.width, source.height) < SSIM_MIN_SIDE:
        raise ValueError(
            f"{sequence.name}: pictures must be at least {SSIM_MIN_SIDE}x{SSIM_MIN_SIDE} for SSIM, "
            f"these are {source.width}x{source.height}"
        )
    if source.bit_depth not in vvc.SOURCE_BIT_DEPTHS:
        raise ValueError(
            f"{sequence.name}: VVC input must be 8 or 10 bit, this is {source.bit_depth}"
        )
