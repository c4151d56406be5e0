"""``nnr compress``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .model_files import (
    check_input,
    check_output,
    input_argument,
    load_series,
    output_argument,
    print_compression,
)
from .output import progress
from .to_loss import ToLoss, decibels

if TYPE_CHECKING:
    from ..models import Model
    from ..models.file_sizes import FileSizes

# Attempts that a search for an error or a size takes, for the bar.
_SEARCH_STEPS = 6
_DEFAULT_BITS = 8
_MAX_QP = 63  # of VVC
_UNITS = {"": 1, "B": 1} | {
    f"{letter}{ending}": factor ** (power + 1)
    for power, letter in enumerate("KMG")
    for ending, factor in (("B", 1000), ("iB", 1024))
}


def _bytes(text: str) -> int:
    """Read a size such as 60KB; KB are 1,000 bytes and KiB 1,024."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([A-Za-z]*)", text.strip())
    units = {unit.lower(): factor for unit, factor in _UNITS.items()}
    if match is None or match[2].lower() not in units:
        raise typer.BadParameter(
            f"{text}: must be a number of bytes, such as 60000, 60KB or 1.5MiB"
        )
    return int(float(match[1]) * units[match[2].lower()])


def compress(
    source: Annotated[
        Path, input_argument("IN", "A model: .onnx, .safetensors, .npz, .pt or .pth.")
    ],
    target: Annotated[
        Path,
        output_argument(
            "OUT", "A .nnr file, entropy coded, or a .safetensors file of fixed width."
        ),
    ],
    bits: Annotated[
        int | None,
        typer.Option(min=1, max=16, help="Bits a weight: steps over its range. Default: 8."),
    ] = None,
    qp: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N",
            help="The standard's quantisation parameter. With --calibrate, one or more of VVC's: "
            "those of the frames. Default then: 22 27 32 37 42.",
        ),
    ] = None,
    step: Annotated[float | None, typer.Option(metavar="X", help="Quantisation step.")] = None,
    max_error: Annotated[
        float | None, typer.Option(metavar="X", help="No value will be further off.")
    ] = None,
    rmse: Annotated[
        float | None, typer.Option(metavar="X", help="Root mean squared error over all weights.")
    ] = None,
    target_size: Annotated[
        int | None,
        typer.Option(metavar="SIZE", parser=_bytes, help="At most so large: 60KB, 1MiB."),
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            metavar="FRAMES",
            exists=True,
            help="Find the steps of a post filter: the fewest bytes at which it loses at most "
            "--max-loss on this video, photograph, or folder of them.",
        ),
    ] = None,
    max_loss: Annotated[
        float | None,
        typer.Option(metavar="LOSS", parser=decibels, help="Of PSNR, such as 0.005dB."),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN=SETTING,...",
            help="For tensors of this name: qp:N, bits:N, step:X, max-error:X, raw, dq, no-dq, "
            "codebook, scan:N.",
        ),
    ] = None,
    dq: Annotated[
        bool | None, typer.Option("--dq/--no-dq", help="Dependent quantisation. Default: on.")
    ] = None,
    codebook: Annotated[
        bool, typer.Option("--codebook", help="Code indices into a table of values.")
    ] = False,
    scan_order: Annotated[
        int | None, typer.Option(min=0, max=4, help="Blocks of 8, 16, 32, 64 rows; 0 is none.")
    ] = None,
    qp_density: Annotated[
        int | None, typer.Option(min=0, max=7, help="2**N steps to the octave.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="nnr, or nncodec for what NNCodec writes.")
    ] = None,
    base: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="An update of this .nnr file; of a series, all from the first on."
        ),
    ] = None,
    series: Annotated[
        bool, typer.Option("--series", help="Begin a series of updates that NNCodec reads (.nnr).")
    ] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Default: chosen by size.")] = None,
    per_channel: Annotated[
        bool, typer.Option("--per-channel", help="One range an output channel (.safetensors).")
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN", help="Leave tensors of this name as they are, such as *.4.*"
        ),
    ] = None,
    all_tensors: Annotated[
        bool, typer.Option("--all", help="Quantise biases and other vectors too (.safetensors).")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print sizes and errors, and write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compress the weights of a model; the extension of OUT chooses how."""
    from ..models import BITSTREAMS, READABLE

    check_input(source, "IN", READABLE)
    check_output(target, "OUT", (".safetensors", *BITSTREAMS))
    _refuse_compressed(source)
    output = _Output(target, dry_run=dry_run, as_json=as_json)
    given = _given(
        step=step,
        max_error=max_error,
        rmse=rmse,
        target_size=target_size,
        rules=rule,
        dq=dq,
        codebook=codebook or None,
        scan_order=scan_order,
        qp_density=qp_density,
        profile=profile,
    )
    is_bitstream = target.suffix.lower() in BITSTREAMS
    if is_bitstream:
        _refuse(["per_channel"] * per_channel + ["all"] * all_tensors, target)
    if calibrate is not None or max_loss is not None:
        coding = [*given, *_given(bits=bits, base=base, series=series or None)]
        options = {
            "fixed_length": not is_bitstream,
            "per_channel": per_channel,
            "keep": keep or (),
            "all_tensors": all_tensors,
            "threads": threads,
            **_given(max_loss=max_loss, qps=qp),
        }
        _compress_to_loss(source, output, calibrate, coding, options)
        return
    given |= _given(threads=threads, qp=_single(qp))
    if is_bitstream:
        given |= _given(bits=bits)
        given["series"] = series
        given["rules"] = [*(f"{pattern}=raw" for pattern in keep or ()), *(rule or ())]
        _encode(source, output, given, base or [])
        return
    _refuse([*given, *_given(base=base, series=series or None)], target)
    _quantize(
        source,
        output,
        bits=_DEFAULT_BITS if bits is None else bits,
        per_channel=per_channel,
        keep=keep or (),
        all_tensors=all_tensors,
    )


@dataclass(frozen=True)
class _Output:
    """Where the result goes, and how it is told."""

    target: Path
    dry_run: bool
    as_json: bool

    def report(self, records: Any, original: FileSizes, compressed: FileSizes) -> None:
        print_compression(records, original, compressed, as_json=self.as_json)


def _given(**options: Any) -> dict[str, Any]:
    """Those options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _single(qp: list[int] | None) -> int | None:
    if qp is not None and len(qp) > 1:
        raise typer.BadParameter("--qp takes one value; several are for --calibrate")
    return None if qp is None else qp[0]


def _compress_to_loss(
    source: Path,
    output: _Output,
    frames: Path | None,
    coding: list[str],
    options: dict[str, Any],
) -> None:
    if frames is None or "max_loss" not in options:
        raise typer.BadParameter("--calibrate and --max-loss go together")
    for name in coding:
        raise typer.BadParameter(
            f"--calibrate finds how tensors are coded; leave out --{_option(name)}"
        )
    for qp in options.get("qps", ()):
        if not 0 <= qp <= _MAX_QP:
            raise typer.BadParameter(f"--qp {qp}: with --calibrate it must be 0 to {_MAX_QP}")
    ToLoss(source, output.target, frames, options, output.dry_run, output.as_json).run()


def _quantize(source: Path, output: _Output, **options: Any) -> None:
    from ..coding.uniform import compress as compress_model

    model, original = _loaded(source)
    with progress("compressing", len(model.tensors)) as advance:
        compressed = compress_model(model, on_tensor=advance, **options)
    if not output.dry_run:
        compressed.save(output.target)
    output.report(compressed.records, original, compressed.sizes())


def _encode(source: Path, output: _Output, options: dict[str, Any], base: list[Path]) -> None:
    from ..coding.nnc import encode_model
    from ..coding.nnc.options import EncodeOptions
    from ..files import atomic_write
    from ..models.file_sizes import FileSizes

    try:
        kind = EncodeOptions(**options).quantizer.kind
    except (TypeError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error
    before = load_series(base)
    model, original = _loaded(source)
    passes = _SEARCH_STEPS if kind in ("rmse", "target_size") else 1
    with progress("compressing", len(model.tensors) * passes) as advance:
        try:
            encoded = encode_model(model, on_tensor=advance, base=before, **options)
        except TypeError as error:
            # A tensor of a type that cannot be coded: here it is the file that is wrong.
            raise ValueError(str(error)) from error
    if not output.dry_run:
        with atomic_write(output.target) as file:
            file.write(encoded.data)
    compressed = FileSizes(len(encoded.data), encoded.model.file.payload_bytes)
    output.report(encoded.records, original, compressed)


def _loaded(source: Path) -> tuple[Model, FileSizes]:
    """Return the model, and its size before the target is written, which may be the same file."""
    from ..coding.sizes import file_sizes
    from ..models import load

    model = load(source)
    return model, file_sizes(source, model)


def _refuse(given: list[str], target: Path) -> None:
    """End with a usage error for options that mean nothing for *target*."""
    for name in given:
        raise typer.BadParameter(f"{target.suffix} files have no --{_option(name)}")


def _option(name: str) -> str:
    """An option as it is typed."""
    return {"rules": "rule"}.get(name, name).replace("_", "-")


def _refuse_compressed(source: Path) -> None:
    """End with a usage error for weights that would be quantised a second time."""
    from ..coding.uniform import is_compressed
    from ..models import BITSTREAMS
    from ..models.safetensors import SafetensorsFile

    extension = source.suffix.lower()
    if extension in BITSTREAMS or (
        extension == ".safetensors" and is_compressed(SafetensorsFile(source))
    ):
        raise typer.BadParameter(
            f"{source} is already compressed; decompress it first", param_hint="IN"
        )
