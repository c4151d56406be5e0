"""A network in its original and in its reconstructed forms, and what each takes on disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ..coding import nnc, uniform
from ..coding.sizes import file_sizes
from ..files import temporary_folder
from ..models import Model, load
from ..models.file_sizes import FileSizes
from ..models.safetensors import SafetensorsFile
from ..networks import PostFilter

ORIGINAL = "float32"

Form = Literal["original", "fixed", "NNC", "file"]
"""Uncompressed, codes of fixed length, entropy coded (ISO/IEC 15938-17), or a file given as it is."""


@dataclass(frozen=True)
class Candidate:
    """One form of the network that is evaluated.

    Parameters
    ----------
    label : str
        ``float32`` for the original, else ``8 bit``, ``8 bit NNC``, or the name of a file.
    form : {"original", "fixed", "NNC", "file"}
    bits : int, optional
        Bits a weight, or steps over its range that many bits have; None where nobody tells.
    sizes : FileSizes
        Bytes of its file.
    network : PostFilter
    model : Model
        What the network was made of.
    digest : str
        Hash of topology and weights.
    """

    label: str
    form: Form
    bits: int | None
    sizes: FileSizes
    network: PostFilter = field(repr=False)
    model: Model = field(repr=False)
    digest: str


def original(path: Path) -> Candidate:
    """Load the network that is to be compressed.

    Raises
    ------
    ValueError
        It is compressed already, so that there is no original to compare with.
    """
    if path.suffix.lower() == ".safetensors" and uniform.is_compressed(SafetensorsFile(path)):
        raise ValueError(f"{path} is compressed already; give the original network")
    model = load(path)
    return _candidate(ORIGINAL, "original", None, file_sizes(path, model), model)


def fixed_length(model: Model, bits: int) -> Candidate:
    """Compress a model to codes of fixed length in a file, and load what that file gives back."""
    with temporary_folder() as folder:
        path = folder / "model.safetensors"
        uniform.compress(model, bits=bits).save(path)
        sizes, restored = file_sizes(path), load(path)
        return _candidate(f"{bits} bit", "fixed", bits, sizes, restored)


def entropy_coded(model: Model, bits: int) -> Candidate:
    """Encode a model as an NNC bitstream, and decode it."""
    data = nnc.encode(model, bits=bits)
    sizes = FileSizes(len(data), nnc.NncFile(data).payload_bytes)
    return _candidate(f"{bits} bit NNC", "NNC", bits, sizes, nnc.decode(data))


def from_file(path: Path, original_model: Model) -> Candidate:
    """Load a file that somebody made of the network; one without a graph gets the original's.

    Raises
    ------
    ValueError
        Its tensors are not those of the network.
    """
    model = load(path)
    sizes = file_sizes(path, model)
    if model.topology is None:
        model = replace(model, topology=original_model.topology)
    if set(model.tensors) != set(original_model.tensors):
        raise ValueError(f"{path} holds other tensors than the network that is evaluated")
    return _candidate(path.name, "file", None, sizes, model)


def _candidate(
    label: str, form: Form, bits: int | None, sizes: FileSizes, model: Model
) -> Candidate:
    return Candidate(label, form, bits, sizes, PostFilter.load(model), model, _digest(model))


def _digest(model: Model) -> str:
    digest = hashlib.sha256(model.topology.data if model.topology else b"")
    for name, tensor in model.tensors.items():
        digest.update(f"{name} {tensor.dtype} {tensor.shape}".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()
