"""What the commands on model files share: their arguments, and the table of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import typer

from .output import escaped, print_json, print_table, table

if TYPE_CHECKING:
    from rich.table import Table

    from ..coding.nnc import DecodedModel, NncFile, NncRecord
    from ..coding.uniform import CompressedFile, TensorRecord
    from ..models.file_sizes import FileSizes

    Records: TypeAlias = Sequence[TensorRecord] | Sequence[NncRecord]


def input_argument(name: str, description: str) -> Any:
    """Return the argument for a file that is read; one that cannot be read is no wrong usage."""
    return typer.Argument(metavar=name, dir_okay=False, readable=False, help=description)


def output_argument(name: str, description: str) -> Any:
    """Return the argument for a file that is written."""
    return typer.Argument(metavar=name, dir_okay=False, help=description)


def check_extension(path: Path, argument: str, extensions: Sequence[str]) -> None:
    """End with a usage error if *path* has none of *extensions*."""
    if path.suffix.lower() not in extensions:
        raise typer.BadParameter(
            f"{path} must end in {' or '.join(extensions)}", param_hint=argument
        )


def check_input(path: Path, argument: str, extensions: Sequence[str]) -> None:
    """End with a usage error if *path* does not exist or has none of *extensions*."""
    try:
        # Any other failure, such as a folder that must not be entered, is no wrong usage.
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise typer.BadParameter(f"File '{path}' does not exist.", param_hint=argument) from None
    check_extension(path, argument, extensions)


def check_output(path: Path, argument: str, extensions: Sequence[str]) -> None:
    """End with a usage error if *path* is in no folder or has none of *extensions*."""
    check_extension(path, argument, extensions)
    if not path.parent.is_dir():
        raise typer.BadParameter(f"Folder '{path.parent}' does not exist.", param_hint=argument)


def open_compressed(
    path: Path, *, base: Sequence[Path] | None = None, max_elements: int | None = None
) -> CompressedFile | NncFile:
    """Open a file in either compressed form; what one form has no use for is a usage error."""
    from ..coding.nnc import NncFile
    from ..coding.uniform import CompressedFile
    from ..models import BITSTREAMS

    if path.suffix.lower() in BITSTREAMS:
        return NncFile(path, base=load_series(base or ()), max_elements=max_elements)
    for option, value in (("--base", base), ("--max-elements", max_elements)):
        if value:
            raise typer.BadParameter(f"{path.suffix} files have no {option}")
    return CompressedFile(path)


def load_series(paths: Sequence[Path]) -> DecodedModel | None:
    """Decode the steps of an incremental series one after the other, and return the last."""
    from ..coding.nnc import NncFile
    from ..models import BITSTREAMS

    model = None
    for path in paths:
        check_input(path, "--base", BITSTREAMS)
        model = NncFile(path, base=model).decompress()
    return model


def print_compression(
    records: Records, original: FileSizes, compressed: FileSizes, *, as_json: bool
) -> None:
    """Print what compression did to each tensor and to the file."""
    if as_json:
        print_json(
            {
                "tensors": [record_fields(record) for record in records],
                "original": size_fields(original),
                "compressed": size_fields(compressed),
                "ratio": original.total / compressed.total,
            }
        )
        return
    print_records(records)
    sizes = table("", "bytes", "weights", "structure", title="\nFile")
    for name, size in (("original", original), ("compressed", compressed)):
        sizes.add_row(name, f"{size.total:,}", f"{size.payload:,}", f"{size.structure:,}")
    print_table(sizes)
    print(f"ratio {original.total / compressed.total:.3f}")


def print_records(records: Records) -> None:
    """Print a table with a row a tensor, at its end what else there is to say of it."""
    from ..coding.nnc import NncRecord

    entropy_coded = [record for record in records if isinstance(record, NncRecord)]
    others = [record for record in records if not isinstance(record, NncRecord)]
    print_table(_table_of_coded(entropy_coded) if entropy_coded else _table(others))


def _table(records: Sequence[TensorRecord]) -> Table:
    errors_known = any(record.max_error for record in records)
    columns = ["shape", "type", "bits", "bytes", "stored", "ratio", "lowest", "highest"]
    columns += ["max error", "mean error"] if errors_known else []
    columns += [""] if any(record.kept for record in records) else []
    rows = table("tensor", *columns, text=[""])
    for record in records:
        cells = [
            "x".join(map(str, record.shape)) or "scalar",
            record.dtype,
            "" if record.bits is None else str(record.bits),
            f"{record.original_bytes:,}",
            f"{record.stored_bytes:,}",
            f"{record.ratio:.2f}",
            _number(record.lo),
            _number(record.hi),
        ]
        cells += [_number(record.max_error), _number(record.mean_error)] if errors_known else []
        cells += [escaped(record.kept)] if record.kept else []
        rows.add_row(escaped(record.name), *cells)
    return rows


def _table_of_coded(records: Sequence[NncRecord]) -> Table:
    errors_known = any(record.max_error is not None for record in records)
    columns = ["shape", "type", "coded as", "qp", "step", "bytes", "stored", "ratio"]
    columns += ["max error", "mean error", "rmse"] if errors_known else []
    columns += [""] if any(record.notes for record in records) else []
    rows = table("tensor", *columns, text=[""])
    for record in records:
        cells = [
            "x".join(map(str, record.shape)) or "scalar",
            record.dtype,
            record.payload.replace("_", " ") + (", dq" if record.dq else ""),
            "" if record.qp is None else str(record.qp),
            _number(record.step),
            f"{record.original_bytes:,}",
            f"{record.stored_bytes:,}",
            f"{record.ratio:.2f}",
        ]
        if errors_known:
            cells += map(_number, (record.max_error, record.mean_error, record.rmse))
        cells += [escaped(record.notes)] if record.notes else []
        rows.add_row(escaped(record.name), *cells)
    return rows


def record_fields(record: TensorRecord | NncRecord) -> dict[str, Any]:
    """Return a record as JSON has it."""
    return {**vars(record), "ratio": record.ratio}


def size_fields(sizes: FileSizes) -> dict[str, int]:
    """Return sizes in bytes as JSON has them."""
    return {"bytes": sizes.total, "weights": sizes.payload, "structure": sizes.structure}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"
