"""What the exported files give on the test pictures, as the codec uses them.

    python -m train.autoencoder.check --files FOLDER --cifar cifar10 --step-indices 104 112 120

Bits are the ideal length of a code by the tables, with what a file has besides. Beside the integers
stand the float networks: the decoder on the same latents, as it is and with weights of 8 bits, and the
prior rounded to the same outputs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nnr
from nnr.evaluation.metrics import ssim
from nnr.networks.integer import IntegerNetwork

from .data import read_mosaic
from .graphs import MEAN_PRECISION
from .latents import ALL, LARGEST_CONTEXT, LARGEST_LATENT, ODD, PEAK
from .likelihood import BIT_COST
from .tables import STEP_PRECISION, Tables
from .validate import FILE_BYTES

Integers = NDArray[np.int64]
# Known latents with the planes of step index and stage, to means and scales.
Prior = Callable[[NDArray[np.int16]], Integers]


@dataclass(frozen=True)
class Files:
    """The networks of a folder."""

    encoder: nnr.Network
    decoder: nnr.Network
    coarse_decoder: nnr.Network
    prior: nnr.Network
    integer_decoder: IntegerNetwork
    integer_prior: IntegerNetwork
    tables: Tables

    @classmethod
    def load(cls, folder: Path) -> Files:
        with np.load(folder / "prior-tables.npz") as arrays:
            tables = Tables(**arrays)
        return cls(
            nnr.Network.load(folder / "encoder.onnx"),
            nnr.Network.load(folder / "decoder.onnx"),
            nnr.Network.load(with_weights_of_8_bits(folder / "decoder.onnx")),
            nnr.Network.load(folder / "prior.onnx"),
            IntegerNetwork.load(folder / "decoder.safetensors"),
            IntegerNetwork.load(folder / "prior.safetensors"),
            tables,
        )

    def float_prior(self, known: NDArray[np.int16]) -> Integers:
        return np.rint(self.prior.run(known.astype(np.float32), threads=1)).astype(np.int64)

    def exact_prior(self, known: NDArray[np.int16]) -> Integers:
        return self.integer_prior.run_integers(known, threads=1).astype(np.int64)

    def decode(self, latents: Integers, index: int) -> NDArray[np.uint8]:
        """By the integer decoder: (N, C, h, w) to (N, 3, 8h, 8w)."""
        dequantised = np.clip(latents * int(self.tables.steps[index]), -32768, 32767)
        given = _with_planes(dequantised, index).astype(np.int16)
        samples = self.integer_decoder.run_integers(given, threads=1)
        return np.clip(samples, 0, PEAK).astype(np.uint8)

    def decode_float(
        self, latents: Integers, index: int, decoder: nnr.Network
    ) -> NDArray[np.uint8]:
        dequantised = latents * (self.tables.steps[index] / STEP_PRECISION)
        given = _with_planes(dequantised, index / 256).astype(np.float32)
        samples = decoder.run(given, threads=1) * PEAK
        return np.rint(np.clip(samples, 0, PEAK)).astype(np.uint8)


def with_weights_of_8_bits(path: Path) -> nnr.Model:
    """A model whose weights went through 8 bits, each tensor over its range; biases stay."""
    model = nnr.load(path)
    coarse = {
        name: nnr.quantize(tensor, bits=8).dequantize()
        for name, tensor in model.tensors.items()
        if tensor.ndim > 1
    }
    return replace(model, tensors={**model.tensors, **coarse})


def _with_planes(latents: NDArray[np.generic], *values: float) -> NDArray[np.float64]:
    planes = (np.full_like(latents[:, :1], value, np.float64) for value in values)
    return np.concatenate([latents, *planes], 1)


def choose(
    tables: Tables, prior: Prior, scaled: NDArray[np.float64], index: int
) -> tuple[Integers, NDArray[np.float64]]:
    """The latents that an encoder codes (N, C, h, w), and the bits of each picture (N,)."""
    latents = np.zeros(scaled.shape, np.int64)
    total = np.zeros(len(scaled))
    rows, columns = np.indices(scaled.shape[-2:])
    for stage, (first, end, half) in enumerate(tables.stages):
        known = np.clip(latents, -LARGEST_CONTEXT, LARGEST_CONTEXT)
        outputs = prior(_with_planes(known, index, stage).astype(np.int16))
        means, scales = (part[:, first:end] for part in np.split(outputs, 2, axis=1))
        wanted = scaled[:, first:end]
        nearest = np.rint(wanted).astype(np.int64)
        away = means / MEAN_PRECISION - nearest
        candidates = [nearest, nearest + np.where(np.abs(away) > 0.5, np.sign(away), 0).astype(int)]
        candidates = [np.clip(each, -LARGEST_LATENT, LARGEST_LATENT) for each in candidates]
        bits = [tables.bits(each, means, scales) for each in candidates]
        costs = [(wanted - c) ** 2 + BIT_COST * b for c, b in zip(candidates, bits, strict=True)]
        better = costs[1] < costs[0]
        mask = np.ones_like(rows) if half == ALL else (rows + columns) % 2 == (half == ODD)
        latents[:, first:end] += np.where(better, candidates[1], candidates[0]) * mask
        total += (np.where(better, bits[1], bits[0]) * mask).sum((1, 2, 3))
    return latents, total


def mean_psnr(decoded: NDArray[np.uint8], pictures: NDArray[np.uint8]) -> float:
    errors = np.square(decoded.astype(np.float64) - pictures).mean((1, 2, 3))
    return float(np.mean(10 * np.log10(PEAK**2 / np.maximum(errors, 1e-9))))


def mean_ssim(decoded: NDArray[np.uint8], pictures: NDArray[np.uint8]) -> float:
    """Over all planes of all pictures."""
    planes = (array.reshape(-1, *array.shape[2:]) for array in (pictures, decoded))
    return float(np.mean([ssim(*pair) for pair in zip(*planes, strict=True)]))


def check_step(files: Files, pictures: NDArray[np.uint8], index: int) -> str:
    """A row of the table."""
    latents = files.encoder.run((pictures / PEAK).astype(np.float32), threads=1)
    scaled = latents.astype(np.float64) * STEP_PRECISION / files.tables.steps[index]
    pixels = pictures.shape[-2] * pictures.shape[-1]
    chosen, bits = choose(files.tables, files.exact_prior, scaled, index)
    _, float_bits = choose(files.tables, files.float_prior, scaled, index)
    # A file is whole bytes.
    file_bytes = np.ceil(bits / 8) + FILE_BYTES
    decoded = files.decode(chosen, index)
    psnr = mean_psnr(decoded, pictures)
    original, coarse = (
        mean_psnr(files.decode_float(chosen, index, decoder), pictures)
        for decoder in (files.decoder, files.coarse_decoder)
    )
    values = [
        f"{index}",
        f"{8 * file_bytes.mean() / pixels:.4f}",
        f"{psnr:.3f}",
        f"{mean_ssim(decoded, pictures):.5f}",
        f"{original - psnr:.4f}",
        f"{original - coarse:.4f}",
        f"{100 * (bits.sum() / float_bits.sum() - 1):.3f}",
    ]
    return f"| {' | '.join(values)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--cifar", type=Path, required=True, help="with test_00.png")
    parser.add_argument("--step-indices", type=int, nargs="+", required=True)
    parser.add_argument("--pictures", type=int, default=1000)
    options = parser.parse_args()
    files = Files.load(options.files)
    mosaic = read_mosaic(options.cifar / "test_00.png")[: options.pictures]
    pictures = np.ascontiguousarray(mosaic.transpose(0, 3, 1, 2))
    losses = "dB lost by integers | dB lost by 8 bits | bits added by integers, %"
    print(f"| step index | bits a pixel | PSNR, dB | SSIM | {losses} |")
    print("|--:|--:|--:|--:|--:|--:|--:|")
    for index in options.step_indices:
        print(check_step(files, pictures, index), flush=True)


if __name__ == "__main__":
    main()
