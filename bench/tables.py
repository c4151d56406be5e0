"""Results as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .contestants import NAME

FASTPFOR = "fastpfor"

Rows = list[list[str]]


def table(head: Sequence[str], rows: Rows, *, names: int = 1) -> str:
    """A Markdown table, its first *names* columns of words and the others of numbers."""
    rule = [":--" if column < names else "--:" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [list(head), rule, *rows])


def summary(results: Sequence[dict[str, Any]]) -> str:
    """How nnr fares on every work, a column a size."""
    rows: Rows = []
    for work, of_work in _by_work(results):
        for number, first in enumerate(of_work[0]["ratios"]):
            cells = [_fares(result, result["ratios"][number]) for result in of_work]
            rows.append([work, first["output"], *cells])
    return table(["work", "output", *_sizes(results)], rows, names=2)


def _fares(result: dict[str, Any], ratio: dict[str, Any]) -> str:
    reached = ratio["our GB/s"] / result["ceiling"]["GB/s"]
    return f"{ratio['min']:.2f} ({ratio['median']:.2f}) {ratio['peer']}, {reached:.0%}"


def rates(results: Sequence[dict[str, Any]]) -> str:
    """Every contestant and the ceiling, a column a size."""
    rows: Rows = []
    for work, of_work in _by_work(results):
        columns = [result["entries"] for result in of_work]
        for number, first in enumerate(columns[0]):
            name = f"**{first['library']}**" if first["library"] == NAME else first["library"]
            call = f"{name} `{first['call']}`" + (" ¹" if first["note"] else "")
            rows.append([work, call, first["output"], *(_rate(c, c[number]) for c in columns)])
        ceilings = [result["ceiling"] for result in of_work]
        cells = [f"*{rate(ceiling['GB/s'])}*" for ceiling in ceilings]
        rows.append([work, f"*ceiling: {ceilings[0]['moves']}*", "", *cells])
    return table(["work", "library and call", "output", *_sizes(results)], rows, names=3)


def _rate(entries: Sequence[dict[str, Any]], entry: dict[str, Any]) -> str:
    """One contestant's GB/s; bold where no other is faster."""
    text = f"{rate(entry['GB/s'])} ({rate(entry['median GB/s'])})"
    is_fastest = entry["GB/s"] == max(other["GB/s"] for other in entries)
    return f"**{text}**" if is_fastest else text


def _by_work(results: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    works = _unique(result["work"] for result in results)
    return [(work, [result for result in results if result["work"] == work]) for work in works]


def _sizes(results: Sequence[dict[str, Any]]) -> list[str]:
    return _unique(result["size"] for result in results)


def notes(results: Sequence[dict[str, Any]]) -> str:
    """Where a peer's result is not the reference's, and why."""
    found = _unique(
        f"- {entry['library']} `{entry['call']}`: {entry['note']}"
        for result in results
        for entry in result["entries"]
        if entry["note"]
    )
    return "\n".join(found)


def widths(results: Sequence[dict[str, Any]]) -> str:
    """Billions of codes a second by width: nnr, FastPFor and the ratio."""
    kinds = _unique(result["kind"] for result in results)
    head = ["bits", *(f"{kind}: {name}" for kind in kinds for name in (NAME, FASTPFOR, "ratio"))]
    rows = []
    for bits in _unique(result["bits"] for result in results):
        of_width = [result["entries"] for result in results if result["bits"] == bits]
        rows.append([str(bits), *(cell for entries in of_width for cell in _width_cells(entries))])
    return table(head, rows)


def _width_cells(entries: Sequence[dict[str, Any]]) -> list[str]:
    ours, theirs = entries[0], _entry_of(entries, FASTPFOR)
    if theirs is None:
        return [_gigacodes(ours), "", ""]
    by_minimum, by_median = (theirs[key] / ours[key] for key in ("min s", "median s"))
    return [_gigacodes(ours), _gigacodes(theirs), f"{by_minimum:.2f} ({by_median:.2f})"]


def _gigacodes(entry: dict[str, Any]) -> str:
    return f"{entry['GB/s'] / 4:.1f} ({entry['median GB/s'] / 4:.1f})"


def _entry_of(entries: Sequence[dict[str, Any]], library: str) -> dict[str, Any] | None:
    return next((entry for entry in entries if entry["library"] == library), None)


def spread_of_widths(results: Sequence[dict[str, Any]]) -> str:
    """nnr's slowest width over its fastest, as all widths go and by the type of the codes."""
    groups = {"1 to 16 bits": range(1, 17), "1 to 8": range(1, 9), "9 to 16": range(9, 17)}
    kinds = _unique(result["kind"] for result in results)
    rows = []
    for kind in kinds:
        by_bits = {r["bits"]: r["entries"][0]["GB/s"] for r in results if r["kind"] == kind}
        row = [kind]
        for group in groups.values():
            slowest, fastest = (f(group, key=by_bits.__getitem__) for f in (min, max))
            row.append(f"{by_bits[slowest] / by_bits[fastest]:.2f} ({slowest} over {fastest})")
        rows.append(row)
    return table(["", *groups], rows)


def one_bit(results: Sequence[dict[str, Any]]) -> str:
    """What NumPy's own functions for single bits do."""
    found = [_entry_of(result["entries"], "numpy") for result in results if result["bits"] == 1]
    return " and ".join(f"`{entry['call']}` {_gigacodes(entry)}" for entry in found if entry)


def layouts(results: Sequence[dict[str, Any]]) -> str:
    """GB/s by layout and work, a column a library."""
    libraries = _unique(entry["library"] for result in results for entry in result["entries"])
    rows = []
    for result in results:
        found = [_entry_of(result["entries"], library) for library in libraries]
        cells = [_rate(result["entries"], entry) if entry else "" for entry in found]
        [ratio] = result["ratios"]
        cells.append(f"{ratio['min']:.2f} ({ratio['median']:.2f})")
        rows.append([result["work"], result["layout"], *cells])
    return table(["work", "layout", *libraries, "nnr ÷ fastest peer"], rows, names=2)


def levels(results: Sequence[dict[str, Any]]) -> str:
    names = list(results[0]["GB/s"])
    rows = [
        [result["work"], f"`{result['call']}`", *(rate(result["GB/s"][name]) for name in names)]
        for result in results
    ]
    return table(["work", "nnr", *names], rows, names=2)


def roofline(measured: dict[str, Any]) -> str:
    by_size = measured["GB/s"]
    loops = list(next(iter(by_size.values())))
    rows = [[loop, *(rate(by_size[size][loop]) for size in by_size)] for loop in loops]
    return table(["GB/s", *by_size], rows)


def calls(measured: dict[str, dict[str, dict[str, float]]]) -> str:
    rows = []
    for inputs, of_inputs in measured.items():
        base = next(iter(of_inputs.values()))["min"]
        for name, times in of_inputs.items():
            beyond = f"{times['min'] - base:+.2f}" if times["min"] != base else ""
            rows.append(
                [inputs, f"`{name}`", f"{times['min']:.2f} ({times['median']:.2f})", beyond]
            )
    return table(["input", "call", "µs", "µs beyond the first"], rows, names=2)


def rate(gigabytes: float) -> str:
    """Three digits."""
    return f"{gigabytes:.0f}" if gigabytes >= 100 else f"{gigabytes:.3g}"


def _unique(items: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(items))
