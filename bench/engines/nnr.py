"""nnr itself: `Network.run` into an output that is there before."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import onnx

import nnr

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


def _float(job: Job, threads: int) -> Runner:
    return _runner(load(job.network.model), job, threads)


def _integer(job: Job, threads: int) -> Runner:
    network = load(job.network.model)
    try:
        made = network.to_integer(calibration_pictures(job.network))
    except nnr.UnsupportedOperatorError as error:
        raise CannotRunError(str(error)) from error
    return _runner(made, job, threads)


def _runner(network: nnr.Network | nnr.IntegerNetwork, job: Job, threads: int) -> Runner:
    out = network.run(job.picture, threads=threads)
    return Runner(partial(network.run, job.picture, threads=threads, out=out))


WAYS = (Way("fp32", _float), Way("int8", _integer))
