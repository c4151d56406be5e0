"""Model to fixed-length form."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._arguments import check_bits, raise_not_finite
from ...models.dtypes import FLOATS, QUANTIZABLE, name_of, stored_bytes
from ...models.file_sizes import FileSizes
from ...models.model import Model, Topology, refuse_reserved
from ...models.safetensors import TOPOLOGY_ENTRY, header_of, write_entries
from ...quantize import quantize
from ...quantized_array import QuantizedArray
from .description import (
    CHECKSUM_KEY,
    FORMAT,
    FORMAT_KEY,
    RANGE_PREFIX,
    TENSOR_PREFIX,
    TOPOLOGY_TEXT,
    Description,
    entry_checksum,
    metadata_checksum,
    with_checksum,
)
from .record import TensorRecord, record_of_kept, record_of_quantized

# Elements that are looked at at a time, so that memory does not grow with the tensor.
_CHUNK = 1 << 20


@dataclass(eq=False, repr=False)
class CompressedModel:
    """A model whose weights are quantised, in memory.

    Parameters
    ----------
    tensors : dict of str to QuantizedArray or ndarray
        In the order of the model; those that are kept are its own arrays.
    records : list of TensorRecord
        What was done to each of them.
    topology, metadata
        Of the model.
    """

    tensors: dict[str, QuantizedArray | NDArray[Any]]
    records: list[TensorRecord]
    topology: Topology | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    def decompress(self) -> Model:
        """Return the reconstructed model; its tensors have their original types."""
        tensors = {
            name: tensor.dequantize() if isinstance(tensor, QuantizedArray) else tensor
            for name, tensor in self.tensors.items()
        }
        return Model(tensors, self.topology, dict(self.metadata))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fixed-length form.

        Raises
        ------
        ValueError
            *path* does not end in ``.safetensors``, or a name is reserved.
        """
        if Path(path).suffix.lower() != ".safetensors":
            raise ValueError(f"{os.fspath(path)!r}: the fixed-length form is a .safetensors file")
        write_entries(*self._entries(), path)

    def sizes(self) -> FileSizes:
        """Return the size of the file that `save` writes, without writing it."""
        entries, metadata = self._entries()
        payload = sum(
            tensor.packed.nbytes if isinstance(tensor, QuantizedArray) else tensor.nbytes
            for tensor in self.tensors.values()
        )
        data = sum(entry.nbytes for entry in entries.values())
        return FileSizes(len(header_of(entries, metadata)) + data, payload)

    def _entries(self) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
        refuse_reserved([*self.tensors, *self.metadata])
        entries: dict[str, NDArray[Any]] = {}
        texts = {FORMAT_KEY: FORMAT}
        for name, tensor in self.tensors.items():
            if isinstance(tensor, QuantizedArray):
                text = Description.of(tensor, _name_of(name, tensor.dtype)).text()
                parts = [tensor.packed]
                if tensor.axis is not None:
                    parts.append(np.stack([tensor.lo, tensor.hi]))
                    entries[RANGE_PREFIX + name] = parts[1]
            else:
                text, parts = "", [tensor]
            entries[name] = parts[0]
            texts[TENSOR_PREFIX + name] = _described(name, text, parts)
        if self.topology is not None and self.topology.format == "onnx":
            graph = np.frombuffer(self.topology.data, np.uint8)
            entries[TOPOLOGY_ENTRY] = graph
            texts[TOPOLOGY_ENTRY] = _described(TOPOLOGY_ENTRY, TOPOLOGY_TEXT, [graph])
        metadata = texts | self.metadata
        return entries, {CHECKSUM_KEY: metadata_checksum(metadata)} | metadata

    def __repr__(self) -> str:
        before = sum(record.original_bytes for record in self.records)
        after = sum(record.stored_bytes for record in self.records)
        count = len(self.tensors)
        return f"CompressedModel({count} tensor{'s'[: count != 1]}, {before:,} to {after:,} bytes)"


