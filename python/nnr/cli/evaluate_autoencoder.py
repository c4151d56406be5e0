"""``nnr evaluate autoencoder``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .output import print_json, progress, write_json


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
    images: Annotated[int, typer.Option(min=1, help="How many pictures.")] = 1000,
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
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json",
            metavar="FILE",
            dir_okay=False,
            allow_dash=True,
            help="Write every value here too; - prints them instead of the tables.",
        ),
    ] = None,
) -> None:
    """Code small pictures with the auto-encoder, JPEG and others, and print the tables.

    The table has the auto-encoder in its original and in its reconstructed form beside JPEG, all at
    one rate; curves and BD-rates compare it with WebP, AVIF and JPEG XL too.
    """
    from ..evaluation import AutoEncoderTask, Cache, embedded_pictures, open_pictures
    from ..networks import AutoEncoder

    to_stdout = json_file is not None and str(json_file) == "-"
    if json_file is not None and not to_stdout and not os.access(json_file.parent, os.W_OK):
        raise typer.BadParameter(f"--json {json_file}: its folder does not exist or is read-only")
    pictures = embedded_pictures(images) if cifar10 is None else open_pictures(cifar10, images)
    task = AutoEncoderTask(pictures, AutoEncoder.load(models), bpp)
    with progress("evaluating", task.step_count) as advance:
        report = task.run(cache=Cache(cache), on_step=advance)
    if to_stdout:
        print_json(report.json_object())
        return
    if cifar10 is None:
        print("These pictures are not CIFAR-10; --cifar10 takes its archive.\n")
    print(report.markdown())
    if json_file is not None:
        write_json(json_file, report.json_object())
