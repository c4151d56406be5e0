"""``nnr evaluate autoencoder``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .evaluation_output import (
    EvaluationOutput,
    UseCase,
    compressai_option,
    json_option,
    page_option,
)
from .output import progress

if TYPE_CHECKING:
    from ..evaluation import AutoEncoderReport, AutoEncoderTask


_IMAGES = 1000


def autoencoder(
    cifar10: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            exists=True,
            help="cifar-10-python.tar.gz, cifar-10-binary.tar.gz, or pictures of 32x32 or mosaics of "
            "them, a file or a folder. Default: 32x32 cut from photographs in the scikit-image "
            "package, which are not CIFAR-10.",
        ),
    ] = None,
    images: Annotated[int, typer.Option(min=1, help="How many pictures.")] = _IMAGES,
    bpp: Annotated[
        float, typer.Option(min=0.1, max=24, help="Mean bits a pixel of the table.")
    ] = 4.3,
    models: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", exists=True, file_okay=False, help="Networks. Default: the bundled ones."
        ),
    ] = None,
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
    """Code small pictures with the auto-encoder, JPEG and others, and print the tables.

    The table has the auto-encoder in its original and in its reconstructed form beside JPEG, all at
    one rate; curves and BD-rates compare it with WebP, AVIF and JPEG XL too.
    """
    from ..evaluation import AutoEncoderTask, Cache, embedded_pictures, open_pictures
    from ..networks import AutoEncoder

    output = EvaluationOutput(page_file, json_file, compressai_folder)
    pictures = embedded_pictures(images) if cifar10 is None else open_pictures(cifar10, images)
    task = AutoEncoderTask(pictures, AutoEncoder.load(models), bpp)
    with progress("evaluating", task.step_count) as advance:
        report = task.run(cache=Cache(cache), on_step=advance)
    if cifar10 is None and not output.json_to_stdout:
        print("These pictures are not CIFAR-10; --cifar10 takes its archive.\n")
    output.write(autoencoder_case(report))


def default_task() -> AutoEncoderTask:
    """Return the task of the command without options."""
    from ..evaluation import AutoEncoderTask, embedded_pictures

    return AutoEncoderTask(embedded_pictures(_IMAGES))


def autoencoder_case(report: AutoEncoderReport) -> UseCase:
    """Return what is printed and written of a report."""
    from ..evaluation.compressai import autoencoder_curves
    from ..evaluation.html import autoencoder_part

    return UseCase(
        "autoencoder",
        "auto-encoder",
        report,
        lambda: autoencoder_curves(report),
        lambda: autoencoder_part(report),
    )
