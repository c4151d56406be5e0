"""What the commands on pictures share: which file becomes which, and what is told of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias

import typer

from .model_files import check_input
from .output import print_json, print_table, table, write_json

if TYPE_CHECKING:
    from ..networks import AutoEncoder

ModelsOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", exists=True, file_okay=False, help="Networks. Default: the bundled ones."
    ),
]
JsonOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--json",
        metavar="FILE",
        dir_okay=False,
        allow_dash=True,
        help="Write every value here too; - prints them instead of the table.",
    ),
]
_COLUMNS = ("size", "bytes", "bpp", "quality", "seconds")


class Pair(NamedTuple):
    """A file that is read, and one that is written."""

    source: Path
    target: Path


def pair_files(
    sources: Sequence[Path], target: Path, read: Sequence[str], written: str
) -> list[Pair]:
    """Find out which file becomes which; what does not fit is a usage error.

    Parameters
    ----------
    sources : sequence of Path
        Files, and folders of them.
    target : Path
        With the extension *written* the file that the only source becomes; otherwise a folder.
    read, written : str
        Extensions.
    """
    files = [file for source in sources for file in _files_of(source, read)]
    if target.suffix.lower() == written and not target.is_dir():
        if len(files) != 1 or sources[0].is_dir():
            raise typer.BadParameter(
                f"{target} takes one file; give a folder for several", param_hint="OUT"
            )
        pairs = [Pair(files[0], target)]
    else:
        pairs = [Pair(file, target / f"{file.stem}{written}") for file in files]
        _check_folder(target, written)
    if len({pair.target for pair in pairs}) < len(pairs):
        raise typer.BadParameter("two files have the same name but for folder and extension")
    return pairs


def _files_of(source: Path, extensions: Sequence[str]) -> list[Path]:
    if not source.is_dir():
        check_input(source, "IN", extensions)
        return [source]
    files = sorted(path for path in source.iterdir() if path.suffix.lower() in extensions)
    if not files:
        raise typer.BadParameter(
            f"folder {source} holds no {', '.join(extensions)}", param_hint="IN"
        )
    return files


def _check_folder(folder: Path, extension: str) -> None:
    if folder.is_dir():
        return
    if folder.suffix or folder.exists():
        raise typer.BadParameter(
            f"{folder} must end in {extension}, or be a folder: one that is there, or a new one "
            "without an extension",
            param_hint="OUT",
        )
    if not folder.parent.is_dir():
        raise typer.BadParameter(f"Folder '{folder.parent}' does not exist.", param_hint="OUT")


def check_json(path: Path | None) -> None:
    """End with a usage error if JSON cannot be written there."""
    if path is not None and str(path) != "-" and not os.access(path.parent, os.W_OK):
        raise typer.BadParameter(f"--json {path}: its folder does not exist or is read-only")


def load_autoencoder(folder: Path | None) -> AutoEncoder:
    """Load the networks of a folder, by default the bundled ones."""
    from ..networks import AutoEncoder

    return AutoEncoder.load(folder)


def print_files(records: Sequence[dict[str, Any]], json_file: Path | None) -> None:
    """Tell of every file: as a table, and as JSON where that is wanted."""
    values = {"files": list(records)}
    if json_file is not None and str(json_file) == "-":
        print_json(values)
        return
    rows = table("file", *_COLUMNS)
    for record in records:
        rows.add_row(
            record["output"],
            f"{record['width']}x{record['height']}",
            f"{record['bytes']:,}",
            f"{record['bpp']:.3f}",
            str(record["quality"]),
            f"{record['seconds']:.2f}",
        )
    print_table(rows)
    if json_file is not None:
        write_json(json_file, values)


def record_of(pair: Pair, size: tuple[int, int], data: bytes, seconds: float) -> dict[str, Any]:
    """What is told of a picture of *size*, width and height, and its file."""
    from ..networks.autoencoder.file import quality_of

    width, height = size
    return {
        "input": str(pair.source),
        "output": str(pair.target),
        "width": width,
        "height": height,
        "bytes": len(data),
        "bpp": 8 * len(data) / (width * height),
        "quality": quality_of(data),
        "seconds": seconds,
    }
