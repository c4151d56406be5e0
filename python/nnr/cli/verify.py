"""``nnr verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .model_files import check_input, input_argument, open_compressed
from .output import print_json

_FAILED = 1


def verify(
    source: Annotated[Path, input_argument("FILE", "A file that nnr compress wrote.")],
    base: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="What FILE is an update of; needed where it has no checksums."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare every tensor with its checksum; end with 1 if any is damaged.

    A .nnr file that another program wrote has none: its tensors are decoded instead.
    """
    from ..models import BITSTREAMS

    check_input(source, "FILE", (".safetensors", *BITSTREAMS))
    file = open_compressed(source, base=base)
    results = file.verify()
    damaged = {name: str(error) for name, error in results.items() if error is not None}
    if as_json:
        print_json(
            {
                "file": str(source),
                "entries": len(results),
                "checksums": file.has_checksums,
                "damaged": damaged,
            }
        )
    elif damaged:
        print("\n".join(dict.fromkeys(damaged.values())))
    else:
        print(f"{source}: {_all_well(len(results), has_checksums=file.has_checksums)}")
    if damaged:
        raise typer.Exit(_FAILED)


def _all_well(count: int, *, has_checksums: bool) -> str:
    if not has_checksums:
        return f"no checksums; {'the tensor decodes' if count == 1 else f'all {count} decode'}"
    return "the checksum matches" if count == 1 else f"all {count} checksums match"
