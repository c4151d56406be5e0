"""Write the averaged weights of a checkpoint as the files of the codec.

    python -m train.autoencoder.export --checkpoint run/checkpoint.pt --cifar cifar10 --output FOLDER

Every graph is compared with PyTorch, in onnxruntime and in `nnr.Network`. Decoder and prior are
compiled to integers, by a look at a few training pictures.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

import nnr
from nnr.networks.integer import OutputFormat, network_to_integer

from ..onnx_graph import run
from .coding import choose_latents
from .data import read_mosaic, to_tensor
from .graphs import graphs
from .latents import CHANNELS, LARGEST_CONTEXT, PEAK, STAGES, stage_masks, steps_of
from .network import AutoEncoder
from .tables import make_tables

# What the codec's integers stand for: latents in sixteenths, step indices out of 256.
LATENT_UNIT = 1 / 16
STEP_INDEX_UNIT = 1 / 256
PICTURES = 48
STEP_INDICES = (24, 224)
TOLERANCE = 1e-4


class Sample(NamedTuple):
    """Inputs of the three networks, and what PyTorch makes of them, by name."""

    inputs: dict[str, NDArray[np.float32]]
    outputs: dict[str, NDArray[np.float32]]


@torch.no_grad()
def make_sample(network: AutoEncoder, mosaic: Path) -> Sample:
    """All that the networks see of some pictures at many steps; the prior at random stages."""
    pictures = to_tensor(read_mosaic(mosaic)[:PICTURES])
    indices = torch.linspace(*STEP_INDICES, PICTURES).round()
    latents = network.encoder(pictures)
    quantised, _ = choose_latents(network, latents / steps_of(indices), indices)
    dequantised = quantised * steps_of(indices)
    # Every picture at every stage, picture by picture.
    stages = torch.arange(len(STAGES)).repeat(PICTURES)
    _, masks = stage_masks(*latents.shape[-2:])
    known = quantised.clamp(-LARGEST_CONTEXT, LARGEST_CONTEXT).repeat_interleave(len(STAGES), 0)
    known = known * masks[stages]
    stage_indices = indices.repeat_interleave(len(STAGES))
    means, scales = network.prior(known, stage_indices, stages)
    inputs = {
        "encoder": pictures,
        "decoder": _with_planes(dequantised, indices * STEP_INDEX_UNIT),
        "prior": _with_planes(known, stage_indices, stages),
    }
    outputs = {
        "encoder": latents,
        "decoder": network.decoder(dequantised, indices),
        "prior": torch.cat([16 * means, 8 * scales], 1),
    }
    return Sample(_arrays(inputs), _arrays(outputs))


def _with_planes(latents: torch.Tensor, *planes: torch.Tensor) -> torch.Tensor:
    spread = [plane[:, None, None, None].expand_as(latents[:, :1]) for plane in planes]
    return torch.cat([latents, *spread], 1)


def _arrays(tensors: dict[str, torch.Tensor]) -> dict[str, NDArray[np.float32]]:
    return {name: np.ascontiguousarray(tensor.numpy()) for name, tensor in tensors.items()}


def check_graph(name: str, model: onnx.ModelProto, path: Path, sample: Sample) -> None:
    """Stop where a graph differs from PyTorch by more than rounding."""
    given, wanted = sample.inputs[name], sample.outputs[name]
    results = {
        "onnxruntime": run(model, given),
        "nnr.Network": nnr.Network.load(path).run(given, threads=1),
    }
    for label, result in results.items():
        difference = float(np.abs(result - wanted).max() / np.abs(wanted).max())
        print(f"{name}: {label} differs by {difference:.1e} of the largest output")
        if difference > TOLERANCE:
            raise SystemExit(f"{name}: {label} and PyTorch differ")


def compile_networks(folder: Path, sample: Sample) -> None:
    """The integer networks, with inputs and outputs of the codec's units."""
    int16 = np.iinfo(np.int16)
    formats = {
        "decoder": (
            [LATENT_UNIT] * CHANNELS + [STEP_INDEX_UNIT],
            OutputFormat(1 / PEAK, 0, PEAK),
        ),
        "prior": ([1.0] * (CHANNELS + 2), OutputFormat(1.0, int16.min, int16.max)),
    }
    for name, (input_scales, output) in formats.items():
        network = network_to_integer(
            nnr.Network.load(folder / f"{name}.onnx").graph,
            list(sample.inputs[name]),
            activation_bits=16,
            input_scales=input_scales,
            output=output,
        )
        network.save(folder / f"{name}.safetensors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--cifar", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = AutoEncoder.load(options.checkpoint).eval()
    sample = make_sample(network, options.cifar / "train_00.png")
    options.output.mkdir(parents=True, exist_ok=True)
    for name, model in graphs(network).items():
        path = options.output / f"{name}.onnx"
        onnx.save(model, path)
        check_graph(name, model, path, sample)
    compile_networks(options.output, sample)
    np.savez_compressed(options.output / "prior-tables.npz", **asdict(make_tables(network.mixture)))
    for path in sorted(options.output.iterdir()):
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
