"""GFLOP/s against frame size as a picture: a panel a number of threads, a line an engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .contestants import NAME

COLOURS = {
    NAME: "#c1272d",
    "onnxruntime": "#2a6fbb",
    "openvino": "#7b4fa6",
    "ncnn": "#2f8f4e",
    "torch": "#e6861a",
}
LINES = {"fp32": "-", "bf16": "-.", "int8": "--"}
MARKERS = {"": "o", "NCHW": "o", "channels_last": "s"}
PEAKS = ("fp32", "int8")


def draw(speed: Sequence[Any], peaks: dict[str, dict[str, float]], path: Path) -> None:
    """One network's results over several sizes, and what direct convolution could reach at most."""
    figure = Figure(figsize=(11, 5.5), layout="constrained")
    panels = figure.subplots(1, len(peaks), sharey=True, squeeze=False)[0]
    for axes, (threads, of_threads) in zip(panels, peaks.items(), strict=True):
        _draw_panel(axes, speed, int(threads), of_threads)
    panels[0].set_ylim(bottom=0)
    panels[0].set_ylabel(f"GFLOP/s, {speed[0]['network']}")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", handlelength=4, ncols=5, frameon=False
    )
    figure.savefig(path, dpi=130, metadata={"Software": None})


def _draw_panel(axes: Axes, speed: Sequence[Any], threads: int, peaks: dict[str, float]) -> None:
    samples = [result["samples"] for result in speed]
    for entry in speed[0]["entries"]:
        if entry["threads"] == threads:
            _draw_line(axes, speed, entry)
    for precision in PEAKS:
        if precision in peaks:
            axes.axhline(peaks[precision], color="black", linewidth=1.0, linestyle=":")
            label = f"direct {precision} peak"
            where = (samples[-1], peaks[precision])
            axes.annotate(label, where, ha="right", va="bottom", fontsize=8)
    axes.set_title(f"{threads} thread{'s' * (threads > 1)}", fontsize=11, loc="left")
    axes.set_xscale("log", base=2)
    axes.set_xticks(samples, [result["size"] for result in speed])
    axes.minorticks_off()
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_line(axes: Axes, speed: Sequence[Any], first: Any) -> None:
    points = [
        (result["samples"], entry["GFLOP/s"])
        for result in speed
        for entry in result["entries"]
        if (entry["engine"], entry["threads"]) == (first["engine"], first["threads"])
    ]
    is_ours = first["library"] == NAME
    axes.plot(
        *zip(*points, strict=True),
        LINES[first["precision"]],
        marker=MARKERS[first["variant"]],
        markersize=5 if is_ours else 4,
        linewidth=2.4 if is_ours else 1.4,
        color=COLOURS[first["library"]],
        label=first["engine"],
        zorder=3 if is_ours else 2,
    )
