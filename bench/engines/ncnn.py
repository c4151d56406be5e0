"""ncnn: float32 throughout, with Winograd's convolution where it finds that faster."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import ncnn
import numpy as np
from numpy.typing import NDArray

from . import Job, Runner, Way
from .ncnn_model import Writer

NAME = "ncnn"
HALF_PRECISION = (
    "use_fp16_packed",
    "use_fp16_storage",
    "use_fp16_arithmetic",
    "use_bf16_packed",
    "use_bf16_storage",
)


def version() -> str:
    return str(ncnn.__version__)


def _float(job: Job, threads: int) -> Runner:
    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_winograd_convolution = True
    for option in HALF_PRECISION:
        setattr(net.opt, option, False)
    _load(net, Writer(job.model))
    image, result = job.model.graph.input[0].name, job.model.graph.output[0].name
    return Runner(partial(_run, net, image, result, ncnn.Mat(job.picture), job.picture), _array)


def _run(net: ncnn.Net, image: str, result: str, picture: ncnn.Mat, _: Any) -> Any:
    """Run on a picture that is passed as an array too, to be held: the Mat has its address alone."""
    extractor = net.create_extractor()
    extractor.input(image, picture)
    return extractor.extract(result)


def _load(net: ncnn.Net, written: Writer) -> None:
    with tempfile.TemporaryDirectory() as folder:
        param, weights = Path(folder) / "network.param", Path(folder) / "network.bin"
        param.write_text(written.param())
        weights.write_bytes(written.weights())
        assert net.load_param(str(param)) == 0, "ncnn refuses the layers"
        assert net.load_model(str(weights)) == 0, "ncnn refuses the weights"


def _array(result: Any) -> NDArray[Any]:
    status, mat = result
    assert status == 0, f"ncnn failed with {status}"
    return np.array(mat)


WAYS = (Way("fp32", _float),)
