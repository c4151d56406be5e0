"""nnr itself: `Network.run` into an output that is there before."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import onnx

import nnr

from ..networks import Floats
from . import CannotRunError, Job, Runner, Way, calibration_pictures

NAME = "nnr"


def version() -> str:
    return nnr.__version__


def load(model: onnx.ModelProto) -> nnr.Network:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        path.write_bytes(model.SerializeToString())
        try:
            return nnr.Network.load(path)
        except nnr.UnsupportedOperatorError as error:
            raise CannotRunError(str(error)) from error


def integer(network: nnr.Network, samples: Sequence[Floats]) -> Any:
    """The network in integers, compiled by a look at *samples*."""
    if not hasattr(network, "to_integer"):
        raise CannotRunError("this nnr has no Network.to_integer")
    try:
        return network.to_integer(samples)
    except nnr.UnsupportedOperatorError as error:
        raise CannotRunError(str(error)) from error


def _float(job: Job, threads: int) -> Runner:
    return _runner(load(job.network.model), job, threads)


def _integer(job: Job, threads: int) -> Runner:
    network = load(job.network.model)
    return _runner(integer(network, calibration_pictures(job.network)), job, threads)


def _runner(network: Any, job: Job, threads: int) -> Runner:
    out = network.run(job.picture, threads=threads)
    return Runner(partial(network.run, job.picture, threads=threads, out=out))


WAYS = (Way("fp32", _float), Way("int8", _integer))
