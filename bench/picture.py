"""GB/s against size as a picture: a panel a work, a line a library, ceilings dashed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .contestants import NAME

PANELS = ("range", "quantize", "dequantize", "unpack")
COLOURS = {
    NAME: "#c1272d",
    "numpy": "#7f7f7f",
    "torch": "#e6861a",
    "onnxruntime": "#2a6fbb",
    "fastpfor": "#2f8f4e",
    "opencv": "#7b4fa6",
}


def draw(results: Sequence[dict[str, Any]], path: Path) -> None:
    """The float32 works and the unpacking of 4 bits, each library's faster variant."""
    figure = Figure(figsize=(11, 7.5), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True)
    of_float32 = {
        kind: [r for r in results if r["kind"] == kind and r["dtype"] == "float32"]
        for kind in PANELS
    }
    read = [result["ceiling"]["GB/s"] for result in of_float32["range"]]
    for kind, axes in zip(PANELS, panels.flat, strict=True):
        _draw_panel(axes, of_float32[kind], read)
    handles: dict[str, Any] = dict.fromkeys(COLOURS)  # libraries first, ceilings after them
    for axes in panels.flat:
        found, labels = axes.get_legend_handles_labels()
        handles |= dict(zip(labels, found, strict=True))
    handles = {label: handle for label, handle in handles.items() if handle is not None}
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=len(handles),
        frameon=False,
    )
    figure.savefig(path, dpi=130, metadata={"Software": None})


def _draw_panel(axes: Axes, results: Sequence[dict[str, Any]], read: Sequence[float]) -> None:
    sizes = [result["bytes"] for result in results]
    for library, colour in COLOURS.items():
        rates = [_fastest(result, library) for result in results]
        if all(rates):
            is_ours = library == NAME
            axes.plot(
                sizes,
                rates,
                marker="o",
                markersize=5 if is_ours else 4,
                linewidth=2.4 if is_ours else 1.4,
                color=colour,
                label=library,
                zorder=3 if is_ours else 2,
            )
    kind = results[0]["kind"]
    if kind != "unpack":  # codes are counted as four bytes, which nobody reads
        axes.plot(sizes, read, "--", color="black", linewidth=1.2, label="read bandwidth")
    if kind != "range":  # which is nothing but reading
        moved = [result["ceiling"]["GB/s"] for result in results]
        axes.plot(sizes, moved, ":", color="black", linewidth=1.4, label="the same bytes moved")
    axes.set_title(results[0]["work"], fontsize=11, loc="left")
    counted = "codes as uint32" if kind == "unpack" else results[0]["dtype"]
    axes.set_ylabel(f"GB/s of {counted}")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(sizes, [result["size"] for result in results])
    axes.minorticks_off()
    axes.set_yticks(_round_rates(*axes.get_ylim()))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)


def _fastest(result: dict[str, Any], library: str) -> float:
    rates = [entry["GB/s"] for entry in result["entries"] if entry["library"] == library]
    return max(rates, default=0.0)


def _round_rates(low: float, high: float) -> list[float]:
    return [
        digit * 10.0**power
        for power in range(-2, 5)
        for digit in (1, 2, 5)
        if low <= digit * 10.0**power <= high
    ]
