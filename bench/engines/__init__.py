"""Engines that run a network on the CPU, one file each, all with the same interface.

`NAME`, `version()` and `WAYS`: the precisions and calls that the engine offers. Where an engine is
not installed, importing its file fails; where it cannot run a network, preparing it raises
`CannotRunError`. Both reasons are passed on, so that nothing is missing without a word.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray

from ..networks import Floats, Network, Size, at_size

NAMES = ("nnr", "onnxruntime", "openvino", "ncnn", "torch")
CALIBRATION_PICTURES = 4
CALIBRATION_SIZE = (64, 64)

Precision = Literal["fp32", "bf16", "int8"]


class CannotRunError(Exception):
    """This engine cannot run this network here; the message says why."""


@dataclass(frozen=True)
class Job:
    """One network on one picture."""

    network: Network
    size: Size

    @cached_property
    def picture(self) -> Floats:
        """(channels, rows, columns)."""
        return self.network.picture(self.size)

    @cached_property
    def model(self) -> onnx.ModelProto:
        """The network for pictures of this size."""
        return at_size(self.network.model, self.size)


def calibration_pictures(network: Network) -> list[Floats]:
    """What an engine may look at to choose scales, none of them the picture that is timed."""
    size = network.size or CALIBRATION_SIZE
    return [network.picture(size, seed) for seed in range(100, 100 + CALIBRATION_PICTURES)]


def _as_it_is(result: Any) -> NDArray[Any]:
    return np.asarray(result)


@dataclass(frozen=True)
class Runner:
    """A call that runs the network, and how its result is read as (channels, rows, columns)."""

    run: Callable[[], object]
    read: Callable[[Any], NDArray[Any]] = _as_it_is


@dataclass(frozen=True)
class Way:
    """One way to run a network with an engine."""

    precision: Precision
    prepare: Callable[[Job, int], Runner]  # a job and a number of threads
    variant: str = ""


@dataclass(frozen=True)
class Entrant:
    """An engine, ready to run; `timing.rotate` takes it."""

    library: str
    precision: Precision
    variant: str
    threads: int
    runner: Runner = field(repr=False)
    passes: int = 1

    @property
    def run(self) -> Callable[[], object]:
        return self.runner.run

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.library, self.precision, self.variant)))

    def result(self) -> NDArray[Any]:
        """What it makes of the picture."""
        return self.runner.read(self.run())


@dataclass(frozen=True)
class Engines:
    """What could be imported, and why the rest could not."""

    modules: dict[str, ModuleType]
    missing: dict[str, str]

    def versions(self) -> dict[str, str]:
        found = {name: module.version() for name, module in self.modules.items()}
        return found | {name: f"not installed ({why})" for name, why in self.missing.items()}


def installed() -> Engines:
    engines = Engines({}, {})
    for name in NAMES:
        try:
            engines.modules[name] = importlib.import_module(f".{name}", __name__)
        except ImportError as error:
            engines.missing[name] = str(error)
    return engines


def entrants(
    engines: Engines, job: Job, threads: Sequence[int]
) -> tuple[list[Entrant], dict[str, str]]:
    """Everything that can run *job*, and by name why the rest cannot."""
    ready: list[Entrant] = []
    skipped = dict(engines.missing)
    for library, module in engines.modules.items():
        for way in module.WAYS:
            for count in threads:
                name = (library, way.precision, way.variant, count)
                try:
                    ready.append(Entrant(*name, way.prepare(job, count)))
                except CannotRunError as why:
                    skipped[" ".join(filter(None, name[:3]))] = str(why)
    return ready, skipped
