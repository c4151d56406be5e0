"""Draw the curve of a training run.

python -m train.plot --curve run/curve.csv --columns psnr --label "PSNR, dB" --output curve.png
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
    parser.add_argument("--curve", type=Path, nargs="+", required=True, help="each goes on")
    parser.add_argument("--columns", nargs="+", required=True)
    parser.add_argument("--label", required=True, help="what the columns are, with their unit")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    rows = []
    for path in options.curve:
        last = int(rows[-1]["step"]) if rows else 0
        with path.open(newline="") as file:
            rows += [row | {"step": last + int(row["step"])} for row in csv.DictReader(file)]
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    steps = [row["step"] for row in rows]
    for name in options.columns:
        axes.plot(steps, [float(row[name]) for row in rows], marker=".", label=name)
    axes.set_xlabel("step")
    axes.set_ylabel(options.label)
    axes.set_title("Pictures that were not trained on, averaged weights")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(options.output, dpi=110)


if __name__ == "__main__":
    main()
