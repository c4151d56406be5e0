"""Bitstream to model, the whole or one tensor at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ..._arguments import check_integer, check_threads
from ...errors import BitstreamError
from ...models.model import Topology
from .checks import DATA, TOPOLOGY, Checks
from .description import Origin, codebook_origin
from .record import NncRecord, records_of
from .series import DecodedModel, check_base
from .source import Source, bytes_of, raise_with_label
from .topology import UnsupportedCompressionError, read_topology
from .units import DecodedUnit, Kept, UnitFault, kept_of, names_in, tensors_of

TOPOLOGY_KEY = "nnr.topology"

_FEWEST_ELEMENTS = 1 << 24
_ELEMENTS_PER_BYTE = 2048
# A deflated graph is some ten times as large; deflate itself could make it a thousand times.
_FEWEST_TOPOLOGY_BYTES = 1 << 24
_TOPOLOGY_BYTES_PER_BYTE = 256
# Coded bytes that are decoded between two signs of life.
_BATCH_BYTES = 1 << 18


class NncFile:
    """A memory-mapped bitstream of ISO/IEC 15938-17.

    Opening it reads all headers, and nothing of what is entropy coded. Reading a tensor decodes
    that tensor alone, and compares it with its checksum if the file has checksums.

    Parameters
    ----------
    source : path or bytes-like object
    base : Model, optional
        What the step before decoded to, for a file of an incremental series.
    max_elements : int, optional
        The most elements to decode in one call. Default: 2**24 + 2,048 for each byte of the file.

    Raises
    ------
    BitstreamError
        The headers are damaged, or say what is not supported; with the number of the unit.

    Examples
    --------
    >>> import numpy as np, nnr
    >>> data = nnr.encode({"a": np.eye(8, dtype=np.float32), "b": np.arange(3)}, bits=8)
    >>> file = nnr.NncFile(data)
    >>> file.names, file.read("b")
    (('a', 'b'), array([0, 1, 2]))
    """

    def __init__(
        self, source: Source, *, base: DecodedModel | None = None, max_elements: int | None = None
    ) -> None:
        self.base = check_base(base)
        self._bytes, self._label = bytes_of(source)
        self._max_elements = _FEWEST_ELEMENTS + _ELEMENTS_PER_BYTE * self._bytes.nbytes
        if max_elements is not None:
            self._max_elements = check_integer(max_elements, "max_elements")
            if not 0 <= self._max_elements < 1 << 63:
                raise ValueError(f"max_elements must be a number of elements, got {max_elements}")
        try:
            self._stream = _core.NncStream(self._bytes)
        except BitstreamError as error:
            raise_with_label(error, self._label)
        self._checks = Checks(self._bytes, self._stream, self._label)
        self._origins = self._checks.description.origins
        if self.has_checksums:
            self._origins = {**self._codebook_origins(), **self._origins}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all tensors, in the order of the file."""
        return tuple(self._places)

    @property
    def metadata(self) -> dict[str, str]:
        """The model's metadata, if this package wrote the file."""
        return dict(self._checks.description.metadata)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was skipped: units of types that the standard does not name."""
        return tuple(self._stream.notes)

    @property
    def has_checksums(self) -> bool:
        """Whether this package wrote the file, and not in NNCodec's own form."""
        return self._checks.present

    @property
    def nbytes(self) -> int:
        """The size of the file."""
        return self._bytes.nbytes

    @property
    def payload_bytes(self) -> int:
        """The bytes that hold the values of tensors."""
        return sum(unit.offset + unit.size - unit.payload_offset for unit in self._data_units)

    @property
    def topology(self) -> Topology | None:
        """The graph, checked."""
        for storage_format, compression_format, offset, size in self._stream.topologies:
            number = self._checks.unit_at(offset)
            self._checks.check(number, "the topology")
            data = self._bytes[offset : offset + size].tobytes()
            limit = _FEWEST_TOPOLOGY_BYTES + _TOPOLOGY_BYTES_PER_BYTE * size
            try:
                topology = read_topology(storage_format, compression_format, data, limit)
            except UnsupportedCompressionError as error:
                self._checks.fail(str(error), offset, number, "unsupported")
            except ValueError as error:
                self._checks.fail(str(error), offset, number)
            if topology is not None:
                return topology
        return None

    def read(self, name: str) -> NDArray[Any]:
        """Return one tensor, checked and rebuilt; nothing of the others is decoded.

        Raises
        ------
        KeyError
            There is no such tensor.
        BitstreamError
            It is damaged.
        """
        index = self._places[name]
        self._check(index)
        return self._tensors([index], self._decode([index]))[name]

    def levels(self, name: str) -> NDArray[np.int32]:
        """Return the integers of one tensor, as `Model.levels` does."""
        index = self._coded_places[name]
        self._check(index)
        unit = self._decode([index], values=False, levels=True)[0]
        levels = next(levels for coded, _, levels, _ in unit if coded == name)
        if levels is None:
            raise ValueError(f"tensor {name!r} is stored as raw floats, which have no levels")
        return self.shaped(name, levels)

    def shaped(self, name: str, levels: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return *levels* in the shape of their tensor, where each of its elements has one."""
        origin = self._origins.get(name)
        if origin is None or levels.size != math.prod(origin.shape):
            return levels
        return levels.reshape(origin.shape)

    def check(self, name: str) -> None:
        """Compare a tensor with its checksum, if there are checksums.

        Raises
        ------
        BitstreamError
            It is damaged.
        """
        self._check(self._places[name])

    def verify(self) -> dict[str, BitstreamError | None]:
        """Check everything; for each tensor, the topology and the rest, its error or None.

        Where there are no checksums, every tensor is decoded instead.
        """
        results: dict[str, BitstreamError | None] = {}

        def note(what: str, error: BitstreamError | None) -> None:
            # Where damage gives two things one name, what is wrong with the first stays.
            results[what] = results.get(what) or error

        indices = iter(range(len(self._data_units)))
        for number, (kind, _, _) in enumerate(self._checks.units):
            if kind == DATA:
                index = next(indices)
                error = _error_of(partial(self._examine, index))
                for name in names_in(self._data_units[index]):
                    note(name, error)
            elif self.has_checksums and not self._checks.is_own(number):
                what = TOPOLOGY_KEY if kind == TOPOLOGY else f"unit {number}"
                note(what, _error_of(partial(self._checks.check, number, what)))
        if any(kind for kind, *_ in self._stream.topologies):
            note(TOPOLOGY_KEY, _error_of(lambda: self.topology))
        if twice := _error_of(lambda: self._places):
            note(f"unit {twice.unit}", twice)
        return results

    def records(self) -> list[NncRecord]:
        """Return what the headers say of each tensor."""
        return records_of(self._bytes, self._stream, self._origins)

    def decompress(
        self, on_tensor: Callable[[str], None] | None = None, *, threads: int | None = None
    ) -> DecodedModel:
        """Rebuild the whole model.

        Parameters
        ----------
        on_tensor : callable, optional
            Called with the name of each tensor that is done.
        threads : int, optional
            As `nnr.quantize` takes it.

        Raises
        ------
        BitstreamError
            A tensor or the topology is damaged.
        """
        count = check_threads(threads)
        self._checks.check_all()
        in_series = self._stream.parent_signalling
        indices = list(range(len(self._data_units)))
        if on_tensor is None:
            units = self._decode(indices, levels=in_series, threads=count)
        else:
            units = self._decode_in_batches(on_tensor, in_series, count)
        tensors = self._tensors(indices, units)
        if missing := self._origins.keys() - tensors.keys():
            self._checks.fail(f"tensor {min(missing)!r} is described and not there", 0, None)
        kept = kept_of(units) if in_series else None
        return DecodedModel(tensors, self.topology, self.metadata, file=self, kept=kept)

    def decode_kept(self) -> Kept:
        """Decode what a series needs of every tensor."""
        return kept_of(self._decode(list(range(len(self._data_units))), levels=True))

    def nodes(self) -> dict[str, tuple[int, int, int]]:
        """Return device, parameter and step of each tensor by its coded name."""
        return {
            name: unit.node or (0, number, 0)
            for number, unit in enumerate(self._data_units)
            for name in unit.names
        }

    def __reduce__(self) -> Any:
        return _reopen, (self._bytes.tobytes(), self.base, self._max_elements)

    def _codebook_origins(self) -> dict[str, Origin]:
        return {
            unit.names[0]: codebook_origin(unit.shape)
            for unit in self._data_units
            if unit.codebook is not None
        }

    @cached_property
    def _data_units(self) -> list[_core.NncDataUnit]:
        return self._stream.data_units

    @cached_property
    def _places(self) -> dict[str, int]:
        """In which data unit a tensor is."""
        return self._unique([names_in(unit) for unit in self._data_units])

    @cached_property
    def _coded_places(self) -> dict[str, int]:
        return self._unique([unit.names for unit in self._data_units])

    def _unique(self, names: list[list[str]]) -> dict[str, int]:
        places: dict[str, int] = {}
        for index, in_unit in enumerate(names):
            for name in in_unit:
                if name in places:
                    unit = self._data_units[index]
                    message = f"a second tensor of the name {name!r}"
                    self._checks.fail(message, unit.offset, unit.number)
                places[name] = index
        return places

    def _check(self, index: int) -> None:
        unit = self._data_units[index]
        self._checks.check(unit.number, f"tensor {names_in(unit)[-1]!r}")

    def _examine(self, index: int) -> None:
        if self.has_checksums:
            self._check(index)
        else:
            self._tensors([index], self._decode([index]))

    def _tensors(self, indices: list[int], units: list[DecodedUnit]) -> dict[str, NDArray[Any]]:
        pairs = [
            (self._data_units[index], unit) for index, unit in zip(indices, units, strict=True)
        ]
        try:
            return tensors_of(pairs, self._origins, self._max_elements)
        except UnitFault as fault:
            self._checks.fail(
                str(fault),
                fault.unit.offset,
                fault.unit.number,
                "unsupported" if fault.unsupported else "corrupt",
            )

    @cached_property
    def _past(self) -> tuple[dict[str, NDArray[np.int32]], dict[str, NDArray[np.uint8]]]:
        """Levels and histories of the step before, of those tensors that go on with them."""
        series = {} if self.base is None else self.base.series()
        levels: dict[str, NDArray[np.int32]] = {}
        history: dict[str, NDArray[np.uint8]] = {}
        for unit in self._data_units if series else ():
            parent = unit.parent
            for name, _, shape, _ in unit.tensors if parent is not None else ():
                state = series.get(name)
                if state is None or state.active.size != math.prod(shape):
                    continue
                history[name] = state.active
                if state.levels is not None:
                    levels[name] = state.levels
                if parent is not None and parent[1]:
                    self._check_step(unit, name, state.node[2])
        return levels, history

    def _check_step(self, unit: _core.NncDataUnit, name: str, before: int) -> None:
        """Whose context is another step's would be decoded to something else, maybe unnoticed."""
        if unit.node is not None and unit.node[2] != before + 1:
            self._checks.fail(
                f"tensor {name!r} is of step {unit.node[2]} of its series, "
                f"and base holds step {before}",
                unit.offset,
                unit.number,
            )

    def _decode(
        self,
        indices: list[int],
        *,
        values: bool = True,
        levels: bool = False,
        threads: int = 0,
        decoded: int = 0,
    ) -> list[DecodedUnit]:
        limit = max(self._max_elements - decoded, 0)
        try:
            return self._stream.decode(indices, values, levels, *self._past, limit, threads)
        except BitstreamError as error:
            raise_with_label(error, self._label)

    def _decode_in_batches(
        self, on_tensor: Callable[[str], None], in_series: bool, threads: int
    ) -> list[DecodedUnit]:
        units: list[DecodedUnit] = []
        indices: list[int] = []
        elements = size = 0
        last = len(self._data_units) - 1
        for index, unit in enumerate(self._data_units):
            indices.append(index)
            size += unit.size
            if size < _BATCH_BYTES and index < last:
                continue
            batch = self._decode(indices, levels=in_series, threads=threads, decoded=elements)
            for name, array, _, _ in (tensor for decoded in batch for tensor in decoded):
                elements += 0 if array is None else array.size
                on_tensor(name)
            units += batch
            indices, size = [], 0
        return units


def _error_of(action: Callable[[], object]) -> BitstreamError | None:
    try:
        action()
    except BitstreamError as error:
        return error
    return None


def _reopen(data: bytes, base: DecodedModel | None, max_elements: int) -> NncFile:
    return NncFile(data, base=base, max_elements=max_elements)
