"""What a network gives at several steps: bits a pixel, estimated, and PSNR."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .coding import choose_latents
from .latents import PEAK
from .network import AutoEncoder

STEP_INDICES = (80, 104, 112, 120, 152, 200)
TARGET_BITS = 4.3
# What a file has beside its latents, with the end of the coder.
FILE_BYTES = 11


def psnr(decoded: Tensor, pictures: Tensor) -> Tensor:
    """Of each picture, in dB, its samples rounded to bytes."""
    samples = (decoded.clamp(0, 1) * PEAK).round() / PEAK
    return -10 * torch.log10((samples - pictures).square().mean((1, 2, 3)))


@torch.no_grad()
def validate(network: AutoEncoder, pictures: Tensor) -> dict[str, float]:
    """Bits a pixel and PSNR at every step, and the PSNR at 4.3 bits a pixel."""
    rates, qualities = [], []
    values: dict[str, float] = {}
    for index in STEP_INDICES:
        indices = torch.full((len(pictures),), float(index))
        quantised, bits = choose_latents(
            network, network.scaled_latents(pictures, indices), indices
        )
        decoded = network.decode(quantised, indices)
        rates.append(float((bits.mean() + 8 * FILE_BYTES) / pictures[0, 0].numel()))
        qualities.append(float(psnr(decoded, pictures).mean()))
        values |= {f"bpp_{index}": rates[-1], f"psnr_{index}": qualities[-1]}
    values["psnr_at_target"] = float(np.interp(TARGET_BITS, rates[::-1], qualities[::-1]))
    return values
