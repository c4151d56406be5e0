"""The trained networks as ONNX graphs, with the units of the codec folded into their weights."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray

from ..layers import Conv
from ..onnx_graph import GraphBuilder
from .latents import BLOCK, CHANNELS, PEAK
from .likelihood import SCALE_PRECISION
from .network import (
    INNER_BLOCK,
    NEIGHBOUR_CHANNELS,
    PHASES,
    SAMPLE_CHANNELS,
    STAGE_UNIT,
    STEP_INDEX_UNIT,
    AutoEncoder,
    Decoder,
    Encoder,
    Prior,
)

# Means have a precision of 1/16.
MEAN_PRECISION = 16


def encoder_graph(encoder: Encoder) -> onnx.ModelProto:
    graph = GraphBuilder()
    weight, bias = (_array(part) for part in (encoder.weight * PEAK, encoder.bias))
    graph.conv("latents", "picture", "transform", weight, bias, stride=BLOCK)
    return graph.model("encoder", ("picture", 3), ("latents", CHANNELS))


def decoder_graph(decoder: Decoder) -> onnx.ModelProto:
    graph = GraphBuilder()
    latents = graph.channels("latents", "latents_step", 0, CHANNELS)
    step = graph.channels("step", "latents_step", CHANNELS, CHANNELS + 1)
    inverse = _array(decoder.inverse / PEAK)[:, :, None, None]
    units = _balanced_units(decoder)
    hint_units = np.repeat(units[SAMPLE_CHANNELS:], INNER_BLOCK**2)
    hint_weight = _kernel(decoder.hints) * hint_units[:, None, None, None]
    hint_bias = _array(decoder.hints.bias) * hint_units
    parts = [
        graph.conv("samples_by_block", latents, "inverse", inverse, None),
        graph.conv("hints", step, "hints", hint_weight, hint_bias),
    ]
    phases = graph.depth_to_space("phases", graph.concat("spread", parts), INNER_BLOCK)
    features = graph.activate(_conv(graph, "head", phases, decoder.head, units))
    for index, block in enumerate(decoder.blocks):
        name = f"block{index}"
        inner = graph.activate(_conv(graph, f"{name}.conv0", features, block.conv0))
        change = _conv(graph, f"{name}.conv1", inner, block.conv1)
        features = graph.node("Add", [features, change], name)
    residual = _conv(graph, "tail", graph.activate(features), decoder.tail)
    samples = graph.channels("samples", phases, 0, SAMPLE_CHANNELS)
    improved = graph.node("Add", [samples, residual], "improved")
    graph.depth_to_space("picture", improved, PHASES)
    return graph.model("decoder", ("latents_step", CHANNELS + 1), ("picture", 3))


def prior_graph(prior: Prior) -> onnx.ModelProto:
    """Integers in, as the codec has them, and out, though not rounded."""
    graph = GraphBuilder()
    unit = _array(prior.unit)
    planes_unit = np.array([STEP_INDEX_UNIT, STAGE_UNIT], np.float32)
    near = np.concatenate([unit[:NEIGHBOUR_CHANNELS], planes_unit])
    whole = np.concatenate([unit, planes_unit])

    planes = graph.channels("planes", "known", CHANNELS, CHANNELS + 2)
    first = graph.channels("first_latents", "known", 0, NEIGHBOUR_CHANNELS)
    first = graph.concat("first_latents_planes", [first, planes])
    extra = graph.activate(_conv(graph, "plane_features", planes, prior.planes, planes_unit))
    features = [
        graph.activate(_conv(graph, "neighbours", first, prior.neighbours, near)),
        graph.activate(_conv(graph, "local", "known", prior.local, whole)),
        extra,
    ]
    mixed = graph.activate(_conv(graph, "mix", graph.concat("features", features), prior.mix))
    outputs = np.concatenate([MEAN_PRECISION * unit, np.full(CHANNELS, SCALE_PRECISION)])
    outputs = outputs.astype(np.float32)
    weight = _kernel(prior.tail) * outputs[:, None, None, None]
    bias = _array(prior.tail.bias) * outputs
    graph.conv("means_scales", graph.concat("mixed_planes", [mixed, extra]), "tail", weight, bias)
    return graph.model("prior", ("known", CHANNELS + 2), ("means_scales", 2 * CHANNELS))


def graphs(network: AutoEncoder) -> dict[str, onnx.ModelProto]:
    return {
        "encoder": encoder_graph(network.encoder),
        "decoder": decoder_graph(network.decoder),
        "prior": prior_graph(network.prior),
    }


def _balanced_units(decoder: Decoder) -> NDArray[np.float32]:
    """Factors of what the head reads, so that its weights for hints are as large as for samples.

    They share one range when they are coded, and hints are larger: the more bits their weights
    have of that range, the smaller is the error.
    """
    largest = np.abs(_kernel(decoder.head)).max((0, 2, 3))
    units = np.ones(len(largest), np.float32)
    units[SAMPLE_CHANNELS:] = largest[SAMPLE_CHANNELS:] / largest[:SAMPLE_CHANNELS].max()
    return units


def _array(tensor: object) -> NDArray[np.float32]:
    return tensor.detach().numpy().astype(np.float32)


def _kernel(conv: Conv) -> NDArray[np.float32]:
    return _array(conv.deployed_weight()).reshape(conv.kernel_shape)


def _conv(
    graph: GraphBuilder,
    name: str,
    features: str,
    conv: Conv,
    units: NDArray[np.float32] | None = None,
) -> str:
    """A convolution; what comes in are its inputs times *units*."""
    weight = _kernel(conv)
    if units is not None:
        weight = weight / units[:, None, None]
    return graph.conv(name, features, name, weight, _array(conv.bias))
