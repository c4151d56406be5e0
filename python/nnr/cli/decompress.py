"""``nnr decompress``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .model_files import (
    check_input,
    check_output,
    input_argument,
    open_compressed,
    output_argument,
)
from .output import progress


def decompress(
    source: Annotated[
        Path, input_argument("IN", "A .nnr or .nnc file, or a .safetensors of nnr compress.")
    ],
    target: Annotated[
        Path, output_argument("OUT", "A model: .onnx, .safetensors, .npz, .pt or .pth.")
    ],
    base: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="What IN is an update of; of a series, all from the first on."
        ),
    ] = None,
    max_elements: Annotated[
        int | None,
        typer.Option(min=0, help="Decode files of more weights than their size makes likely."),
    ] = None,
) -> None:
    """Rebuild a model; the extension of OUT chooses the format."""
    from ..models import BITSTREAMS, WRITABLE

    check_input(source, "IN", (".safetensors", *BITSTREAMS))
    check_output(target, "OUT", [name for name in WRITABLE if name not in BITSTREAMS])
    file = open_compressed(source, base=base, max_elements=max_elements)
    with progress("decompressing", len(file.names)) as advance:
        model = file.decompress(on_tensor=advance)
    model.save(target)
