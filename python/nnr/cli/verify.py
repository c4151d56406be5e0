"""``nnr verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .model_files import check_input, input_argument
from .output import print_json

_FAILED = 1


def verify(
    source: Annotated[Path, input_argument("FILE", "A file that nnr compress wrote.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare every tensor with its checksum; end with 1 if any is damaged."""
    from ..coding.uniform import CompressedFile

    check_input(source, "FILE", (".safetensors",))
    results = CompressedFile(source).verify()
    damaged = {name: str(error) for name, error in results.items() if error is not None}
    if as_json:
        print_json({"file": str(source), "entries": len(results), "damaged": damaged})
    elif damaged:
        print("\n".join(damaged.values()))
    else:
        count = len(results)
        print(
            f"{source}: {'the checksum matches' if count == 1 else f'all {count} checksums match'}"
        )
    if damaged:
        raise typer.Exit(_FAILED)
