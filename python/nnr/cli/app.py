"""The command tree."""

from __future__ import annotations

import typer

from . import compress, decompress, evaluate, info, verify

app = typer.Typer(
    name="nnr",
    help="Compressed, interoperable representation of trained neural networks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("compress")(compress.compress)
app.command("decompress")(decompress.decompress)
app.command("info")(info.info)
app.command("verify")(verify.verify)
app.add_typer(evaluate.app, name="evaluate")
