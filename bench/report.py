"""Measures everything and renders it as Markdown and a picture.

python -m bench.report                             prints the Markdown
python -m bench.report --update docs/benchmarks.md puts it there, the picture beside it
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from . import comparison, layouts, machine, memory, overhead, picture, roofline, tables, threads
from .marks import Marks
from .plan import FULL, QUICK, Plan

MARKS = Marks(
    "<!-- begin: written by `python -m bench.report --update`, do not edit -->", "<!-- end -->"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="less time, and no 64 MB")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.add_argument(
        "--update", type=Path, metavar="FILE", help="replace the part between marks"
    )
    arguments = parser.parse_args()
    if arguments.update:
        MARKS.check(arguments.update)
    results = measure(QUICK if arguments.quick else FULL)
    results["command"] = _command(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    if arguments.update:
        drawn = arguments.update.with_suffix(".png")
        picture.draw(results["comparison"], drawn)
        MARKS.replace(arguments.update, markdown(results, drawn.name))
    else:
        print(markdown(results))


def measure(plan: Plan) -> dict[str, Any]:
    started = time.monotonic()
    return {
        "machine": machine.describe(),
        "configuration": machine.configuration(),
        "libraries": machine.libraries(),
        "case seconds": plan.case_seconds,
        "calls": overhead.measure(plan.case_seconds),
        "roofline": roofline.measure(plan.sizes, plan.short_seconds),
        "comparison": comparison.compare_all(plan.sizes, plan.case_seconds),
        "layouts": layouts.measure(plan.short_seconds),
        "widths": comparison.compare_widths(plan.short_seconds),
        "levels": comparison.compare_levels(plan.short_seconds / 4),
        "threads": threads.measure() if threads.cores() > 1 else {},
        "memory": memory.measure(),
        "seconds": round(time.monotonic() - started),
    }


def markdown(results: dict[str, Any], picture_name: str = "") -> str:
    sections = [
        _against_others(results, picture_name),
        _rates(results),
        _layouts(results),
        _widths(results),
        _levels(results),
        _calls(results),
        _threads_and_memory(results),
        _machine(results),
    ]
    return "\n\n".join(sections)


def _command(arguments: argparse.Namespace) -> str:
    """The command as a reader would give it, wherever the files lie."""
    words = ["python -m bench.report"]
    if arguments.quick:
        words.append("--quick")
    for option in ("json", "update"):
        if path := getattr(arguments, option):
            words.append(f"--{option} {path if not path.is_absolute() else path.name}")
    return " ".join(words)


def _against_others(results: dict[str, Any], picture_name: str) -> str:
    shown = f"![GB/s against size]({picture_name})\n\n" if picture_name else ""
    return f"""## Against other libraries
`{results["command"]}`, {results["machine"]["date"]}: {results["seconds"]} seconds in all,
{results["case seconds"]} seconds and at least five rounds for each work and size. nnr at level
{results["configuration"]["level in use"]}, one thread everywhere.

{shown}How many times faster than the fastest peer nnr is, by the fastest round (by the median
round); which peer that is; what percentage of the ceiling nnr reaches.

{tables.summary(results["comparison"])}"""


def _rates(results: dict[str, Any]) -> str:
    return f"""## All libraries
GB/s by the fastest round (by the median round); the fastest is bold.

{tables.rates(results["comparison"])}

¹ Where a result is not the reference's, and why:

{tables.notes(results["comparison"])}"""


def _layouts(results: dict[str, Any]) -> str:
    return f"""## Channel axes and strides
4 MB of float32 or just below, 8 bits, every result newly allocated: GB/s by the fastest round (by
the median round). NumPy's is an expression, PyTorch's `quantize_per_channel` and `dequantize`.

{tables.layouts(results["layouts"])}"""


def _widths(results: dict[str, Any]) -> str:
    return f"""## Packing at every width
Billions of codes a second by the fastest round (by the median round), on {comparison.WIDTHS_SIZE}
of codes counted as uint32; the ratio is nnr's over FastPFor's.

{tables.widths(results["widths"])}

NumPy's own functions for single bits, which allocate: {tables.one_bit(results["widths"])}.

nnr's slowest width over its fastest:

{tables.spread_of_widths(results["widths"])}"""


def _levels(results: dict[str, Any]) -> str:
    return f"""## Each level of this CPU
GB/s, {comparison.LEVELS_SIZE}.

{tables.levels(results["levels"])}"""


def _calls(results: dict[str, Any]) -> str:
    sizes = overhead.TENSOR_SIZES
    return f"""## Small calls
Microseconds by the fastest round (by the median round). The {overhead.TENSORS} tensors hold
{min(sizes)} to {max(sizes):,} floats.

{tables.calls(results["calls"])}"""


def _threads_and_memory(results: dict[str, Any]) -> str:
    if results["threads"]:
        ratios = ", ".join(f"{name} {ratio:.2f}" for name, ratio in results["threads"].items())
        threading = f"""Two Python threads, each doing all the work on arrays of its own, take this
many times the time of one: {ratios}. With the GIL held it would be 2."""
    else:
        threading = "Two Python threads were not compared with one: only one core was allowed."
    spent = {name: size for name, size in results["memory"].items() if name != memory.CONTROL}
    most = max(spent, key=spent.__getitem__)
    return f"""## Threads and memory
{threading}

Memory beside input and result, on {memory.SIZE} of float32, is at most {spent[most] / 1024:.0f} KB
({most}), measured as the growth of the process's peak, for {len(spent)} calls."""


def _machine(results: dict[str, Any]) -> str:
    built = results["configuration"]
    measured = results["roofline"]
    facts = results["machine"] | {
        "nnr built by": f"{built['compiler']}, {built['build type']}, `{built['flags']}`",
        "ceilings built by": f"{measured['compiler']}, `{measured['flags']}`",
        "libraries": ", ".join(f"{name} {text}" for name, text in results["libraries"].items()),
    }
    rows = [[name, value] for name, value in facts.items()]
    peaks = ", ".join(
        f"{rate:.0f} billion operations a second of {name}"
        for name, rate in measured["billion operations/s"].items()
    )
    return f"""## The machine
{tables.table(["", ""], rows, names=2)}

Its ceilings, bytes read plus bytes written, the larger side of the size above:

{tables.roofline(measured)}

One core computes {peaks}."""


if __name__ == "__main__":
    main()
