"""Fixed-length form to model, the whole or one tensor at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from numpy.typing import NDArray

from ...errors import BitstreamError, BitstreamErrorKind
from ...models.dtypes import DTYPES
from ...models.model import RESERVED_PREFIX, Model, Topology
from ...models.safetensors import TOPOLOGY_ENTRY, SafetensorsFile
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
    without_checksum,
)
from .record import TensorRecord, record_of_kept, record_of_quantized


class _Described(NamedTuple):
    """What the metadata says of an entry; no description means that it is stored as it is."""

    text: str
    checksum: str
    description: Description | None

    @property
    def has_range_entry(self) -> bool:
        return self.description is not None and self.description.axis is not None


def is_compressed(file: SafetensorsFile) -> bool:
    """Whether a safetensors file holds the fixed-length form, be it damaged."""
    ours = [*file.metadata, *(name for name in file.entries if name != TOPOLOGY_ENTRY)]
    return any(key.startswith(RESERVED_PREFIX) for key in ours)


class CompressedFile:
    """A memory-mapped file in the fixed-length form.

    Opening it checks the header alone. Reading a tensor checks that tensor, so that damage to
    others does not hinder it.

    Parameters
    ----------
    source : path or SafetensorsFile

    Raises
    ------
    BitstreamError
        The header is damaged.
    ValueError
        An ordinary safetensors file, which has no codes.

    Examples
    --------
    >>> import tempfile, numpy as np, nnr
    >>> from nnr.coding.uniform import CompressedFile
    >>> model = nnr.Model({"weight": np.eye(8, dtype=np.float32)})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nnr.compress(model, bits=1).save(f"{folder}/eye.safetensors")
    ...     file = CompressedFile(f"{folder}/eye.safetensors")
    ...     file.names, bool((file.read("weight") == np.eye(8)).all())
    (('weight',), True)
    """

    def __init__(self, source: str | os.PathLike[str] | SafetensorsFile) -> None:
        self._file = source if isinstance(source, SafetensorsFile) else SafetensorsFile(source)
        if not is_compressed(self._file):
            raise ValueError(f"{self._file.path} was not written by nnr compress: it has no codes")
        self._check_metadata()
        self._described: dict[str, _Described] = {}
        for key, value in self._file.metadata.items():
            if key == TOPOLOGY_ENTRY or key.startswith(TENSOR_PREFIX):
                self._describe(key, value)
        self._check_entries()
        self.names = tuple(name for name in self._described if name != TOPOLOGY_ENTRY)

    @property
    def metadata(self) -> dict[str, str]:
        """The model's own metadata."""
        items = self._file.metadata.items()
        return {key: value for key, value in items if not key.startswith(RESERVED_PREFIX)}

    @property
    def has_checksums(self) -> bool:
        """Always, in this form."""
        return True

    @property
    def nbytes(self) -> int:
        """The size of the file."""
        return self._file.nbytes

    @property
    def payload_bytes(self) -> int:
        """The bytes of packed codes and of tensors stored as they are."""
        return sum(self._file.raw(name).nbytes for name in self.names)

    @property
    def topology(self) -> Topology | None:
        """The graph, checked."""
        if TOPOLOGY_ENTRY not in self._described:
            return None
        self.check(TOPOLOGY_ENTRY)
        return Topology("onnx", self._file.raw(TOPOLOGY_ENTRY).tobytes())

    def read(self, name: str) -> NDArray[Any]:
        """Return one tensor, checked and rebuilt; nothing of the others is read.

        Raises
        ------
        KeyError
            There is no such tensor.
        BitstreamError
            It is damaged.
        """
        stored = self.stored(name)
        return stored.dequantize() if isinstance(stored, QuantizedArray) else stored

    def stored(self, name: str) -> QuantizedArray | NDArray[Any]:
        """Return one tensor, checked, as it is stored: quantised, or a read-only view of the file."""
        self.check(name)
        description = self._described[name].description
        if description is None:
            return self._file.array(name)
        if description.axis is None:
            lo, hi = description.lo, description.hi
        else:
            lo, hi = self._file.array(RANGE_PREFIX + name)
        try:
            return QuantizedArray(
                packed=self._file.raw(name),
                bits=description.bits,
                shape=description.shape,
                dtype=DTYPES[description.dtype],
                axis=description.axis,
                lo=lo,
                hi=hi,
            )
        except ValueError as error:
            self._fail(f"tensor {name!r}: {error}", self._file.entries[name].start)

    def check(self, name: str) -> None:
        """Compare a tensor, or the topology ``"nnr.topology"``, with its checksum.

        Raises
        ------
        BitstreamError
            It is damaged.
        """
        described = self._described[name]
        entry = self._file.entries[name]
        parts = [self._file.raw(name)]
        if described.has_range_entry:
            parts.append(self._file.raw(RANGE_PREFIX + name))
        if described.checksum != entry_checksum(
            name, described.text, entry.dtype, entry.shape, *parts
        ):
            self._fail(f"tensor {name!r} does not match its checksum", entry.start)

    def verify(self) -> dict[str, BitstreamError | None]:
        """Check everything; for each tensor, and the topology, its error or None."""
        return {name: self._damage(name) for name in self._described}

    def records(self) -> list[TensorRecord]:
        """Return what is known of each tensor without its original."""
        records = []
        for name in self.names:
            stored = self.stored(name)
            if isinstance(stored, QuantizedArray):
                records.append(record_of_quantized(name, stored))
            else:
                records.append(record_of_kept(name, stored, "stored as it is"))
        return records

    def decompress(self, on_tensor: Callable[[str], None] | None = None) -> Model:
        """Rebuild the whole model.

        Parameters
        ----------
        on_tensor : callable, optional
            Called with the name of each tensor that is done.

        Raises
        ------
        BitstreamError
            A tensor or the topology is damaged.
        """
        tensors = {}
        for name in self.names:
            tensors[name] = self.read(name)
            if on_tensor is not None:
                on_tensor(name)
        return Model(tensors, self.topology, self.metadata)

    def _damage(self, name: str) -> BitstreamError | None:
        try:
            self.check(name)
        except BitstreamError as error:
            return error
        return None

    def _check_metadata(self) -> None:
        metadata = self._file.metadata
        if metadata.get(CHECKSUM_KEY) != metadata_checksum(metadata):
            self._fail("the metadata does not match its checksum", self._file.where(CHECKSUM_KEY))
        if metadata.get(FORMAT_KEY) != FORMAT:
            self._fail(
                f"format {metadata.get(FORMAT_KEY)!r} is not known, only {FORMAT!r}",
                self._file.where(FORMAT_KEY),
                "unsupported",
            )

    def _describe(self, key: str, value: str) -> None:
        name = key.removeprefix(TENSOR_PREFIX)
        text, checksum = without_checksum(value)
        description = None
        if key == TOPOLOGY_ENTRY:
            if text != TOPOLOGY_TEXT:
                self._fail(f"topology: unknown form {text!r}", self._file.where(key), "unsupported")
        elif name.startswith(RESERVED_PREFIX):
            self._fail(f"tensor {name!r}: a reserved name", self._file.where(key))
        elif text:
            try:
                description = Description.parse(text)
            except ValueError as error:
                self._fail(f"tensor {name!r}: {error}", self._file.where(key))
        self._described[name] = _Described(text, checksum, description)

    def _check_entries(self) -> None:
        """Entries and descriptions belong together one to one, and their sizes agree."""
        expected: set[str] = set(self._described)
        for name, (_, _, description) in self._described.items():
            if description is None:
                continue
            self._check_entry(name, "U8", (description.packed_bytes,))
            if description.axis is not None:
                ranges = (2, description.shape[description.axis])
                self._check_entry(RANGE_PREFIX + name, "F32", ranges)
                expected.add(RANGE_PREFIX + name)
        for name in sorted(expected ^ self._file.entries.keys()):
            self._fail(f"{name!r} has no entry or no description", self._file.where(name))

    def _check_entry(self, name: str, dtype: str, shape: tuple[int, ...]) -> None:
        entry = self._file.entries.get(name)
        if entry is None or (entry.dtype, entry.shape) != (dtype, shape):
            self._fail(f"entry {name!r} must be {dtype} of shape {shape}", self._file.where(name))

    def _fail(
        self, message: str, byte_offset: int, kind: BitstreamErrorKind = "corrupt"
    ) -> NoReturn:
        raise BitstreamError(f"{self._file.path}: {message}", kind=kind, byte_offset=byte_offset)
