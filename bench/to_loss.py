"""What compressing a post filter to a loss saves, and what it loses on other pictures.

python -m bench.to_loss --calibrate PHOTOGRAPHS --check KODAK --max-loss 0.005 0.02

Both are folders of photographs or video. The network is the bundled one or that of --network. Its
plain compression to 8 bits and its compression to each loss are measured on the pictures that the
search sees, and on those of the second folder, cut and encoded in the same way.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import nnr
from nnr.compression import DEFAULT_QPS
from nnr.compression.calibration import calibration_pictures
from nnr.compression.loss import LossMeter
from nnr.video import find_sequences

from . import tables

PLAIN_BITS = 8


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.to_loss",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--network", type=Path, default=nnr.networks.POSTFILTER, metavar="FILE")
    parser.add_argument("--calibrate", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--check", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--max-loss", type=float, nargs="+", default=[0.005, 0.02], metavar="DB")
    arguments = parser.parse_args()
    model = nnr.load(arguments.network)
    post_filter = nnr.PostFilter.load(model)
    meters = [
        LossMeter(calibration_pictures(find_sequences(folder), qps=DEFAULT_QPS), post_filter)
        for folder in (arguments.calibrate, arguments.check)
    ]
    rows = []
    for label, size, rebuilt, seconds in _forms(model, arguments.calibrate, arguments.max_loss):
        filtered = nnr.PostFilter.load(rebuilt)
        losses = [f"{meter.measure(filtered).psnr:.4f}" for meter in meters]
        rows.append([label, f"{size:,}", *losses, seconds])
    print(tables.table(["form", "bytes", "loss, dB", "loss elsewhere, dB", "s"], rows))


def _forms(
    model: nnr.Model, frames: Path, losses: list[float]
) -> Iterator[tuple[str, int, nnr.Model, str]]:
    uniform = nnr.compress(model, PLAIN_BITS)
    yield f".safetensors, {PLAIN_BITS} bits", uniform.sizes().total, uniform.decompress(), ""
    plain = nnr.encode(model, bits=PLAIN_BITS)
    yield f".nnr, {PLAIN_BITS} bits", len(plain), nnr.decode(plain), ""
    for loss in losses:
        for form, fixed_length in ((".safetensors", True), (".nnr", False)):
            start = time.perf_counter()
            found = nnr.compress_to_loss(model, frames, max_loss=loss, fixed_length=fixed_length)
            seconds = f"{time.perf_counter() - start:.0f}"
            size = found.sizes().total
            yield f"{form}, at most {loss:g} dB", size, found.decompress(), seconds


if __name__ == "__main__":
    main()
