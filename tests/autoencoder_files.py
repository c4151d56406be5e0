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
FREQUENCIES = [(0, 0), (0, 1), (1, 0), (1, 1)]
CHANNELS = 3 * len(FREQUENCIES)
STAGES = [(0, 3, 0), (0, 3, 1), (3, CHANNELS, 2)]
MIDDLE = 127.5


def write_autoencoder(folder: Path, *, seed: int = 1) -> Path:
    """Write the files: a transform of four cosines a colour, and a prior of random weights."""
    rng = np.random.default_rng(seed)
    onnx.save(_encoder(), folder / "encoder.onnx")
    decoder, prior = _decoder(), _prior(rng)
    onnx.save(decoder, folder / "decoder.onnx")
    onnx.save(prior, folder / "prior.onnx")
    steps = np.rint(16 * 2.0 ** (np.arange(256) / 32)).astype(np.int32)
    latents = rng.normal(0, 200, (CHANNELS, 6, 6))
    seen = np.concatenate([latents, np.full((1, 6, 6), 0.5)]).astype(np.float32)
    scales = [1 / 16] * CHANNELS + [1 / 256]
    network = _integers(decoder, seen, scales, OutputFormat(1 / 255, 0, 255))
    network.save(folder / "decoder.safetensors")
    context = np.concatenate([latents.clip(-255, 255), np.full((2, 6, 6), 2.0)])
    network = _integers(
        prior,
        context.astype(np.float32),
        [1.0] * (CHANNELS + 2),
        OutputFormat(1.0, -32768, 32767),
    )
    network.save(folder / "prior.safetensors")
    counts, shifts = logistic_counts(12)
    stages = np.array(STAGES, np.int32)
    np.savez_compressed(
        folder / "prior-tables.npz", steps=steps, stages=stages, frequencies=counts, shifts=shifts
    )
    return folder


def _cosines() -> NDArray[np.float64]:
    """Orthonormal, (frequency, row, column)."""
    places = np.arange(BLOCK) + 0.5
    waves = [np.full(BLOCK, np.sqrt(1 / BLOCK))]
    waves += [np.sqrt(2 / BLOCK) * np.cos(np.pi * places / BLOCK)]
    return np.stack([np.outer(waves[row], waves[column]) for row, column in FREQUENCIES])


def _encoder() -> onnx.ModelProto:
    weights = np.zeros((len(FREQUENCIES), 3, 3, BLOCK, BLOCK))
    bias = np.zeros((len(FREQUENCIES), 3))
    bias[0] = -BLOCK * MIDDLE
    for colour in range(3):
        weights[:, colour, colour] = 255 * _cosines()
    maker = GraphMaker(3)
    _conv(maker, "x", weights.reshape(CHANNELS, 3, BLOCK, BLOCK), bias.ravel(), BLOCK)
    return maker.model()


def _decoder() -> onnx.ModelProto:
    weights = np.zeros((3, BLOCK * BLOCK, len(FREQUENCIES) * 3 + 1))
    cosines = _cosines().reshape(len(FREQUENCIES), -1)
    for colour in range(3):
        weights[colour, :, colour : 3 * len(FREQUENCIES) : 3] = cosines.T / 255
    maker = GraphMaker(CHANNELS + 1)
    bias = np.full(3 * BLOCK * BLOCK, MIDDLE / 255)
    blocks = _conv(maker, "x", weights.reshape(-1, CHANNELS + 1, 1, 1), bias)
    maker.node("DepthToSpace", [blocks], 3, blocksize=BLOCK, mode="CRD")
    return maker.model()


def _prior(rng: np.random.Generator) -> onnx.ModelProto:
    """Means near 0, and scales that fall with the step index."""
    weights = np.zeros((2 * CHANNELS, CHANNELS + 2, 3, 3))
    weights[:CHANNELS, :CHANNELS] = rng.normal(0, 0.3, (CHANNELS, CHANNELS, 3, 3))
    weights[CHANNELS:, CHANNELS, 1, 1] = -0.25
    bias = np.concatenate([np.zeros(CHANNELS), np.full(3, 64), np.full(CHANNELS - 3, 48)])
    maker = GraphMaker(CHANNELS + 2)
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
