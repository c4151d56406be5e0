"""Networks on nnr beside general engines: speed, accuracy, memory, start-up.

python -m bench.network                              prints the Markdown
python -m bench.network --update docs/benchmarks.md  puts it there, the picture beside it

Engines that are not installed, and networks that an engine cannot run, are listed with the reason.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import (
    engines,
    machine,
    network_memory,
    network_speed,
    network_startup,
    network_tables,
    peaks,
)
from .comparison import progress
from .engines import Job
from .marks import Marks
from .networks import NETWORKS, Network, Size
from .threads import cores

MARKS = Marks(
    "<!-- begin: written by `python -m bench.network --update`, do not edit -->",
    "<!-- end: bench.network -->",
)
PICTURE = "networks.png"


@dataclass(frozen=True)
class Plan:
    """How long each part of a run takes."""

    sizes: dict[str, Size]
    memory_sizes: dict[str, Size]
    frames: dict[str, Size]  # that a patch is held against
    case_seconds: float  # one network on one size, all engines together
    processes: int  # of each start


QUICK = Plan(
    {"64x64": (64, 64)},
    network_memory.SMALL_SIZES,
    network_startup.SMALL_FRAMES,
    case_seconds=0.2,
    processes=1,
)
USUAL = Plan(
    network_speed.SIZES,
    network_memory.SIZES,
    network_startup.FRAMES,
    case_seconds=4.0,
    processes=7,
)
FULL = replace(USUAL, sizes=network_speed.FULL_SIZES)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.network",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="one small size, little time")
    length.add_argument("--full", action="store_true", help="1920x1080 too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.add_argument(
        "--update", type=Path, metavar="FILE", help="replace the part between marks"
    )
    arguments = parser.parse_args()
    if arguments.update:
        MARKS.check(arguments.update)
    results = measure(QUICK if arguments.quick else FULL if arguments.full else USUAL)
    results["command"] = _command(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    if arguments.update:
        from . import network_picture

        drawn = arguments.update.with_name(PICTURE)
        network_picture.draw(drawable(results), results["peaks"], drawn)
        MARKS.replace(arguments.update, network_tables.markdown(results, drawn.name))
    else:
        print(network_tables.markdown(results))


def measure(plan: Plan) -> dict[str, Any]:
    available = engines.installed()
    for name, why in available.missing.items():
        print(f"left out: {name}: {why}", file=sys.stderr)
    threads = tuple(range(1, min(cores(), 2) + 1))
    made = {title: make() for title, make in NETWORKS.items()}
    before = _peaks(plan, threads)
    speed = _speed(plan, available, threads)
    configuration = machine.configuration()
    return {
        "machine": machine.describe(),
        "configuration": configuration,
        "level": configuration["level in use"],
        "engines": available.versions(),
        "networks": {
            title: {"what": network.what, "weights": network.weights}
            for title, network in made.items()
        },
        "case seconds": plan.case_seconds,
        "peaks": {
            count: {kind: max(peak, before[count][kind]) for kind, peak in after.items()}
            for count, after in _peaks(plan, threads).items()
        },
        "speed": speed,
        "accuracy": network_speed.accuracy(speed),
        "memory": network_memory.measure(plan.memory_sizes, threads),
        "processes": plan.processes,
        "startup": network_startup.measure(plan.processes),
        "patch": network_startup.measure_patch(plan.frames, threads, plan.case_seconds),
    }


def _speed(
    plan: Plan, available: engines.Engines, threads: tuple[int, ...]
) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    told: set[str] = set()
    cases = [
        (network, title, size)
        for network in (make() for make in NETWORKS.values())
        for title, size in _sizes(plan, network).items()
    ]
    for network, title, size in progress(cases, lambda case: f"{case[0].title}, {case[1]}"):
        job = Job(network, size)
        result = network_speed.compare(available, job, title, threads, plan.case_seconds)
        for name, why in result["skipped"].items():
            line = f"left out: {name} on {network.title}: {why}"
            if name not in available.missing and line not in told:
                print(line, file=sys.stderr)
                told.add(line)
        results.append(result)
    return results


def _peaks(plan: Plan, threads: tuple[int, ...]) -> dict[str, dict[str, float]]:
    """Measured before and after, since the machine may have been disturbed at one of the two."""
    return {str(count): peaks.measure(count, plan.case_seconds / 4) for count in threads}


def _sizes(plan: Plan, network: Network) -> dict[str, Size]:
    if network.size is None:
        return plan.sizes
    height, width = network.size
    return {f"{width}x{height}": network.size}


def drawable(results: dict[str, Any]) -> list[dict[str, Any]]:
    """The first network's results, of all sizes."""
    first = results["speed"][0]["network"]
    return [result for result in results["speed"] if result["network"] == first]


def _command(arguments: argparse.Namespace) -> str:
    """The command as a reader would give it, wherever the files lie."""
    words = ["python -m bench.network"]
    words += [f"--{flag}" for flag in ("quick", "full") if getattr(arguments, flag)]
    for option in ("json", "update"):
        if path := getattr(arguments, option):
            words.append(f"--{option} {path if not path.is_absolute() else path.name}")
    return " ".join(words)


if __name__ == "__main__":
    main()
