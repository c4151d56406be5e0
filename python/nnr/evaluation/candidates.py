"""A network in its original and in its reconstructed form, and what each takes on disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..coding import uniform
from ..coding.sizes import file_sizes
from ..files import temporary_folder
from ..models import Model, load
from ..models.file_sizes import FileSizes
from ..models.safetensors import SafetensorsFile
from ..networks import PostFilter

ORIGINAL = "float32"


@dataclass(frozen=True)
class Candidate:
    """One form of the network that is evaluated.

    Parameters
    ----------
    label : str
        ``float32`` for the original, else ``8 bit`` and so on.
    bits : int, optional
        Bits a weight; None for the original.
    sizes : FileSizes
        Bytes of its file.
    network : PostFilter
    digest : str
        Hash of topology and weights.
    """

    label: str
    bits: int | None
    sizes: FileSizes
    network: PostFilter
    digest: str


def original(path: Path) -> tuple[Model, Candidate]:
    """Load the network that is to be compressed.

    Raises
    ------
    ValueError
        It is compressed already, so that there is no original to compare with.
    """
    if path.suffix.lower() == ".safetensors" and uniform.is_compressed(SafetensorsFile(path)):
        raise ValueError(f"{path} is compressed already; give the original network")
    model = load(path)
    return model, _candidate(ORIGINAL, None, path, model)


def reconstructed(model: Model, bits: int) -> Candidate:
    """Compress a model to a file and load what that file gives back."""
    with temporary_folder() as folder:
        path = folder / "model.safetensors"
        uniform.compress(model, bits=bits).save(path)
        return _candidate(f"{bits} bit", bits, path, load(path))


def _candidate(label: str, bits: int | None, path: Path, model: Model) -> Candidate:
    return Candidate(label, bits, file_sizes(path, model), PostFilter.load(model), _digest(model))


def _digest(model: Model) -> str:
    digest = hashlib.sha256(model.topology.data if model.topology else b"")
    for name, tensor in model.tensors.items():
        digest.update(f"{name} {tensor.dtype} {tensor.shape}".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()
