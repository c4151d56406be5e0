"""PyTorch: quantised tensors and the reductions that its observers use."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..cases import STEP, ZERO_POINT, Case
from ..contestants import Contestant, Factory

NAME = "torch"
torch.set_num_threads(1)
with warnings.catch_warnings():
    # PyTorch says once a process that quantised tensors will be removed.
    warnings.simplefilter("ignore", UserWarning)
    torch.quantize_per_tensor(torch.zeros(1), STEP, ZERO_POINT, torch.quint8)


def version() -> str:
    return torch.__version__


def _tensor(case: Case) -> torch.Tensor:
    if case.work.dtype == "bfloat16":
        return torch.from_numpy(case.values.view(np.uint16)).view(torch.bfloat16)
    return torch.from_numpy(case.values)


def _array(tensor: torch.Tensor, dtype: np.dtype[Any]) -> NDArray[Any]:
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.uint16).numpy().view(dtype)
    return tensor.numpy()


def _range(case: Case) -> list[Contestant]:
    def read(result: tuple[torch.Tensor, torch.Tensor]) -> tuple[float, float]:
        return float(result[0]), float(result[1])

    return [Contestant(NAME, "aminmax", partial(torch.aminmax, _tensor(case)), case.equal(read))]


def _quantize(case: Case) -> list[Contestant]:
    values = _tensor(case)
    quantize = partial(
        torch.quantize_per_tensor, scale=STEP, zero_point=ZERO_POINT, dtype=torch.quint8
    )
    check = case.equal(lambda result: result.int_repr().numpy())
    if case.work.dtype == "float32":
        return [Contestant(NAME, "quantize_per_tensor", partial(quantize, values), check, "new")]
    # It takes nothing but float32.
    return [Contestant(NAME, "quantize_per_tensor", lambda: quantize(values.float()), check, "new")]


def _quantize_whole(case: Case) -> list[Contestant]:
    run = partial(torch.quantize_per_tensor_dynamic, _tensor(case), torch.quint8, False)
    # Its zero point is rounded to a code, which shifts the range by up to half a step.
    check = case.close(lambda result: torch.dequantize(result).numpy(), run().q_scale())
    note = "zero becomes a code, which shifts the range: within one step of the input"
    return [Contestant(NAME, "quantize_per_tensor_dynamic", run, check, "new", note)]


def _dequantize(case: Case) -> list[Contestant]:
    floats = torch.from_numpy((case.codes.astype(np.float32) - ZERO_POINT) * np.float32(STEP))
    quantized = torch.quantize_per_tensor(floats, STEP, ZERO_POINT, torch.quint8)
    check = case.equal(lambda result: _array(result, case.dtype))
    if case.work.dtype == "float32":
        run = partial(torch.dequantize, quantized)
        return [Contestant(NAME, "dequantize", run, check, "new")]
    dtype = {"bfloat16": torch.bfloat16, "float16": torch.float16}[case.work.dtype]
    return [Contestant(NAME, "dequantize", lambda: quantized.dequantize().to(dtype), check, "new")]


WORKS: dict[str, Factory] = {
    "range": _range,
    "quantize": _quantize,
    "quantize-whole": _quantize_whole,
    "dequantize": _dequantize,
}
