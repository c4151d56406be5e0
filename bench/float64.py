"""What a network is worth in float64: the ONNX project's own evaluator, its convolution by BLAS."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from .networks import Floats


class Conv(OpRun):
    """A product of matrices for each position of the kernel, where the evaluator's own crawls."""

    op_domain = ""

    def _run(
        self, x: Any, kernel: Any, bias: Any = None, pads: Any = None, **_: Any
    ) -> tuple[NDArray[Any]]:
        top, left, bottom, right = pads or (0, 0, 0, 0)
        padded = np.pad(x[0], ((0, 0), (top, bottom), (left, right)))
        rows, columns = (padded.shape[i + 1] - kernel.shape[i + 2] + 1 for i in (0, 1))
        total = np.zeros((kernel.shape[0], rows * columns), x.dtype)
        for i, j in np.ndindex(kernel.shape[2:]):
            seen = padded[:, i : i + rows, j : j + columns].reshape(len(padded), -1)
            total += kernel[:, :, i, j] @ seen
        if bias is not None:
            total += bias[:, None]
        return (total.reshape(1, -1, rows, columns),)


def run(model: onnx.ModelProto, picture: Floats) -> NDArray[np.float64]:
    """The output for one picture, (channels, rows, columns)."""
    evaluator = ReferenceEvaluator(_in_float64(model), new_ops=[Conv])
    image = {model.graph.input[0].name: picture[None].astype(np.float64)}
    result: NDArray[np.float64] = np.asarray(evaluator.run(None, image)[0])[0]
    assert result.dtype == np.float64
    return result


def _in_float64(model: onnx.ModelProto) -> onnx.ModelProto:
    wide = onnx.ModelProto()
    wide.CopyFrom(model)
    for value in [*wide.graph.input, *wide.graph.output]:
        value.type.tensor_type.elem_type = TensorProto.DOUBLE
    del wide.graph.value_info[:]
    for tensor in wide.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            array = numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    return wide
