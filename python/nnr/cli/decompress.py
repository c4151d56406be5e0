"""``nnr decompress``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from .model_files import check_input, check_output, input_argument, output_argument
from .output import progress


def decompress(
    source: Annotated[Path, input_argument("IN", "A file that nnr compress wrote.")],
    target: Annotated[
        Path, output_argument("OUT", "A model: .onnx, .safetensors, .npz, .pt or .pth.")
    ],
) -> None:
    """Rebuild a model; the extension of OUT chooses the format."""
    from ..coding.uniform import CompressedFile
    from ..models import WRITABLE

    check_input(source, "IN", (".safetensors",))
    check_output(target, "OUT", WRITABLE)
    file = CompressedFile(source)
    with progress("decompressing", len(file.names)) as advance:
        model = file.decompress(on_tensor=advance)
    model.save(target)
