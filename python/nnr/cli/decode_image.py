"""``nnr decode-image``."""

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
    from ..networks import AutoEncoder


def decode_image(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="IN", readable=False, help=".nna files, or folders of them."),
    ],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="A .png file, or a folder for several.")
    ],
    models: ModelsOption = None,
    max_pixels: Annotated[
        int | None,
        typer.Option(min=1, help="The most pixels a picture may have. Default: 33,554,432."),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Decode pictures that encode-image wrote; the same samples on every machine."""
    from ..networks.autoencoder import DEFAULT_MAX_PIXELS, EXTENSION

    check_json(json_file)
    pairs = pair_files(sources, target, (EXTENSION,), ".png")
    autoencoder = load_autoencoder(models)
    limit = DEFAULT_MAX_PIXELS if max_pixels is None else max_pixels
    records = []
    with progress("decoding", len(pairs), unit="pictures") as advance:
        for pair in pairs:
            records.append(_decode(autoencoder, pair, limit))
            advance(pair.source.name)
    print_files(records, json_file)


def _decode(autoencoder: AutoEncoder, pair: Pair, max_pixels: int) -> dict[str, Any]:
    from ..video.png import write_rgb

    start = time.perf_counter()
    data = pair.source.read_bytes()
    try:
        picture = autoencoder.decode(data, max_pixels=max_pixels)
    except ValueError as error:  # it tells what is wrong, and of no file
        raise ValueError(f"{pair.source}: {error}") from error
    pair.target.parent.mkdir(exist_ok=True)
    write_rgb(pair.target, picture)
    height, width = picture.shape[:2]
    return record_of(pair, (width, height), data, time.perf_counter() - start)