def compress(
    model: Model,
    bits: int = 8,
    *,
    per_channel: bool = False,
    keep: Sequence[str] = (),
    all_tensors: bool = False,
    widths: Mapping[str, int] | None = None,
    threads: int | None = None,
    on_tensor: Callable[[str], None] | None = None,
) -> CompressedModel:
    """Quantise the weights of a model uniformly.

    Floating-point tensors of two dimensions or more are quantised. Integers, float8, empty tensors
    and those that would not shrink are stored as they are.

    Parameters
    ----------
    model : Model
        Its tensors must be finite, except those that *keep* names.
    bits : int, 1 to 16
        Bits a weight.
    per_channel : bool
        One range for each index of the first axis in place of one for the tensor.
    keep : sequence of str
        Patterns such as ``"head.*"`` of tensors that are not quantised.
    all_tensors : bool
        Quantise tensors of one or no dimension too, such as biases.
    widths : mapping of str to int, optional
        Bits a weight of single tensors, by name, in the place of *bits*.
    threads : int, optional
        As `nnr.quantize` takes it.
    on_tensor : callable, optional
        Called with the name of each tensor that is done.

    Returns
    -------
    CompressedModel

    Raises
    ------
    ValueError
        NaN or infinity in a tensor that *keep* does not name; the message names it and the index.
        A pattern that fits no tensor, a width of none; bits outside 1 to 16.

    Examples
    --------
    >>> import numpy as np, nnr
    >>> model = nnr.Model({"weight": np.linspace(-1, 1, 600, dtype=np.float32).reshape(20, 30)})
    >>> compressed = nnr.compress(model, bits=4)
    >>> compressed
    CompressedModel(1 tensor, 2,400 to 308 bytes)
    >>> compressed.decompress().tensors["weight"].dtype
    dtype('float32')
    """
    bits = check_bits(bits)
    patterns = [keep] if isinstance(keep, str) else list(keep)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in model.tensors):
            raise ValueError(f"keep: no tensor is named {pattern!r}")
    widths = {name: check_bits(width) for name, width in (widths or {}).items()}
    for name in widths:
        if name not in model.tensors:
            raise ValueError(f"widths: no tensor is named {name!r}")
    tensors: dict[str, QuantizedArray | NDArray[Any]] = {}
    records = []
    for name, array in model.tensors.items():
        reason = _reason_to_keep(name, array, patterns, all_tensors=all_tensors)
        tensors[name] = array
        if reason is None:
            # The first axis of a convolution or linear layer's weights is the output channel: each
            # has a scale of its own, and its sum is formed from its weights alone. A vector has
            # no second axis, and a range for each of its elements would be larger than they are.
            axis = 0 if per_channel and array.ndim > 1 else None
            quantized = _quantize(name, array, widths.get(name, bits), axis, threads)
            if quantized.nbytes < array.nbytes:
                tensors[name] = quantized
                records.append(record_of_quantized(name, quantized, array))
            else:
                reason = "would not shrink"
        if reason is not None:
            # A mask of infinities, say, has to be named to get through.
            if _pattern_of(name, patterns) is None:
                _check_finite(name, array)
            records.append(record_of_kept(name, array, reason))
        if on_tensor is not None:
            on_tensor(name)
    return CompressedModel(tensors, records, model.topology, dict(model.metadata))


def _reason_to_keep(
    name: str, array: NDArray[Any], patterns: list[str], *, all_tensors: bool
) -> str | None:
    if name_of(array.dtype) not in QUANTIZABLE:
        return f"{array.dtype.name} is not quantised"
    if array.size == 0:
        return "empty"
    pattern = _pattern_of(name, patterns)
    if pattern is not None:
        return f"named by {pattern}"
    if array.ndim < 2 and not all_tensors:
        return "rank below 2"
    return None


def _pattern_of(name: str, patterns: list[str]) -> str | None:
    return next((pattern for pattern in patterns if fnmatchcase(name, pattern)), None)


def _quantize(
    name: str, array: NDArray[Any], bits: int, axis: int | None, threads: int | None
) -> QuantizedArray:
    try:
        return quantize(array, bits, axis=axis, threads=threads)
    except ValueError as error:
        raise ValueError(f"tensor {name!r}: {error}") from error


def _check_finite(name: str, array: NDArray[Any]) -> None:
    # Not by `nnr.minmax`, which takes no float8 and refuses float64 beyond float32, while here it
    # is stored as it is.
    if name_of(array.dtype) not in FLOATS:
        return
    flat = array.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        finite = np.isfinite(flat[start : start + _CHUNK])
        if not finite.all():
            raise_not_finite(array, start + int(finite.argmin()), f"tensor {name!r}: array")


def _name_of(name: str, dtype: np.dtype[Any]) -> str:
    dtype_name = name_of(dtype)
    if dtype_name is None:
        raise ValueError(f"tensor {name!r}: safetensors cannot hold {dtype}")
    return dtype_name


def _described(name: str, text: str, parts: Sequence[NDArray[Any]]) -> str:
    """*text* with the checksum of the entry, the first of *parts*, and of its ranges."""
    dtype = _name_of(name, parts[0].dtype)
    raw = [stored_bytes(part) for part in parts]
    return with_checksum(text, entry_checksum(name, text, dtype, parts[0].shape, *raw))
