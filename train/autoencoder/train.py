"""Train the auto-encoder; resumes from its checkpoint, and may be killed at any moment.

    python -m train.autoencoder.train --cifar cifar10 --photographs photographs --output run

``run/checkpoint.pt`` is written every few hundred steps, ``run/curve.csv`` holds one line an
evaluation: bits a pixel and PSNR of some test pictures at several steps, and the PSNR at 4.3 bits.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..run import Run
from .coding import choose_latents
from .data import (
    PictureSampler,
    principal_components,
    read_cifar,
    read_mosaic,
    read_patches,
    to_tensor,
)
from .latents import LARGEST_STEP_INDEX, PEAK, STAGES, stage_masks, steps_of
from .likelihood import BIT_COST
from .network import AutoEncoder
from .validate import validate

# Until the prior knows something, its choice of latents would be worse than rounding.
FIRST_CHOICE = 500
# Where 4.3 bits a pixel lie; other steps get the rest.
USUAL_INDICES = (100, 124)
USUAL_SHARE = 0.55
OTHER_INDICES = (40, 240)
# Every picture has a loss from so many of its stages, drawn at random.
STAGES_A_PICTURE = 4
LINEAR_RATE = 0.02


def autocast() -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16)


def make_optimizers(network: AutoEncoder, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the weights between features, Adam for the rest, far slower for the transforms."""
    hidden, linear = network.hidden_matrices(), network.linear_weights()
    taken = {id(weight) for weight in [*hidden, *linear]}
    rest = [weight for weight in network.parameters() if id(weight) not in taken]
    trained = [weight for weight in linear if weight.requires_grad]
    groups = [{"params": rest}, {"params": trained, "lr": rate * LINEAR_RATE}]
    return [
        torch.optim.Muon(hidden, lr=rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
        torch.optim.Adam(groups, lr=rate),
    ]


def draw_step_indices(count: int) -> Tensor:
    usual = torch.rand(count) < USUAL_SHARE
    part = torch.rand(count)
    low = torch.where(usual, USUAL_INDICES[0], OTHER_INDICES[0])
    high = torch.where(usual, USUAL_INDICES[1], OTHER_INDICES[1])
    return (low + part * (high - low)).round().clamp(0, LARGEST_STEP_INDEX)


def straight_through(values: Tensor, rounded: Tensor) -> Tensor:
    """The rounded values, with the gradient of those that were not."""
    return values + (rounded - values).detach()


def sampled_bits(network: AutoEncoder, quantised: Tensor, step_indices: Tensor) -> Tensor:
    """An unbiased estimate of the bits of all pictures together."""
    coded, known = stage_masks(*quantised.shape[-2:])
    stages = torch.rand(len(quantised), len(STAGES)).topk(STAGES_A_PICTURE).indices.flatten()
    latents = quantised.repeat_interleave(STAGES_A_PICTURE, 0)
    indices = step_indices.repeat_interleave(STAGES_A_PICTURE)
    means, log_scales = network.prior(latents * known[stages], indices, stages)
    chosen = coded[stages]
    residuals = latents[chosen] - means[chosen]
    bits = network.mixture.bits(residuals, log_scales[chosen]).sum()
    return bits * (len(STAGES) / STAGES_A_PICTURE)


def losses(
    network: AutoEncoder, pictures: Tensor, step_indices: Tensor, choose: bool
) -> tuple[Tensor, Tensor]:
    """Squared error in steps, and bits, both a pixel."""
    scaled = network.scaled_latents(pictures, step_indices)
    with autocast():
        if choose:
            rounded, _ = choose_latents(network, scaled.detach(), step_indices)
        else:
            rounded = scaled.detach().round()
        quantised = straight_through(scaled, rounded)
        bits = sampled_bits(network, quantised, step_indices)
        decoded = network.decode(quantised, step_indices)
    errors = (decoded - pictures) * PEAK / steps_of(step_indices)
    pixels = pictures[:, 0].numel()
    return errors.square().sum() / pixels, bits / pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cifar", type=Path, required=True, help="train_*.png and test_00.png")
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="what rounding.py wrote, to begin with")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--decay-steps", type=int, default=6_000)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--save-every", type=int, default=250)
    parser.add_argument("--evaluate-every", type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)

    cifar = read_cifar(options.cifar)
    patches = read_patches(options.photographs, options.seed)
    if options.start:
        network = AutoEncoder.load(options.start)
        network.decoder.inverse.requires_grad_(False)
    else:
        network = AutoEncoder(principal_components(to_tensor(cifar)))
    run = Run(
        options.output,
        network,
        make_optimizers(network, options.learning_rate),
        steps=options.steps,
        decay_steps=options.decay_steps,
    )
    # A resumed run draws other pictures than the ones it has already seen.
    torch.manual_seed(options.seed + run.step)
    sampler = PictureSampler(cifar, patches, options.batch, options.seed + run.step)
    test = to_tensor(read_mosaic(options.cifar / "test_00.png")[:200])
    running = np.zeros(2)
    while not run.is_done:
        pictures = sampler()
        indices = draw_step_indices(len(pictures))
        error, bits = losses(network, pictures, indices, run.step >= FIRST_CHOICE)
        run.update(error + BIT_COST * bits)
        running += 0.01 * (np.array([error.item(), bits.item()]) - running)
        if run.step % options.save_every == 0 or run.is_done:
            run.save()
        if run.step % options.evaluate_every == 0 or run.is_done:
            error, bits = running
            run.log(error=error, bits=bits, **validate(run.averaged, test))


if __name__ == "__main__":
    main()
