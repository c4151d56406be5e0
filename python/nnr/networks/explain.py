"""A native plan as a table."""

from __future__ import annotations

from typing import Any, SupportsIndex

from .. import _core
from .._arguments import check_integer, check_threads

# Products that a core forms in the time in which it reads or writes a byte of its second-level cache;
# a layer with fewer of them a byte is bound by the cache. Of floats; roughly, on cores of this decade.
_PRODUCTS_A_BYTE = 0.5

_COLUMNS = (
    "layer",
    "kernel",
    "channels",
    "output",
    "Moperations",
    "computed",
    "weights KB",
    "values KB",
    "bound",
)
_TEXT_COLUMNS = 2


def explain_plan(
    plan: _core.NetworkPlan,
    width: SupportsIndex,
    height: SupportsIndex,
    threads: SupportsIndex | None,
) -> str:
    """One line a layer, and how the image is cut."""
    size = check_integer(height, "height"), check_integer(width, "width")
    for name, length in zip(("height", "width"), size, strict=True):
        if length < 1:
            raise ValueError(f"{name} must be positive, got {length}")
    costs = plan.explain(*size, check_threads(threads), None)
    rows = [_row(layer) for layer in costs["layers"]]
    total = sum(layer["operations"] for layer in costs["layers"])
    products = sum(layer["products"] for layer in costs["layers"])
    lines = [*_table([_COLUMNS, *rows]), ""]
    lines.append(
        f"{total / 1e6:,.1f} million operations of direct convolutions, "
        f"{2 * products / 1e6:,.1f} million computed"
    )
    lines.append(
        f"{costs['strips']} strips of {costs['strip']} columns, {costs['segments']} segments of "
        f"{costs['segment']} rows, {costs['step']} rows at a time; "
        f"{costs['arena_bytes'] / 1e6:.1f} MB a thread"
    )
    return "\n".join(lines)


def _row(layer: dict[str, Any]) -> tuple[str, ...]:
    products, value_bytes = layer["products"], layer["value_bytes"]
    computes = products > _PRODUCTS_A_BYTE * value_bytes
    return (
        layer["name"],
        layer["kernel"],
        f"{layer['in_channels']} -> {layer['out_channels']}",
        f"{layer['width']}x{layer['height']}",
        f"{layer['operations'] / 1e6:,.1f}",
        f"{layer['computed']:.3f}",
        f"{layer['weight_bytes'] / 1000:,.1f}",
        f"{value_bytes / 1000:,.1f}",
        "products" if computes else "cache",
    )


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return [
        "  ".join(
            cell.ljust(width) if column < _TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
