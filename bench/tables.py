"""Results as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .contestants import NAME

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
            rows.append([work, _outputs(first), *cells])
    return table(["work", "output", *_sizes(results)], rows, names=2)


def _fares(result: dict[str, Any], ratio: dict[str, Any]) -> str:
    reached = ratio["our GB/s"] / result["ceiling"]["GB/s"]
    return f"{ratio['min']:.2f} ({ratio['median']:.2f}) {ratio['peer']}, {reached:.0%}"


def _outputs(ratio: dict[str, Any]) -> str:
    if ratio["output"] == ratio["our output"]:
        return str(ratio["output"])
    return f"{ratio['our output']}, peer's {ratio['output']}"


def rates(results: Sequence[dict[str, Any]]) -> str:
    """Every contestant and the ceiling, a column a size."""
    rows: Rows = []
    for work, of_work in _by_work(results):
        columns = [result["entries"] for result in of_work]
        for number, first in enumerate(columns[0]):
            name = f"**{first['library']}**" if first["library"] == NAME else first["library"]
            call = f"{name} `{first['call']}`" + (" ¹" if first["note"] else "")
            rows.append([work, call, first["output"], *(_rate(c, number) for c in columns)])
        ceilings = [result["ceiling"] for result in of_work]
        cells = [f"*{rate(ceiling['GB/s'])}*" for ceiling in ceilings]
        rows.append([work, f"*ceiling: {ceilings[0]['moves']}*", "", *cells])
    return table(["work", "library and call", "output", *_sizes(results)], rows, names=3)


def _rate(entries: Sequence[dict[str, Any]], number: int) -> str:
    """One contestant's GB/s; bold where no other is faster."""
    entry = entries[number]
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
    """Billions of codes a second by width: nnr, its fastest peer and the ratio."""
    kinds = _unique(result["kind"] for result in results)
    head = ["bits"]
    for kind in kinds:
        head += [f"{kind}: nnr", "fastest peer", "nnr ÷ peer"]
    rows = []
    for bits in _unique(result["bits"] for result in results):
        row = [str(bits)]
        for kind in kinds:
            [result] = [r for r in results if (r["kind"], r["bits"]) == (kind, bits)]
            row += _width_cells(result)
        rows.append(row)
    return table(head, rows)


def _width_cells(result: dict[str, Any]) -> list[str]:
    def codes(entry: dict[str, Any]) -> str:
        return f"{entry['GB/s'] / 4:.2f} ({entry['median GB/s'] / 4:.2f})"

    ours, *others = result["entries"]
    if not others:
        return [codes(ours), "", ""]
    peer = min(others, key=lambda entry: entry["min s"])
    factors = [peer[key] / ours[key] for key in ("min s", "median s")]
    return [
        codes(ours),
        f"{codes(peer)} {peer['library']}",
        f"{factors[0]:.2f} ({factors[1]:.2f})",
    ]


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
