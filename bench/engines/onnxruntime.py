"""ONNX Runtime: the CPU provider, its input and output bound."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import onnx
import onnxruntime

from . import Job, Runner, Way, qdq

NAME = "onnxruntime"


def version() -> str:
    return str(onnxruntime.__version__)


def _session(model: onnx.ModelProto, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def prepare_float(job: Job, threads: int) -> Runner:
    return _bound(job.model, job, threads)


def _integer(job: Job, threads: int) -> Runner:
    return _bound(qdq.model(job), job, threads)


def _bound(model: onnx.ModelProto, job: Job, threads: int) -> Runner:
    prepared = _session(model, threads)
    [image], [result] = prepared.get_inputs(), prepared.get_outputs()
    x, out = job.picture[None], np.zeros(result.shape, np.float32)
    binding = prepared.io_binding()
    binding.bind_input(image.name, "cpu", 0, x.dtype, x.shape, x.ctypes.data)
    binding.bind_output(result.name, "cpu", 0, out.dtype, out.shape, out.ctypes.data)
    return Runner(partial(_run, prepared, binding, x, out), lambda _: out[0])


def _run(prepared: onnxruntime.InferenceSession, binding: Any, *_: Any) -> None:
    """Run on arrays that are passed only to be held: the binding knows their addresses alone."""
    prepared.run_with_iobinding(binding)


WAYS = (Way("fp32", prepare_float), Way("int8", _integer))
