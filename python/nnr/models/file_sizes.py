"""How the bytes of a model file divide."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FileSizes:
    """The bytes of a model in a file.

    Parameters
    ----------
    total : int
        The whole file, with the files of weights beside an ONNX file.
    payload : int
        The values of the tensors: packed codes, and the elements of tensors stored as they are.
    """

    total: int
    payload: int

    @property
    def structure(self) -> int:
        """Everything else: the graph, names, shapes, ranges, checksums, and padding."""
        return self.total - self.payload
