"""Tiny auto-encoders of the form that `nnr.AutoEncoder` loads, made in a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from latent_tables import logistic_counts
from network_models import GraphMaker, as_model
from numpy.typing import NDArray

from nnr.networks import IntegerNetwork
from nnr.networks.fold import fold
from nnr.networks.graph import read_graph
from nnr.networks.integer import Observer, OutputFormat, compile_graph, observe_ranges

BLOCK = 8
MIDDLE = 127.5


def write_autoencoder(folder: Path, *, waves: int = 2, seed: int = 1, gain: float = 1.0) -> Path:
    """Write the files: cosines, *waves* a side and colour, and a prior of random weights.

    The decoder gives *gain* times the inverse of the encoder.
    """
    rng = np.random.default_rng(seed)
    channels = 3 * waves * waves
    onnx.save(_encoder(waves), folder / "encoder.onnx")
    decoder, prior = _decoder(waves, gain), _prior(rng, channels)
    onnx.save(decoder, folder / "decoder.onnx")
    onnx.save(prior, folder / "prior.onnx")
    steps = np.rint(16 * 2.0 ** (np.arange(256) / 32)).astype(np.int32)
    latents = rng.normal(0, 200, (channels, 6, 6))
    seen = np.concatenate([latents, np.full((1, 6, 6), 0.5)]).astype(np.float32)
    scales = [1 / 16] * channels + [1 / 256]
    network = _integers(decoder, seen, scales, OutputFormat(1 / 255, 0, 255))
    network.save(folder / "decoder.safetensors")
    context = np.concatenate([latents.clip(-255, 255), np.full((2, 6, 6), 2.0)])
    network = _integers(
        prior,
        context.astype(np.float32),
        [1.0] * (channels + 2),
        OutputFormat(1.0, -32768, 32767),
    )
    network.save(folder / "prior.safetensors")
    counts, shifts = logistic_counts(12)
    stages = np.array([(0, 3, 0), (0, 3, 1), (3, channels, 2)], np.int32)
    np.savez_compressed(
        folder / "prior-tables.npz", steps=steps, stages=stages, frequencies=counts, shifts=shifts
    )
    return folder


def _cosines(waves: int) -> NDArray[np.float64]:
    """Orthonormal, (frequency, row, column)."""
    places, numbers = np.arange(BLOCK) + 0.5, np.arange(waves)[:, None]
    basis = np.sqrt(2 / BLOCK) * np.cos(np.pi * numbers * places / BLOCK)
    basis[0] = np.sqrt(1 / BLOCK)
    return np.einsum("ij,kl->ikjl", basis, basis).reshape(-1, BLOCK, BLOCK)


def _encoder(waves: int) -> onnx.ModelProto:
    cosines = _cosines(waves)
    weights = np.zeros((len(cosines), 3, 3, BLOCK, BLOCK))
    bias = np.zeros((len(cosines), 3))
    bias[0] = -BLOCK * MIDDLE
    for colour in range(3):
        weights[:, colour, colour] = 255 * cosines
    maker = GraphMaker(3)
    _conv(maker, "x", weights.reshape(-1, 3, BLOCK, BLOCK), bias.ravel(), BLOCK)
    return maker.model()


def _decoder(waves: int, gain: float) -> onnx.ModelProto:
    cosines = _cosines(waves).reshape(waves * waves, -1)
    channels = 3 * len(cosines)
    weights = np.zeros((3, BLOCK * BLOCK, channels + 1))
    for colour in range(3):
        weights[colour, :, colour:channels:3] = gain * cosines.T / 255
    maker = GraphMaker(channels + 1)
    bias = np.full(3 * BLOCK * BLOCK, MIDDLE / 255)
    blocks = _conv(maker, "x", weights.reshape(-1, channels + 1, 1, 1), bias)
    maker.node("DepthToSpace", [blocks], 3, blocksize=BLOCK, mode="CRD")
    return maker.model()


def _prior(rng: np.random.Generator, channels: int) -> onnx.ModelProto:
    """Means near 0, and scales that fall with the step index."""
    weights = np.zeros((2 * channels, channels + 2, 3, 3))
    weights[:channels, :channels] = rng.normal(0, 0.3, (channels, channels, 3, 3))
    weights[channels:, channels, 1, 1] = -0.25
    bias = np.concatenate([np.zeros(channels), np.full(3, 64), np.full(channels - 3, 48)])
    maker = GraphMaker(channels + 2)
    _conv(maker, "x", weights, bias, pads=1)
    return maker.model()


def _conv(
    maker: GraphMaker, source: str, weights: Any, bias: Any, stride: int = 1, pads: int = 0
) -> str:
    inputs = [source, *(maker.weight(np.asarray(a, np.float32)) for a in (weights, bias))]
    return maker.node("Conv", inputs, len(weights), strides=[stride] * 2, pads=[pads] * 4)


def _integers(
    model: onnx.ModelProto, sample: NDArray[np.float32], scales: list[float], output: OutputFormat
) -> IntegerNetwork:
    graph = fold(read_graph(as_model(model)))
    observer = Observer(graph)
    ranges = observe_ranges(observer, [sample])
    compiled = compile_graph(
        graph,
        ranges,
        activation_bits=16,
        input_scales=scales,
        output=output,
        phases=observer.phases,
    )
    return IntegerNetwork(compiled)
