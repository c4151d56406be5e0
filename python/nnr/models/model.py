"""A trained network as this package sees it: named tensors and the graph they belong to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

# Entries and metadata whose names begin so belong to this package, in every format that we write.
RESERVED_PREFIX = "nnr."


@dataclass(frozen=True)
class Topology:
    """The graph of a network without its weights.

    Parameters
    ----------
    format : {"onnx", "nnef"}
        How *data* is to be read.
    data : bytes
        A serialized ONNX ``ModelProto`` whose weight tensors keep their names, dimensions and
        types, but hold no values, so that the graph can be filled again. Or the text of an NNEF
        ``graph.nnef``, which ``.nnr`` files alone hold.
    """

    format: Literal["onnx", "nnef"]
    data: bytes = field(repr=False)


@dataclass(eq=False, repr=False)
class Model:
    """Named tensors in their order in the file, with the graph where the file has one.

    Parameters
    ----------
    tensors : dict of str to ndarray
        Weights and constants. Arrays read from safetensors, and from data beside an ONNX file, are
        read-only and memory-mapped: only what is used is read.
    topology : Topology, optional
        None for formats that hold weights alone.
    metadata : dict of str to str
        Free text that the file carries.

    Raises
    ------
    TypeError
        A name is no text, or a tensor is no NumPy array.

    Examples
    --------
    >>> import numpy as np
    >>> Model({"weight": np.zeros((4, 3), np.float32)})
    Model(1 tensor, 48 bytes, no topology)
    """

    tensors: dict[str, NDArray[Any]]
    topology: Topology | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, tensor in self.tensors.items():
            if not isinstance(name, str):
                raise TypeError(f"tensor {name!r}: the name must be str, got {type(name).__name__}")
            if not isinstance(tensor, np.ndarray | np.generic):
                raise TypeError(
                    f"tensor {name!r} must be a NumPy array, got {type(tensor).__name__}"
                )

    @property
    def nbytes(self) -> int:
        """The bytes of all tensors, without topology and metadata."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model in the format that the extension of *path* names.

        ``.onnx`` needs a topology. ``.safetensors`` and ``.npz`` keep one of ONNX, so that a
        model goes through them and back; ``.pt`` and ``.pth`` hold a plain state dict, which has
        no place for topology and metadata. ``.nnr`` and ``.nnc`` are what `nnr.encode` makes with
        its default settings: weights are quantised. An existing file is replaced only when the
        new one is complete.

        Raises
        ------
        ValueError
            The extension is not known, or the format cannot hold this model.
        OSError
            The file cannot be written; what was at *path* is still there.
        """
        # Not at the top of the file: the formats are built on Model.
        from .formats import writer_of

        writer_of(path)(self, path)

    def levels(self, name: str) -> NDArray[np.int32]:
        """Return the integers of a tensor before dequantisation.

        Only a model that came out of a bitstream (``.nnr``, ``.nnc``) has them.

        Raises
        ------
        ValueError
            This model did not, or the tensor has none.
        KeyError
            There is no such tensor.
        """
        raise ValueError(f"tensor {name!r} has no levels: the model did not come from a bitstream")

    def __repr__(self) -> str:
        count = len(self.tensors)
        graph = f"{self.topology.format} topology" if self.topology else "no topology"
        return f"Model({count} tensor{'s'[: count != 1]}, {self.nbytes:,} bytes, {graph})"


def refuse_reserved(names: Iterable[str]) -> None:
    """Raise ``ValueError`` for a name that would collide with this package's own entries."""
    for name in names:
        if name.startswith(RESERVED_PREFIX) or name == "__metadata__":
            raise ValueError(f"the name {name!r} is reserved; rename it before saving")
