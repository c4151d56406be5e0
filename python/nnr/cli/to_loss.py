"""``nnr compress --calibrate``: the fewest bytes at which a network loses no more than allowed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .model_files import size_fields
from .output import escaped, print_json, print_table, progress, table

if TYPE_CHECKING:
    from ..compression import LossCompression, TensorChoice
    from ..compression.loss import Loss
    from ..models.file_sizes import FileSizes


def decibels(text: str) -> float:
    """Read a loss such as 0.005dB; without its unit it could be anything."""
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+) ?dB", text.strip(), re.IGNORECASE)
    if match is None or float(match[1]) == 0:
        raise typer.BadParameter(f"{text}: must be decibels above 0, such as 0.005dB")
    return float(match[1])


@dataclass(frozen=True)
class ToLoss:
    """Compresses a model file to a loss.

    Parameters
    ----------
    source, target : Path
    frames : Path
        A file or a folder of video or photographs.
    options : dict
        Of `nnr.compress_to_loss`.
    dry_run, as_json : bool
    """

    source: Path
    target: Path
    frames: Path
    options: dict[str, Any]
    dry_run: bool
    as_json: bool

    def run(self) -> None:
        """Search, write, read back what was written, and print."""
        from ..coding.sizes import file_sizes
        from ..compression import DEFAULT_QPS, compress_to_loss, expected_steps
        from ..errors import MissingExtraError
        from ..models import load
        from ..networks import PostFilter

        model = load(self.source)
        original = file_sizes(self.source, model)
        steps = expected_steps(model, self.options.get("qps", DEFAULT_QPS))
        try:
            with progress("searching", steps) as advance:
                found = compress_to_loss(model, self.frames, on_step=advance, **self.options)
        except MissingExtraError as error:
            raise MissingExtraError(error.package, "evaluate") from error  # it holds all
        loss = found.loss
        if not self.dry_run:
            found.save(self.target)
            loss = found.meter.measure(PostFilter.load(self.target))
        print_result = _print_json if self.as_json else _print_tables
        print_result(found, loss, original)


def _print_json(found: LossCompression, loss: Loss, original: FileSizes) -> None:
    compressed = found.sizes()
    print_json(
        {
            "tensors": [_fields(tensor) for tensor in found.tensors],
            "original": size_fields(original),
            "compressed": size_fields(compressed),
            "ratio": original.total / compressed.total,
            "loss": {
                "metric": found.meter.metric,
                "pictures": found.meter.picture_count,
                "qps": found.meter.qps,
                "original_psnr": found.meter.psnr,
                "allowed": found.max_loss,
                "psnr": loss.psnr,
                "change": loss.change,
                "trials": found.trials,
            },
        }
    )


def _print_tables(found: LossCompression, loss: Loss, original: FileSizes) -> None:
    _print_tensors(found.tensors)
    sizes = table("", "bytes", "weights", "structure", title="\nFile")
    compressed = found.sizes()
    for name, size in (("original", original), ("compressed", compressed)):
        sizes.add_row(name, f"{size.total:,}", f"{size.payload:,}", f"{size.structure:,}")
    print_table(sizes)
    print(f"ratio {original.total / compressed.total:.3f}")
    meter = found.meter
    qps = ", ".join(map(str, meter.qps))
    print(
        f"loses {loss.psnr:.4f} dB of {meter.psnr:.3f} dB ({meter.metric}, "
        f"{meter.picture_count} pictures, QP {qps}); {found.max_loss:g} dB were allowed"
    )


def _print_tensors(tensors: Sequence[TensorChoice]) -> None:
    rows = table(
        "tensor", "shape", "coded as", "step", "bytes", "stored", "sensitivity", "loss",
        title="sensitivity: dB lost by errors of 1 % of the values; loss: dB lost by this tensor alone",
        text=["coded as"],
    )  # fmt: skip
    for tensor in tensors:
        rows.add_row(
            escaped(tensor.name),
            "x".join(map(str, tensor.shape)) or "scalar",
            _coded_as(tensor.settings),
            f"{tensor.settings['step']:.5g}" if "step" in tensor.settings else "",
            f"{tensor.original_bytes:,}",
            f"{tensor.stored_bytes:,}",
            "" if tensor.sensitivity is None else f"{tensor.sensitivity:.2g}",
            f"{tensor.loss:.2g}" if tensor.settings else "",
        )
    print_table(rows)


def _coded_as(settings: dict[str, Any]) -> str:
    if not settings:
        return "as it is"
    if "bits" in settings:
        return f"{settings['bits']} bits"
    if settings["dq"]:
        return f"dq, rdo {settings['rdo']:g}"
    return "its grid" if settings["grid"] else "uniform"


def _fields(tensor: TensorChoice) -> dict[str, Any]:
    fields = vars(tensor).copy()
    settings: dict[str, Any] = fields.pop("settings")
    return fields | settings
