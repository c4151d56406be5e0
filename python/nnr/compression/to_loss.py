"""``nnr.compress_to_loss``."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..coding.nnc import NncFile, decode
from ..coding.uniform import CompressedModel
from ..files import atomic_write
from ..models import BITSTREAMS
from ..models.file_sizes import FileSizes
from ..models.model import Model
from ..networks import PostFilter

# What concerns video is imported where it is needed: most users of the package never see any.
if TYPE_CHECKING:
    from ..evaluation import Cache
    from ..video import FrameSequence
    from .coder import Coder
    from .loss import Loss, LossMeter
    from .search import Found

ChoiceT = TypeVar("ChoiceT")

DEFAULT_QPS = (22, 27, 32, 37, 42)
"""Those of the video coding community's common test conditions, and one more."""

# Trials of the search that do not depend on the number of tensors, and those that do, for a bar.
_USUAL_TRIALS, _USUAL_TRIALS_A_TENSOR = 45, 3.0
# The error, of the root mean square of a tensor, whose loss is told.
_TOLD_ERROR = 0.01


@dataclass(frozen=True)
class TensorChoice:
    """How a tensor was coded, and what that costs.

    Parameters
    ----------
    name : str
    shape : tuple of int
    dtype : str
        NumPy's name of its type.
    original_bytes, stored_bytes : int
    settings : dict
        ``qp``, ``step``, ``dq``, ``rdo`` and ``grid`` in a bitstream, ``bits`` in the fixed-length
        form; empty for a tensor that is stored as it is.
    sensitivity : float or None
        The loss in dB where the values of this tensor are off by 1 % of their root mean square.
        None for a tensor that is stored as it is, or that does not change the output.
    loss : float
        The loss in dB that its coding costs where the others are as they were: `Loss.change`,
        measured or, where it is small, by the sensitivity.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    original_bytes: int
    stored_bytes: int
    settings: dict[str, Any]
    sensitivity: float | None
    loss: float


@dataclass(frozen=True, eq=False)
class LossCompression:
    """A network compressed to a loss.

    Parameters
    ----------
    coded : bytes or CompressedModel
        A bitstream, or the fixed-length form.
    tensors : list of TensorChoice
    loss : Loss
        What the network that *coded* gives back loses, measured.
    max_loss : float
        What was allowed, in dB.
    meter : LossMeter
        What it was measured by.
    trials : int
        Forms of the network that were run.
    """

    coded: bytes | CompressedModel
    tensors: list[TensorChoice]
    loss: Loss
    max_loss: float
    meter: LossMeter = field(repr=False)
    trials: int

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file; an existing one is replaced only when the new one is complete.

        Raises
        ------
        ValueError
            *path* does not end in ``.nnr`` or ``.nnc``, or the fixed-length form's in
            ``.safetensors``.
        """
        if isinstance(self.coded, CompressedModel):
            self.coded.save(path)
            return
        if Path(path).suffix.lower() not in BITSTREAMS:
            raise ValueError(
                f"{os.fspath(path)!r}: a bitstream is a {' or '.join(BITSTREAMS)} file"
            )
        with atomic_write(Path(path)) as file:
            file.write(self.coded)

    def decompress(self) -> Model:
        """Return the reconstructed model."""
        return _decompressed(self.coded)

    def sizes(self) -> FileSizes:
        """Return the size of the file that `save` writes."""
        if isinstance(self.coded, CompressedModel):
            return self.coded.sizes()
        return FileSizes(len(self.coded), NncFile(self.coded).payload_bytes)


