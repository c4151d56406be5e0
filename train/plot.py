"""Draw the curve of a training run.

python train/plot.py --curve run/curve.csv --output curve.png
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curve", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    with options.curve.open(newline="") as file:
        rows = list(csv.DictReader(file))
    steps = [int(row["step"]) for row in rows]
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name in (name for name in rows[0] if name.startswith("gain_qp")):
        gains = [float(row[name]) for row in rows]
        axes.plot(steps, gains, marker=".", label=f"QP {name.removeprefix('gain_qp')}")
    axes.set_xlabel("step")
    axes.set_ylabel("luma PSNR gain over no filter, dB")
    axes.set_title("Pictures that were not trained on, averaged weights")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(options.output, dpi=110)


if __name__ == "__main__":
    main()
