"""ONNX Runtime: models of one operator, run plainly and with bound inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ..cases import STEP, ZERO_POINT, Case, reused
from ..contestants import Contestant, Factory

NAME = "onnxruntime"
# The CPU provider has no kernels of these operators for bfloat16.
FLOATS = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16}


def version() -> str:
    return str(onnxruntime.__version__)


def _quantize(case: Case) -> list[Contestant]:
    if case.work.dtype not in FLOATS:
        return []
    types = (FLOATS[case.work.dtype], {"y": TensorProto.UINT8})
    session = _session("QuantizeLinear", *types, _step_and_zero(case))
    outputs = {"y": reused(case.count, np.uint8)}
    return _plain_and_bound("QuantizeLinear", session, case.values, outputs, case.equal)


def _quantize_whole(case: Case) -> list[Contestant]:
    types = {"y": TensorProto.UINT8, "scale": TensorProto.FLOAT, "zero": TensorProto.UINT8}
    session = _session("DynamicQuantizeLinear", TensorProto.FLOAT, types, {})
    outputs = {
        "y": reused(case.count, np.uint8),
        "scale": np.empty((), np.float32),
        "zero": np.empty((), np.uint8),
    }
    step = float(session.run(["scale"], {"x": case.values})[0])

    def close(read: Callable[[Any], Any]) -> Callable[[Any], None]:
        def floats(result: Any) -> Any:
            codes, scale, zero = read(result)
            return (codes.astype(np.float32) - zero) * scale

        return case.close(floats, step)

    # Its zero point is rounded to a code, which shifts the range by up to half a step.
    note = "zero becomes a code, which shifts the range: within one step of the input"
    return _plain_and_bound("DynamicQuantizeLinear", session, case.values, outputs, close, note)


def _dequantize(case: Case) -> list[Contestant]:
    if case.work.dtype not in FLOATS:
        return []
    types = (TensorProto.UINT8, {"y": FLOATS[case.work.dtype]})
    session = _session("DequantizeLinear", *types, _step_and_zero(case))
    outputs = {"y": reused(case.count, case.dtype)}
    return _plain_and_bound("DequantizeLinear", session, case.codes, outputs, case.equal)


def _step_and_zero(case: Case) -> dict[str, NDArray[Any]]:
    return {"step": np.array(STEP, case.dtype), "zero_point": np.array(ZERO_POINT, np.uint8)}


def _session(
    operator: str, x_type: int, outputs: Mapping[str, int], constants: dict[str, NDArray[Any]]
) -> onnxruntime.InferenceSession:
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", *constants], list(outputs))],
        operator,
        [helper.make_tensor_value_info("x", x_type, ["count"])],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _plain_and_bound(
    operator: str,
    session: onnxruntime.InferenceSession,
    x: NDArray[Any],
    outputs: dict[str, NDArray[Any]],
    check: Callable[[Callable[[Any], Any]], Callable[[Any], None]],
    note: str = "",
) -> list[Contestant]:
    binding = session.io_binding()
    binding.bind_input("x", "cpu", 0, x.dtype, x.shape, x.ctypes.data)
    for name, array in outputs.items():
        binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)

    def first_or_all(results: list[Any]) -> Any:
        return results[0] if len(results) == 1 else results

    plain = partial(session.run, None, {"x": x})
    bound = partial(session.run_with_iobinding, binding)
    read_bound = check(lambda _: first_or_all([outputs[name] for name in outputs]))
    return [
        Contestant(NAME, operator, plain, check(first_or_all), "new", note),
        Contestant(NAME, f"{operator}, bound", bound, read_bound, "reused", note),
    ]


WORKS: dict[str, Factory] = {
    "quantize": _quantize,
    "quantize-whole": _quantize_whole,
    "dequantize": _dequantize,
}
