"""Give the decoder's transform weights of 8 bits, at no loss: the encoder follows.

    python -m train.autoencoder.rounding --checkpoint run/checkpoint.pt --output rounded.pt

Rounded to 8 bits, an orthonormal transform adds an error that grows with the latents, 0.2 dB at 40 dB.
But any invertible transform will do if the encoder inverts this one. So the weights are rounded while
there is training left, the encoder is made to fit them, and training goes on from there without
touching them: `train --start rounded.pt`.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from torch import Tensor

from .latents import PEAK
from .network import AutoEncoder

LOWEST, HIGHEST = -128, 127


def rounded(weights: Tensor) -> Tensor:
    """Multiples of a power of two, the outermost the lowest and the highest of 8 bits.

    So a coder finds the same step by the range, by a number of bits, or as an exact QP.
    """
    step = 2.0 ** math.ceil(math.log2(float(weights.abs().max()) / (HIGHEST + 0.5)))
    levels = (weights / step).round().clamp(LOWEST, HIGHEST).contiguous()
    levels.view(-1)[levels.argmin()] = LOWEST
    levels.view(-1)[levels.argmax()] = HIGHEST
    return levels * step


@torch.no_grad()
def round_inverse(network: AutoEncoder) -> None:
    """Round the decoder's transform as the file will have it, and fit the encoder to it."""
    encoder, decoder = network.encoder, network.decoder
    before = decoder.inverse.double()
    # Samples are 0 to 1 in the file.
    decoder.inverse.copy_(rounded(decoder.inverse / PEAK) * PEAK)
    change = torch.linalg.solve(decoder.inverse.double(), before)
    weights = encoder.weight.double().flatten(1)
    encoder.weight.copy_((change @ weights).view_as(encoder.weight))
    encoder.bias.copy_(change @ encoder.bias.double())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    network = AutoEncoder.load(options.checkpoint)
    round_inverse(network)
    torch.save({"averaged": network.state_dict()}, options.output)


if __name__ == "__main__":
    main()
