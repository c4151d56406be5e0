"""The command tree."""

from __future__ import annotations

from typing import Annotated

import typer

from .._core import version as __version__
from . import compress, decode_image, decompress, encode_image, evaluate, info, verify
from . import filter as filter_command
from .several import SeveralQps


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"nnr {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="nnr",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Compressed, interoperable representation of trained neural networks."""


app.command("compress", cls=SeveralQps)(compress.compress)
app.command("decompress")(decompress.decompress)
app.command("info")(info.info)
app.command("verify")(verify.verify)
app.command("filter")(filter_command.filter_frames)
app.command("encode-image")(encode_image.encode_image)
app.command("decode-image")(decode_image.decode_image)
app.add_typer(evaluate.app, name="evaluate")
