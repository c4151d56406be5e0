"""``nnr info``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from .model_files import check_input, input_argument, print_records, record_fields, size_fields
from .output import print_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..coding.nnc import NncRecord
    from ..coding.uniform import TensorRecord
    from ..models import Topology


def info(
    source: Annotated[Path, input_argument("FILE", "A model, compressed or not.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the tensors of a model file: shapes, types, bits, bytes, ranges, ratio."""
    from ..coding.sizes import file_sizes
    from ..models import READABLE

    check_input(source, "FILE", READABLE)
    records, topology, metadata, notes = _contents(source)
    sizes = file_sizes(source)
    original = sum(record.original_bytes for record in records)
    stored = sum(record.stored_bytes for record in records)
    ratio = original / stored if stored else 1.0
    if as_json:
        print_json(
            {
                "file": str(source),
                "tensors": [record_fields(record) for record in records],
                "topology": topology,
                "metadata": metadata,
                "notes": notes,
                **size_fields(sizes),
                "original_weights": original,
                "ratio": ratio,
            }
        )
        return
    print_records(records)
    count = len(records)
    print(
        f"\n{source}: {count} tensor{'s'[: count != 1]}, topology: {topology or 'none'}\n"
        f"{sizes.total:,} bytes: {sizes.payload:,} weights, {sizes.structure:,} structure\n"
        f"weights before compression: {original:,} bytes, ratio {ratio:.3f}"
    )
    for note in notes:
        print(f"note: {note}")


class _Contents(NamedTuple):
    """The records of the tensors, the topology's format, the metadata, and what was skipped."""

    records: list[TensorRecord] | list[NncRecord]
    topology: str | None
    metadata: dict[str, str]
    notes: Sequence[str] = ()


def _contents(source: Path) -> _Contents:
    from ..coding.nnc import NncFile
    from ..coding.uniform import CompressedFile, is_compressed
    from ..models import BITSTREAMS, load
    from ..models.safetensors import SafetensorsFile

    if source.suffix.lower() in BITSTREAMS:
        bitstream = NncFile(source)
        return _Contents(
            bitstream.records(),
            _format(bitstream.topology),
            bitstream.metadata,
            bitstream.notes,
        )
    if source.suffix.lower() == ".safetensors":
        file = SafetensorsFile(source)
        if is_compressed(file):
            compressed = CompressedFile(file)
            return _Contents(
                compressed.records(), _format(compressed.topology), compressed.metadata
            )
    model = load(source)
    records = [_record(name, array) for name, array in model.tensors.items()]
    return _Contents(records, _format(model.topology), model.metadata)


def _format(topology: Topology | None) -> str | None:
    return topology.format if topology else None


def _record(name: str, array: NDArray[Any]) -> TensorRecord:
    from ..coding.uniform.record import record_of_kept

    record = replace(record_of_kept(name, array, ""), kept=None)
    lo, hi = _range(array)
    return replace(record, lo=lo, hi=hi)


def _range(array: NDArray[np.generic]) -> tuple[float | None, float | None]:
    if array.size == 0 or array.dtype.kind in "bc":
        return None, None
    # In their own type where NumPy's extremes exist for it, which is not so for float8.
    values = array.astype("f4") if array.dtype.itemsize == 1 else array
    return float(values.min()), float(values.max())
