"""``nnr filter``."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .model_files import check_extension, check_input, check_output
from .output import print_json, progress, write_json

if TYPE_CHECKING:
    from ..models import Model
    from ..networks import PostFilter
    from ..video import Frame, FrameSequence

_SOURCE_FILES = (".y4m", ".yuv", ".png", ".jpg", ".jpeg")
_TARGET_FILES = (".y4m", ".yuv", ".png")
# Enough to see the range of every value, few enough that nobody waits for them.
_CALIBRATION_FRAMES = 4
# An integer network holds samples in 16 bits with a sign.
_MAX_INTEGER_BITS = 15


def filter_frames(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN",
            readable=False,
            help="A .y4m, .yuv, .png or .jpg file, or a folder of photographs.",
        ),
    ],
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUT",
            help="A .y4m, .yuv or .png file, or a new folder of PNG files. "
            "Only --explain does without.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=False,
            help="A model with its topology, compressed or not. Default: the bundled one.",
        ),
    ] = None,
    qp: Annotated[
        int, typer.Option(min=0, max=63, help="The QP that the frames were encoded with.")
    ] = 32,
    frames: Annotated[int | None, typer.Option(min=1, help="First frames. Default: all.")] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Of a .yuv file. Default: by its name.")
    ] = None,
    bit_depth: Annotated[
        int | None,
        typer.Option(min=8, max=16, help="Of a .yuv file. Default: by its name, or 8."),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(metavar="FPS", help="Of a .yuv file, such as 59.94. Default: by its name."),
    ] = None,
    integer: Annotated[
        bool,
        typer.Option(
            "--integer", help="Compile to integers: the same bits everywhere. Up to 15 bits."
        ),
    ] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Default: one a processor.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print how the network runs at this size.")
    ] = False,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json",
            metavar="FILE",
            dir_okay=False,
            allow_dash=True,
            help="Write every value here too; - prints them instead of the summary.",
        ),
    ] = None,
) -> None:
    """Filter video or photographs, frame by frame.

    The bundled network filters all planes; a network of luma leaves chroma as it is. Photographs go through YCbCr 4:2:0 of 8 bits.
    """
    from ..networks import POSTFILTER

    model = POSTFILTER if model is None else model
    _check_usage(source, target, model, json_file, explain=explain)
    sequence = _open(source, size, bit_depth, rate)
    count = min(len(sequence), frames or len(sequence))
    if target is not None and target.suffix.lower() == ".png" and count > 1:
        raise typer.BadParameter(
            f"{target} takes one frame, {source} has {count}; give a folder or --frames 1",
            param_hint="OUT",
        )
    if integer and sequence.format.bit_depth > _MAX_INTEGER_BITS:
        raise typer.BadParameter(
            f"--integer takes up to {_MAX_INTEGER_BITS} bits a sample, {source} has "
            f"{sequence.format.bit_depth}"
        )
    network, weights = _load(model)
    run = _Run(sequence, count, network, qp, threads)
    if integer:
        run.compile_to_integers()
    if explain:
        print(run.explanation())
    if target is None:
        return
    with progress("filtering", count, unit="frames") as advance:
        run.to_file(source, target, advance)
    values = {
        "input": str(source),
        "output": str(target),
        "model": str(model),
        "model_bytes": model.stat().st_size,
        "weights": weights,
        "integer": integer,
        **run.values(),
    }
    if _is_dash(json_file):
        print_json(values)
        return
    print(_summary(values))
    if json_file is not None:
        write_json(json_file, values)


@dataclass
class _Run:
    """The frames, the network that filters them, and how long that took."""

    sequence: FrameSequence
    count: int
    post_filter: PostFilter
    qp: int
    threads: int | None
    seconds: float = field(default=0.0, init=False)
    filter_seconds: float = field(default=0.0, init=False)

    def compile_to_integers(self) -> None:
        """Replace the network by an integer one, calibrated on a few frames of the sequence."""
        used = min(_CALIBRATION_FRAMES, self.count)
        # The middle of each of as many equal parts.
        indices = [(2 * part + 1) * self.count // (2 * used) for part in range(used)]
        samples = [(self.sequence[index], self.qp) for index in indices]
        self.post_filter = self.post_filter.to_integer(
            samples, bit_depth=self.sequence.format.bit_depth
        )

    def explanation(self) -> str:
        """Return how the network runs at the size of the frames."""
        size = self.sequence.format
        return self.post_filter.explain(size.width, size.height)

    def to_file(self, source: Path, target: Path, advance: Callable[[str], None]) -> None:
        """Filter frame by frame into *target*; *source* only names the pictures of a folder."""
        from ..video import write_png, write_png_folder, write_y4m, write_yuv

        start = time.perf_counter()
        frames = self._filtered(advance)
        match target.suffix.lower():
            case ".y4m" if self.sequence.rate is not None:
                write_y4m(target, frames, rate=self.sequence.rate)
            case ".y4m":
                write_y4m(target, frames)
            case ".yuv":
                write_yuv(target, frames)
            case ".png":
                for frame in frames:
                    write_png(target, frame)
            case _:
                write_png_folder(target, frames, names=_picture_names(source, self.count))
        self.seconds = time.perf_counter() - start

    def _filtered(self, advance: Callable[[str], None]) -> Iterator[Frame]:
        for index in range(self.count):
            frame = self.sequence[index]
            start = time.perf_counter()
            filtered = self.post_filter.apply_frame(frame, qp=self.qp, threads=self.threads)
            self.filter_seconds += time.perf_counter() - start
            yield filtered
            advance("")

    def values(self) -> dict[str, Any]:
        """Return what JSON has of the run."""
        from ..cpu import current_target, processor_count

        return {
            "frames": self.count,
            "width": self.sequence.format.width,
            "height": self.sequence.format.height,
            "bit_depth": self.sequence.format.bit_depth,
            "qp": self.qp,
            "threads": self.threads or processor_count(),
            "cpu_target": current_target(),
            "seconds": self.seconds,
            "filter_seconds": self.filter_seconds,
            "frames_per_second": self.count / self.seconds,
            "filter_frames_per_second": self.count / self.filter_seconds,
        }


def _summary(values: dict[str, Any]) -> str:
    frames = "1 frame" if values["frames"] == 1 else f"{values['frames']} frames"
    return (
        f"{frames} of {values['width']}x{values['height']} in {values['seconds']:.2f} s: "
        f"{values['frames_per_second']:.2f} frames a second, "
        f"{values['filter_frames_per_second']:.2f} filtering alone"
    )


def _check_usage(
    source: Path, target: Path | None, model: Path, json_file: Path | None, *, explain: bool
) -> None:
    """End with a usage error for arguments that do not fit each other, before any work."""
    from ..models import READABLE

    if not source.is_dir():
        check_input(source, "IN", _SOURCE_FILES)
    check_extension(model, "--model", READABLE)
    if target is not None:
        _check_target(source, target)
    elif not explain:
        raise typer.BadParameter("is missing; only --explain does without", param_hint="OUT")
    if json_file is None:
        return
    if target is None:
        raise typer.BadParameter("--json tells of filtering, which needs OUT")
    if _is_dash(json_file):
        if explain:
            raise typer.BadParameter("--explain prints text and --json - JSON; give --json a file")
        return
    if not os.access(json_file.parent, os.W_OK):
        raise typer.BadParameter(f"--json {json_file}: its folder does not exist or is read-only")
    if any(_is_same(json_file, other) for other in (source, target, model)):
        raise typer.BadParameter(f"--json {json_file}: is another file of this command")


def _check_target(source: Path, target: Path) -> None:
    if _is_same(source, target) or any(_is_same(path, target) for path in _pictures_of(source)):
        raise typer.BadParameter(f"{target} is the input", param_hint="OUT")
    if target.suffix.lower() in _TARGET_FILES:
        if target.is_dir():
            raise typer.BadParameter(f"{target} is a folder", param_hint="OUT")
        check_output(target, "OUT", _TARGET_FILES)
        return
    if target.is_dir():
        if any(target.iterdir()):
            raise typer.BadParameter(f"folder {target} is not empty", param_hint="OUT")
        return
    if target.suffix:
        raise typer.BadParameter(
            f"{target} must end in {', '.join(_TARGET_FILES)}, or be a folder: an empty one, or "
            "a new one without an extension",
            param_hint="OUT",
        )
    if target.exists():
        raise typer.BadParameter(f"{target} is no folder", param_hint="OUT")
    check_output(target, "OUT", ("",))


def _open(source: Path, size: str | None, bit_depth: int | None, rate: str | None) -> FrameSequence:
    from ..video import open_sequence
    from ..video.yuv import parse_name

    raw = {"--size": size, "--bit-depth": bit_depth, "--rate": rate}
    if source.is_dir() or source.suffix.lower() != ".yuv":
        for option, value in raw.items():
            if value is not None:
                raise typer.BadParameter(f"{option} is for .yuv files, {source} tells its own")
        return open_sequence(source)
    if size is None and parse_name(source.name).size is None:
        raise typer.BadParameter(f"--size is needed: the name {source.name} tells no size")
    return open_sequence(
        source,
        size=None if size is None else _size(size),
        bit_depth=bit_depth,
        rate=None if rate is None else _rate(rate),
    )


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if match is None:
        raise typer.BadParameter(f"--size {text}: must be WIDTHxHEIGHT, such as 416x240")
    return int(match[1]), int(match[2])


def _rate(text: str) -> Fraction:
    if re.fullmatch(r"\d{1,6}(\.\d{1,6})?|\d{1,6}/[1-9]\d{0,5}", text) is None or not Fraction(
        text
    ):
        raise typer.BadParameter(f"--rate {text}: must be such as 50, 59.94 or 30000/1001")
    return Fraction(text)


def _load(path: Path) -> tuple[PostFilter, int]:
    """Return the post filter and how many weights its model has."""
    from ..models import load
    from ..networks import PostFilter

    model = load(path)
    try:
        return PostFilter.load(model), _weights_of(model)
    except ValueError as error:  # it tells what is wrong, and of no file
        raise ValueError(f"{path}: {error}") from error


def _weights_of(model: Model) -> int:
    # NumPy's kind of float is f; the types of ml_dtypes are of kind V.
    return sum(array.size for array in model.tensors.values() if array.dtype.kind in "fV")


def _picture_names(source: Path, count: int) -> list[str] | None:
    """Return the names of the input's pictures; None where it has none, or two with one name."""
    if not source.is_dir() and source.suffix.lower() in (".y4m", ".yuv"):
        return None
    pictures = _pictures_of(source) or [source]
    names = [f"{path.stem}.png" for path in pictures[:count]]
    return names if len(set(names)) == len(names) else None


def _pictures_of(source: Path) -> list[Path]:
    from ..video.images import paths_in

    return paths_in(source) if source.is_dir() else []


def _is_same(first: Path, second: Path) -> bool:
    if os.path.realpath(first) == os.path.realpath(second):
        return True
    try:
        return first.samefile(second)  # which also sees hard links
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_dash(path: Path | None) -> bool:
    return path is not None and str(path) == "-"
