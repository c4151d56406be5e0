"""What the bundled post filter loses by being compiled to integers, in decoded video.

python -m bench.integer_loss --calibrate PHOTOGRAPHS --pictures KODAK

Both are folders of photographs. Crops of the first are encoded for the ranges of values, the second
are filtered; VVC All Intra without loop filters, preset faster, luma of 10 bits.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import nnr
from nnr.video import Frame, open_sequence, vvc

from . import tables
from .comparison import progress

QPS = (22, 27, 32, 37, 42)
CROPS = 32
CROP_SIDE = 160
PEAK = 1020  # of 8-bit sources on the scale of 10 bits


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.integer_loss",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--calibrate", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--pictures", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--activation-bits", type=int, choices=(8, 16), default=8)
    arguments = parser.parse_args()
    original = nnr.PostFilter.load(nnr.networks.POSTFILTER)
    crops = list(progress(list(_crops(arguments.calibrate)), lambda crop: f"crop, QP {crop[1]}"))
    samples = [(_decoded(crop, qp), qp) for crop, qp in crops]
    exact = original.to_integer(samples, bit_depth=10, activation_bits=arguments.activation_bits)
    paths = sorted(arguments.pictures.glob("*.png"))
    pictures = [(open_sequence(path)[0], qp) for path in paths for qp in QPS]
    quality: dict[int, list[tuple[float, float]]] = {qp: [] for qp in QPS}
    for frame, qp in progress(pictures, lambda picture: f"QP {picture[1]}"):
        decoded = _decoded(frame, qp)
        results = [decoded, *(f.apply_frame(decoded, qp=qp) for f in (original, exact))]
        plain, floats, integers = (_psnr(result, frame) for result in results)
        quality[qp].append((floats - plain, floats - integers))
    print(tables.table(["QP", "gain of floats", "loss, mean", "loss, worst"], _rows(quality)))


def _crops(folder: Path) -> Iterator[tuple[Frame, int]]:
    """Parts from the middle of as many pictures, evenly drawn, with the QPs in turn."""
    paths = sorted(folder.glob("*.png"))
    for i in range(CROPS):
        frame = open_sequence(paths[i * len(paths) // CROPS])[0]
        row, column = ((side - CROP_SIDE) // 4 * 2 for side in frame.y.shape)
        y = frame.y[row : row + CROP_SIDE, column : column + CROP_SIDE]
        half = (
            slice(row // 2, (row + CROP_SIDE) // 2),
            slice(column // 2, (column + CROP_SIDE) // 2),
        )
        yield Frame(y, frame.u[half], frame.v[half]), QPS[i % len(QPS)]


def _decoded(frame: Frame, qp: int) -> Frame:
    settings = vvc.VvcSettings(qp, loop_filters="none")
    (decoded,) = vvc.decode(vvc.encode([frame], settings))
    return decoded


def _psnr(result: Frame, source: Frame) -> float:
    error = result.y - source.y.astype(np.float64) * 4
    return float(10 * np.log10(PEAK**2 / np.mean(error**2)))


def _rows(quality: dict[int, list[tuple[float, float]]]) -> list[list[str]]:
    rows = []
    for qp, values in quality.items():
        gains, losses = np.array(values).T
        numbers = gains.mean(), losses.mean(), losses.max()
        rows.append([str(qp), f"{numbers[0]:.3f}", f"{numbers[1]:.4f}", f"{numbers[2]:.4f}"])
    return rows


if __name__ == "__main__":
    main()
