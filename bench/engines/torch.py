"""PyTorch: the network's nodes as calls of its functions, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

from . import CannotRunError, Job, Runner, Way

NAME = "torch"

Step = tuple[Callable[..., torch.Tensor], list[str], str]


def version() -> str:
    return str(torch.__version__)


class Interpreter:
    """Weights in one type and layout; every value is dropped with the call."""

    def __init__(
        self, model: onnx.ModelProto, dtype: torch.dtype, layout: torch.memory_format
    ) -> None:
        self._constants = {
            each.name: _tensor(numpy_helper.to_array(each), dtype, layout)
            for each in model.graph.initializer
        }
        self._input, self._output = model.graph.input[0].name, model.graph.output[0].name
        self._steps = [self._step(node) for node in model.graph.node]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        values = {self._input: x}
        for function, inputs, output in self._steps:
            values[output] = function(*(values[name] for name in inputs))
        return values[self._output]

    def _step(self, node: onnx.NodeProto) -> Step:
        attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        constants = [self._constants[name] for name in node.input if name in self._constants]
        inputs = [name for name in node.input if name not in self._constants]
        return _function(node.op_type, attributes, constants), inputs, node.output[0]


def _function(
    operator: str, attributes: dict[str, Any], constants: list[torch.Tensor]
) -> Callable[..., torch.Tensor]:
    match operator, constants:
        case "Conv", [kernel, *bias]:
            pads = attributes.get("pads", [0, 0, 0, 0])
            if pads[:2] != pads[2:]:
                raise CannotRunError(f"PyTorch pads no convolution by {pads}")
            return partial(
                lambda x, **given: F.conv2d(x, kernel, *bias, **given), padding=tuple(pads[:2])
            )
        case "Relu", []:
            return F.relu
        case "LeakyRelu", []:
            return partial(F.leaky_relu, negative_slope=attributes.get("alpha", 0.01))
        case "Add", []:
            return torch.add
        case "Mul", [factors]:
            return partial(torch.mul, factors)
        case "Slice", [starts, ends, axes]:
            index = [slice(None)] * 4
            for start, end, axis in zip(starts, ends, axes, strict=True):
                index[int(axis)] = slice(int(start), int(end))
            return lambda x: x[tuple(index)]
        case "SpaceToDepth", []:
            return partial(_space_to_depth, block=attributes["blocksize"])
        case "DepthToSpace", []:
            by_depth = attributes.get("mode", b"DCR") == b"DCR"
            shuffle = _depth_to_space if by_depth else F.pixel_shuffle
            return lambda x: shuffle(x, attributes["blocksize"])
    raise CannotRunError(f"the interpreter on PyTorch has no {operator} of this kind")


def _space_to_depth(x: torch.Tensor, block: int) -> torch.Tensor:
    images, channels, height, width = x.shape
    rows, columns = height // block, width // block
    split = x.reshape(images, channels, rows, block, columns, block)
    return split.permute(0, 3, 5, 1, 2, 4).reshape(images, -1, rows, columns)


def _depth_to_space(x: torch.Tensor, block: int) -> torch.Tensor:
    images, depth, rows, columns = x.shape
    channels = depth // (block * block)
    split = x.reshape(images, block, block, channels, rows, columns)
    moved = split.permute(0, 3, 4, 1, 5, 2)
    return moved.reshape(images, channels, rows * block, columns * block)


def _tensor(array: Any, dtype: torch.dtype, layout: torch.memory_format) -> torch.Tensor:
    tensor = torch.from_numpy(np.array(array))
    if not tensor.is_floating_point():
        return tensor
    typed = tensor.to(dtype)
    return typed.contiguous(memory_format=layout) if typed.ndim == 4 else typed


def _prepare(job: Job, threads: int, *, dtype: torch.dtype, layout: torch.memory_format) -> Runner:
    network = Interpreter(job.model, dtype, layout)
    picture = torch.from_numpy(job.picture[None]).contiguous(memory_format=layout)

    def run() -> torch.Tensor:
        torch.set_num_threads(threads)  # of the whole process, which `peers.torch` wants to be one
        with torch.inference_mode():
            result = network(picture.to(dtype)).float()
        torch.set_num_threads(1)
        return result

    return Runner(run, lambda result: result[0].numpy())


def _way(precision: Any, dtype: torch.dtype, variant: str) -> Way:
    layout = torch.channels_last if variant == "channels_last" else torch.contiguous_format
    return Way(precision, partial(_prepare, dtype=dtype, layout=layout), variant)


WAYS = (
    _way("fp32", torch.float32, "NCHW"),
    _way("fp32", torch.float32, "channels_last"),
    _way("bf16", torch.bfloat16, "channels_last"),
)
