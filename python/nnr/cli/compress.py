"""``nnr compress``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .model_files import (
    check_input,
    check_output,
    input_argument,
    output_argument,
    print_compression,
)
from .output import progress


def compress(
    source: Annotated[
        Path, input_argument("IN", "A model: .onnx, .safetensors, .npz, .pt or .pth.")
    ],
    target: Annotated[Path, output_argument("OUT", "A .safetensors file.")],
    bits: Annotated[int, typer.Option(min=1, max=16, help="Bits a weight.")] = 8,
    per_channel: Annotated[
        bool, typer.Option("--per-channel", help="One range an output channel.")
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN", help="Leave tensors of this name as they are, such as *.4.*"
        ),
    ] = None,
    all_tensors: Annotated[
        bool, typer.Option("--all", help="Quantise biases and other vectors too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print sizes and errors, and write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Quantise the weights of a model and write them with a fixed number of bits each."""
    from ..coding.sizes import file_sizes
    from ..coding.uniform import compress as compress_model
    from ..models import READABLE, load

    check_input(source, "IN", READABLE)
    check_output(target, "OUT", (".safetensors",))
    _refuse_compressed(source)
    model = load(source)
    # Before the target is written, which may be the same file.
    original = file_sizes(source, model)
    with progress("compressing", len(model.tensors)) as advance:
        compressed = compress_model(
            model,
            bits,
            per_channel=per_channel,
            keep=keep or (),
            all_tensors=all_tensors,
            on_tensor=advance,
        )
    if not dry_run:
        compressed.save(target)
    print_compression(compressed.records, original, compressed.sizes(), as_json=as_json)


def _refuse_compressed(source: Path) -> None:
    """End with a usage error for weights that would be quantised a second time."""
    from ..coding.uniform import is_compressed
    from ..models.safetensors import SafetensorsFile

    if source.suffix.lower() == ".safetensors" and is_compressed(SafetensorsFile(source)):
        raise typer.BadParameter(
            f"{source} is already compressed; decompress it first", param_hint="IN"
        )
