"""A network in 8 bits as general engines take it: quantised and dequantised again in the graph."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx

from ..networks import Floats, Network, at_size
from . import CannotRunError, Job, calibration_pictures

_made: dict[str, onnx.ModelProto] = {}


def model(job: Job) -> onnx.ModelProto:
    """Scales an output channel for weights, a scale and a zero point a tensor for what is computed.

    Unsigned activations and signed weights, which is what the dot products of x86 take.
    """
    title = job.network.title
    if title not in _made:
        _made[title] = _quantised(job.network)
    return at_size(_made[title], job.size)


def _quantised(network: Network) -> onnx.ModelProto:
    try:
        from onnxruntime.quantization import (
            CalibrationDataReader,
            QuantFormat,
            QuantType,
            quantize_static,
        )
    except ImportError as error:
        raise CannotRunError(f"the 8-bit model is made by onnxruntime: {error}") from error

    class Pictures(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left = iter(calibration_pictures(network))
            self._name = network.model.graph.input[0].name

        def get_next(self) -> dict[str, Floats] | None:
            picture = next(self._left, None)
            return None if picture is None else {self._name: picture[None]}

    model = onnx.ModelProto()
    model.CopyFrom(network.model)  # the quantiser takes the weights out of what it is given
    with tempfile.TemporaryDirectory() as folder, _silence():
        target = Path(folder) / "network.onnx"
        quantize_static(
            model,
            target,
            Pictures(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(target)


@contextmanager
def _silence() -> Iterator[None]:
    """The quantiser advises to run its preprocessing, which does nothing for these networks."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
