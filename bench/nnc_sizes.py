"""Sizes of NNC bitstreams at equal error: ours by default, and NNCodec at its best."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import nnr

from . import tables
from .comparison import progress

if TYPE_CHECKING:
    from .nnc import Network

QPS = range(-38, -13, 2)
LAMBDA_SCALES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Point:
    """One setting: bytes, and the root of the mean squared error over floats."""

    network: str
    qp: int
    lambda_scale: float
    bytes: int
    rmse_all: float
    rmse_weights: float  # of tensors of two dimensions or more


Encode = Callable[..., bytes]
Decode = Callable[[bytes], Mapping[str, NDArray[Any]]]


def curve(network: Network, encode: Encode, decode: Decode) -> list[Point]:
    """Every qp with every strength of rate-distortion optimisation."""
    return [
        point(network, encode, decode, qp=qp, lambda_scale=scale)
        for qp, scale in progress(
            list(product(QPS, LAMBDA_SCALES)), lambda item: f"{network.title}, qp {item[0]}"
        )
    ]


def point(network: Network, encode: Encode, decode: Decode, **settings: Any) -> Point:
    data = encode(network.tensors, **settings)
    decoded = decode(data)
    errors = {
        name: decoded[name].astype(np.float64) - tensor for name, tensor in network.tensors.items()
    }
    weights = [error for error in errors.values() if error.ndim > 1]
    return Point(
        network.title,
        settings["qp"],
        settings["lambda_scale"],
        len(data),
        _rmse(list(errors.values())),
        _rmse(weights),
    )


def _rmse(errors: Sequence[NDArray[np.float64]]) -> float:
    squares = sum(float(np.square(error).sum()) for error in errors)
    return float(np.sqrt(squares / sum(error.size for error in errors)))


def peer_curve(network: Network) -> list[Point]:
    """NNCodec at its best: dependent quantisation, optimised contexts, and row skipping."""
    # Not at the top of the file: it need not be installed.
    from .peers import nncodec

    encode = partial(nncodec.encode, use_dq=True, param_opt=True, row_skipping=True)
    return curve(network, encode, lambda data: nncodec.decode(bytearray(data)))


def bytes_at(points: Sequence[Point], rmse: float) -> float:
    """The least that any strength needs for that error of the weights, between qps interpolated.

    Infinity where none comes to it.
    """
    return min(
        _bytes_on([each for each in points if each.lambda_scale == scale], rmse)
        for scale in {each.lambda_scale for each in points}
    )


def _bytes_on(points: Sequence[Point], rmse: float) -> float:
    """Bytes go nearly linearly with the error's logarithm: six decibels a bit."""
    rising = sorted(points, key=lambda each: each.rmse_weights)
    errors = np.log([each.rmse_weights for each in rising])
    sizes = [each.bytes for each in rising]
    return float(np.interp(np.log(rmse), errors, sizes, left=np.inf, right=np.inf))


def our_curve(network: Network) -> list[Point]:
    """The product's defaults at every qp."""

    def encode(tensors: Tensors, *, qp: int, lambda_scale: float) -> bytes:
        assert lambda_scale == 0
        return nnr.encode(tensors, qp=qp)

    def decode(data: bytes) -> Tensors:
        return nnr.decode(data).tensors

    return [point(network, encode, decode, qp=qp, lambda_scale=0.0) for qp in QPS]


def table(networks: Sequence[Network], curves: Sequence[Point]) -> str:
    """By qp, our bytes and what part they are of the least that NNCodec needs for that error."""
    rows, names = [], []
    for network in networks:
        others = [each for each in curves if each.network == network.title]
        ours = our_curve(network)
        names.append(f"{network.title}: {relative_size(ours, others):.4f}")
        for each in ours:
            theirs = bytes_at(others, each.rmse_weights)
            ratio = f"{each.bytes / theirs:.4f}" if np.isfinite(theirs) else ""
            rows.append(
                [network.title, str(each.qp), f"{each.rmse_weights:.2e}", f"{each.bytes:,}", ratio]
            )
    heads = ["network", "qp", "RMSE of weights", "bytes", "÷ NNCodec's at that RMSE"]
    return (
        f"{tables.table(heads, rows, names=1)}\n\nThe mean over NNCodec's qps: {', '.join(names)}"
    )


def relative_size(ours: Sequence[Point], others: Sequence[Point]) -> float:
    """Our bytes over theirs at equal error of the weights, by the geometric mean.

    The errors are those that their qps make of themselves, as far as ours come to them.
    """
    errors = [each.rmse_weights for each in others if each.lambda_scale == 0]
    ratios = [bytes_at(ours, error) / bytes_at(others, error) for error in errors]
    return statistics.geometric_mean(ratio for ratio in ratios if np.isfinite(ratio))
