"""Runs a case: every contestant is checked, then all are timed in rotation with the ceiling."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import nnr

from . import ceilings, contestants, peers
from .cases import COMPARED, SIZES, WIDTHS, Case, Work
from .contestants import Contestant
from .timing import Timing, rotate

WIDTHS_SIZE = "256 KB"
LEVELS_SIZE = "256 KB"

Result = dict[str, Any]
Item = TypeVar("Item")


def compare_all(sizes: Sequence[str], seconds: float) -> list[Result]:
    """Every work on every size, *seconds* each, against peers and the ceiling."""
    cases = [(work, size) for work in COMPARED for size in sizes]
    return [
        compare(work, size, seconds)
        for work, size in progress(cases, lambda case: f"{case[0].title}, {case[1]}")
    ]


def compare_widths(seconds: float) -> list[Result]:
    """Packing and unpacking at each width, on one size."""
    return [
        compare(work, WIDTHS_SIZE, seconds, with_ceiling=False)
        for work in progress(WIDTHS, lambda work: work.title)
    ]


def compare(work: Work, size: str, seconds: float, *, with_ceiling: bool = True) -> Result:
    case = Case(work, SIZES[size])
    entrants = [*contestants.WORKS[work.kind](case), *peers.contestants(case)]
    for entrant in entrants:
        entrant.check(entrant.run())
    stages = ceilings.stages(case) if with_ceiling else []
    loops = [loop for stage in stages for loop in stage]
    timings = rotate([*entrants, *loops], seconds)
    nbytes = case.nbytes
    entries = [entry_of(nbytes, *pair) for pair in zip(entrants, timings, strict=False)]
    result: Result = {
        "work": work.title,
        "kind": work.kind,
        "dtype": work.dtype,
        "bits": work.bits,
        "size": size,
        "bytes": case.nbytes,
        "entries": entries,
        "ratios": ratios(entries),
    }
    if with_ceiling:
        ceiling = ceilings.seconds(stages, timings[len(entrants) :])
        result["ceiling"] = {
            "moves": ", then ".join(stage[0].name for stage in stages),
            "GB/s": case.nbytes / ceiling / 1e9,
        }
    return result


def compare_levels(seconds: float) -> list[Result]:
    """What each level of this CPU makes of the works, on one size."""
    results = []
    for work in progress(COMPARED, lambda work: f"levels: {work.title}"):
        case = Case(work, SIZES[LEVELS_SIZE])
        ours = contestants.WORKS[work.kind](case)[0]
        rates = {}
        for level in nnr.cpu.targets():
            with nnr.cpu.use_target(level):
                ours.check(ours.run())
                [timing] = rotate([ours], seconds)
            rates[level] = case.nbytes / timing.minimum / 1e9
        results.append({"work": work.title, "call": ours.call, "GB/s": rates})
    return results


def ratios(entries: Sequence[Result]) -> list[Result]:
    """How many times faster than the fastest peer nnr is: allocating, and reusing, its result."""
    ours = [entry for entry in entries if entry["library"] == contestants.NAME]
    others = [entry for entry in entries if entry["library"] != contestants.NAME]
    found = []
    for own in ours:
        rivals = [entry for entry in others if entry["output"] == own["output"]]
        if not rivals:
            continue
        by_minimum = min(rivals, key=lambda entry: entry["min s"])
        by_median = min(rivals, key=lambda entry: entry["median s"])
        found.append(
            {
                "output": own["output"],
                "our GB/s": own["GB/s"],
                "peer": by_minimum["library"],
                "min": by_minimum["min s"] / own["min s"],
                "median": by_median["median s"] / own["median s"],
            }
        )
    return found


def entry_of(nbytes: int, contestant: Contestant, timing: Timing) -> Result:
    return {
        "library": contestant.library,
        "call": contestant.call,
        "output": contestant.output,
        "note": contestant.note,
        "min s": timing.minimum,
        "median s": timing.median,
        "rounds": len(timing.seconds),
        "GB/s": nbytes / timing.minimum / 1e9,
        "median GB/s": nbytes / timing.median / 1e9,
    }


def progress(items: Iterable[Item], title: Callable[[Item], str]) -> Iterator[Item]:
    """Passes *items* on and says on a terminal which it is at."""
    todo = list(items)
    for number, item in enumerate(todo, 1):
        if sys.stderr.isatty():
            print(f"\r\033[K{number}/{len(todo)} {title(item)}", end="", file=sys.stderr)
        yield item
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
