"""``nnr encode-image``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import progress
from .picture_files import (
    JsonOption,
    ModelsOption,
    Pair,
    check_json,
    load_autoencoder,
    pair_files,
    print_files,
    record_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..networks import AutoEncoder

_DEFAULT_QUALITY = 144


def encode_image(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="IN", readable=False, help="PNG or JPEG files, or folders of them."),
    ],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="A .nna file, or a folder for several.")
    ],
    quality: Annotated[
        int | None,
        typer.Option(min=0, max=255, help="Larger is better. Default: 144."),
    ] = None,
    bpp: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="BITS",
            help="The most bits a pixel; the best quality for each file is searched.",
        ),
    ] = None,
    models: ModelsOption = None,
    json_file: JsonOption = None,
) -> None:
    """Code pictures with the auto-encoder."""
    from ..networks.autoencoder import EXTENSION
    from ..video.images import EXTENSIONS

    if quality is not None and bpp is not None:
        raise typer.BadParameter("--quality and --bpp exclude each other")
    check_json(json_file)
    pairs = pair_files(sources, target, EXTENSIONS, EXTENSION)
    quality = _DEFAULT_QUALITY if quality is None else quality
    autoencoder = load_autoencoder(models)
    records = []
    with progress("encoding", len(pairs), unit="pictures") as advance:
        for pair in pairs:
            records.append(_encode(autoencoder, pair, quality, bpp))
            advance(pair.source.name)
    print_files(records, json_file)


def _encode(
    autoencoder: AutoEncoder, pair: Pair, quality: int, bpp: float | None
) -> dict[str, Any]:
    from ..files import atomic_write
    from ..video.images import as_rgb, read_rgb

    start = time.perf_counter()
    picture = as_rgb(read_rgb(pair.source))
    try:
        data = _encoded(autoencoder, picture, quality, bpp)
    except ValueError as error:  # it tells what is wrong, and of no file
        raise ValueError(f"{pair.source}: {error}") from error
    pair.target.parent.mkdir(exist_ok=True)
    with atomic_write(pair.target) as file:
        file.write(data)
    height, width = picture.shape[:2]
    return record_of(pair, (width, height), data, time.perf_counter() - start)


def _encoded(
    autoencoder: AutoEncoder, picture: NDArray[Any], quality: int, bpp: float | None
) -> bytes:
    from ..networks.autoencoder.rate import encode_within

    if bpp is None:
        return autoencoder.encode(picture, quality=quality)
    return encode_within(autoencoder, picture, bpp).data
