"""How many bytes a model file has, and how many of them are weights."""

from __future__ import annotations

import os
from pathlib import Path

from ..models import onnx
from ..models.file_sizes import FileSizes
from ..models.formats import BITSTREAMS, load
from ..models.model import Model
from ..models.safetensors import SafetensorsFile
from .nnc.file import NncFile
from .uniform.file import CompressedFile, is_compressed


def file_sizes(path: str | os.PathLike[str], model: Model | None = None) -> FileSizes:
    """Measure a model file of any format that `nnr.load` reads.

    Parameters
    ----------
    path : path
    model : Model, optional
        What the file holds, if it has been loaded already.

    Returns
    -------
    FileSizes

    Raises
    ------
    BitstreamError
        The file is damaged.
    """
    path = Path(path)
    total = path.stat().st_size
    if path.suffix.lower() == ".safetensors":
        file = SafetensorsFile(path)
        if is_compressed(file):
            return FileSizes(total, CompressedFile(file).payload_bytes)
    if path.suffix.lower() in BITSTREAMS:
        return FileSizes(total, NncFile(path).payload_bytes)
    if path.suffix.lower() == ".onnx":
        total += sum(beside.stat().st_size for beside in onnx.data_files(path))
    return FileSizes(total, (model or load(path)).nbytes)
