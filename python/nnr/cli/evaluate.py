"""``nnr evaluate``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer
from typer.core import TyperGroup

from .evaluate_autoencoder import autoencoder, autoencoder_case, default_task
from .evaluation_output import (
    EvaluationOutput,
    UseCase,
    compressai_option,
    json_option,
    page_option,
)
from .output import progress
from .several import SeveralQps

if TYPE_CHECKING:
    from ..evaluation import Cache, PostFilterReport, PostFilterTask

# The command that stands for no command; it has the options of `postfilter`.
_ALL = "all"
# What a page shows unless other widths are asked for.
_ALL_WIDTHS = "2-16"


class _AllByDefault(TyperGroup):
    """Take ``nnr evaluate`` and its options for all use cases."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in where there is none."""
        names_command = args and (not args[0].startswith("-") or args[0] == "--help")
        return super().parse_args(ctx, args if names_command else [_ALL, *args])


app = typer.Typer(
    cls=_AllByDefault,
    help="Measure what compressing a network costs where it is used. "
    "Without a command it is every use case, with the options of postfilter.",
)
app.command()(autoencoder)


@app.command(_ALL, cls=SeveralQps, hidden=True)
@app.command(cls=SeveralQps)
def postfilter(
    context: typer.Context,
    sequences: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Folder of .yuv and .y4m files, PNG or JPEG files, and folders of these. "
            "Default: six photographs from the scikit-image package.",
        ),
    ] = None,
    network: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Default: the bundled one."),
    ] = None,
    compressed: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="What the network was compressed to, such as an .nnr file, to be evaluated too.",
        ),
    ] = None,
    qp: Annotated[
        list[int] | None,
        typer.Option(
            metavar="QP...",
            min=0,
            max=63,
            help="One or more; BD-rate from four on. Default: 32 37.",
        ),
    ] = None,
    bits: Annotated[int, typer.Option(min=1, max=16, help="Bits a reconstructed weight.")] = 8,
    frames: Annotated[
        int | None, typer.Option(min=1, help="First pictures of each sequence. Default: all.")
    ] = None,
    preset: Annotated[
        str, typer.Option(help="VVenC's: faster, fast, medium, slow, slower.")
    ] = "faster",
    sweep_bits: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST-LAST",
            help="Compare more widths. Default: 2-16 with --report, else none.",
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Default: one a processor.")] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", file_okay=False, help="Default: nnr in the user's cache folder."
        ),
    ] = None,
    page_file: Annotated[Path | None, page_option()] = None,
    json_file: Annotated[Path | None, json_option()] = None,
    compressai_folder: Annotated[Path | None, compressai_option()] = None,
) -> None:
    """Encode with VVC, filter with the original and the compressed network, print the tables.

    What was encoded and measured is kept in the cache: a second run is quick, and one that was
    stopped goes on where it was.
    """
    from ..errors import MissingExtraError
    from ..evaluation import Cache, PostFilterTask, photographs
    from ..evaluation.results import row_by_name, row_by_size
    from ..models import READABLE
    from ..video import find_sequences
    from ..video.vvc import Preset
    from .model_files import check_extension

    for option, paths in (("--network", [network]), ("--compressed", compressed or [])):
        for path in filter(None, paths):
            check_extension(path, option, READABLE)
    if preset not in get_args(Preset):
        raise typer.BadParameter(f"--preset {preset}: must be one of {', '.join(get_args(Preset))}")
    output = EvaluationOutput(page_file, json_file, compressai_folder)
    options: dict[str, Any] = {} if network is None else {"network": network}
    task = PostFilterTask(
        photographs() if sequences is None else find_sequences(sequences),
        qps=qp or (32, 37),
        bits=bits,
        sweep_bits=_width_range(sweep_bits or (_ALL_WIDTHS if page_file else None)),
        compressed=compressed or (),
        frames=frames,
        preset=cast(Preset, preset),
        row_of=row_by_name if sequences is None else row_by_size,
        **options,
    )
    others = [default_task()] if context.info_name == _ALL else []
    kept = Cache(cache)
    try:
        steps = task.step_count + sum(other.step_count for other in others)
        with progress("evaluating", steps) as advance:
            report = task.run(threads=threads, cache=kept, on_step=advance)
            other_cases = [autoencoder_case(o.run(cache=kept, on_step=advance)) for o in others]
        output.write(_postfilter_case(task, report, threads, kept), *other_cases)
    except MissingExtraError as error:
        raise MissingExtraError(error.package, "evaluate") from error  # it holds all that is needed


def _postfilter_case(
    task: PostFilterTask, report: PostFilterReport, threads: int | None, cache: Cache
) -> UseCase:
    from ..evaluation.compressai import postfilter_curves
    from ..evaluation.html import postfilter_part

    return UseCase(
        "postfilter",
        "post filter",
        report,
        lambda: postfilter_curves(report),
        lambda: postfilter_part(report, task.examples(report, threads=threads, cache=cache)),
    )


def _width_range(text: str | None) -> range:
    if text is None:
        return range(0)
    match = re.fullmatch(r"(\d{1,2})-(\d{1,2})", text)
    first, last = map(int, match.groups()) if match else (0, 0)
    if not 1 <= first <= last <= 16:
        raise typer.BadParameter(f"--sweep-bits {text}: must be FIRST-LAST within 1-16")
    return range(first, last + 1)
