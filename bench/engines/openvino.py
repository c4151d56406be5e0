"""OpenVINO: the CPU plugin, one stream, its input and output in memory of ours."""

from __future__ import annotations

from functools import cache

import numpy as np
import onnx
import openvino

from . import CannotRunError, Job, Runner, Way, qdq

NAME = "openvino"


def version() -> str:
    return str(openvino.__version__).partition("-")[0]


@cache
def _core() -> openvino.Core:
    return openvino.Core()


def _float(job: Job, threads: int) -> Runner:
    return _runner(job.model, job, threads, "f32")


def _bfloat(job: Job, threads: int) -> Runner:
    able = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" not in able:
        raise CannotRunError("OpenVINO computes no bfloat16 on this CPU")
    return _runner(job.model, job, threads, "bf16")


def _integer(job: Job, threads: int) -> Runner:
    return _runner(qdq.model(job), job, threads, "f32")


def _runner(model: onnx.ModelProto, job: Job, threads: int, precision: str) -> Runner:
    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    read = _core().read_model(model.SerializeToString())
    compiled = _core().compile_model(read, "CPU", settings)
    used = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    assert used == precision, f"asked for {precision}, got {used}"
    out = np.zeros(compiled.output(0).shape, np.float32)
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(job.picture[None], shared_memory=True))
    request.set_output_tensor(openvino.Tensor(out, shared_memory=True))
    return Runner(request.infer, lambda _: out[0])


WAYS = (Way("fp32", _float), Way("bf16", _bfloat), Way("int8", _integer))