def compress_to_loss(
    model: Model,
    frames: str | os.PathLike[str] | Sequence[FrameSequence],
    *,
    max_loss: float,
    qps: Sequence[int] = DEFAULT_QPS,
    fixed_length: bool = False,
    per_channel: bool = False,
    keep: Sequence[str] = (),
    all_tensors: bool = False,
    cache: Cache | None = None,
    threads: int | None = None,
    on_step: Callable[[str], None] = lambda step: None,  # noqa: ARG005
) -> LossCompression:
    """Compress a post filter to the fewest bytes at which it loses no more PSNR than allowed.

    Frames are encoded with VVC without in-loop filters and decoded, the original network and its
    compressed forms filter them, and the PSNR against the source is compared: that of luma, for a
    network of frames the mean of Y, Cb and Cr, 6:1:1. docs/compression.md tells how the step of each
    tensor is found. The same arguments give the same file, at the same SIMD level.

    Parameters
    ----------
    model : Model
        A network that `nnr.PostFilter` runs.
    frames : path or sequence of FrameSequence
        Video or photographs: a file, or a folder of them. Patches of 160x160 samples are cut of eight
        frames at most.
    max_loss : float
        In dB, above 0.
    qps : sequence of int
        The quantisation parameters that the frames are encoded with, 0 to 63.
    fixed_length : bool
        Look for the bits a weight of each tensor in the fixed-length form (``.safetensors``), in the
        place of a bitstream (``.nnr``).
    per_channel, all_tensors : bool
        Of the fixed-length form; see `nnr.compress`.
    keep : sequence of str
        Patterns of the names of tensors that are stored as they are.
    cache : Cache, optional
        Where encoded frames are kept; by default in the user's cache folder.
    threads : int, optional
        By default one a core. The result does not depend on it.
    on_step : callable
        Called after each step with what it did; there are about `expected_steps` of them.

    Returns
    -------
    LossCompression

    Raises
    ------
    ValueError
        The model is no post filter, there are no frames, an argument is out of its range, or even
        the finest steps lose more.
    ExternalToolError
        ffmpeg is missing or cannot encode VVC.

    Examples
    --------
    It takes minutes, so that it is not run where this documentation is tested:

    >>> model = nnr.load(nnr.networks.POSTFILTER)
    >>> found = nnr.compress_to_loss(model, "photographs", max_loss=0.005)  # doctest: +SKIP
    >>> found.save("filter.nnr")  # doctest: +SKIP
    >>> found.loss.psnr <= 0.005  # doctest: +SKIP
    True
    """
    if not 0 < max_loss < math.inf:
        raise ValueError(f"max_loss must be above 0 dB, got {max_loss}")
    if (per_channel or all_tensors) and not fixed_length:
        raise ValueError("per_channel and all_tensors are of the fixed-length form")
    from .calibration import calibration_pictures
    from .loss import LossMeter

    post_filter = PostFilter.load(model)
    sequences = _opened(frames)
    pictures = calibration_pictures(
        sequences, qps=qps, cache=cache, threads=threads or 1, on_step=on_step
    )
    meter = LossMeter(pictures, post_filter, threads)
    if fixed_length:
        from .uniform_coder import UniformCoder

        uniform = UniformCoder(model, per_channel=per_channel, keep=keep, all_tensors=all_tensors)
        return _searched(model, uniform, uniform.compressed, meter, max_loss, on_step)
    from .entropy_coder import EntropyCoder

    entropy = EntropyCoder(model, keep=_named(model, keep), threads=threads)
    return _searched(model, entropy, entropy.data, meter, max_loss, on_step)


def expected_steps(model: Model, qps: Sequence[int]) -> int:
    """Return about how often `compress_to_loss` calls *on_step*."""
    floats = sum(array.dtype.kind not in "iub" for array in model.tensors.values())
    return len(qps) + _USUAL_TRIALS + round(_USUAL_TRIALS_A_TENSOR * floats)


def _searched(
    model: Model,
    coder: Coder[ChoiceT],
    code: Callable[[dict[str, ChoiceT]], bytes | CompressedModel],
    meter: LossMeter,
    max_loss: float,
    on_step: Callable[[str], None],
) -> LossCompression:
    from .search import Search

    search = Search(coder, meter, max_loss, on_step)
    found = search.run()
    coded = code(found.choices)
    # Of what was coded, not of what was tried: nothing of it is taken for granted.
    loss = meter.measure(PostFilter.load(_decompressed(coded)))
    tensors = _tensor_choices(model, coder, found, search.singles.sensitivities)
    return LossCompression(coded, tensors, loss, max_loss, meter, search.trials)


def _tensor_choices(
    model: Model, coder: Coder[ChoiceT], found: Found[ChoiceT], sensitivities: dict[str, float]
) -> list[TensorChoice]:
    choices = []
    for name, array in model.tensors.items():
        option = found.allocation.get(name)
        sensitivity = sensitivities.get(name)
        if sensitivity is not None:
            sensitivity *= (coder.scale(name) * _TOLD_ERROR) ** 2
        choices.append(
            TensorChoice(
                name,
                array.shape,
                array.dtype.name,
                array.nbytes,
                coder.kept_size(name) if option is None else option.size,
                {} if option is None else coder.describe(name, option.choice),
                sensitivity,
                0.0 if option is None else option.loss,
            )
        )
    return choices


def _decompressed(coded: bytes | CompressedModel) -> Model:
    return coded.decompress() if isinstance(coded, CompressedModel) else decode(coded)


def _opened(frames: str | os.PathLike[str] | Sequence[FrameSequence]) -> Sequence[FrameSequence]:
    if not isinstance(frames, str | os.PathLike):
        return frames
    from ..video import find_sequences, open_sequence

    path = Path(frames)
    return find_sequences(path) if path.is_dir() else [open_sequence(path)]


def _named(model: Model, patterns: Sequence[str]) -> set[str]:
    """The tensors whose names fit one of *patterns*."""
    names = set()
    for pattern in patterns:
        fitting = {name for name in model.tensors if fnmatchcase(name, pattern)}
        if not fitting:
            raise ValueError(f"keep: no tensor is named {pattern!r}")
        names |= fitting
    return names
