"""Train the post filter; resumes from its checkpoint, and may be killed at any moment.

    python -m train.postfilter.train --pairs pairs --validation kodak --output run

``run/checkpoint.pt`` is written every few hundred steps, ``run/curve.csv`` holds one line an
evaluation: for each QP the PSNR gain of Y over the unfiltered picture in dB, and of Cb and Cr.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from ..run import Run
from .data import PatchSampler, load_pairs, plane_means
from .measure import autocast, psnr_gains
from .network import PostFilterNetwork
from .quantize import choose_steps, set_steps

# What counts, as in a mean of PSNRs of the three planes.
PLANE_WEIGHTS = torch.tensor([6.0, 1.0, 1.0]) / 8
# On which it is measured how sensitive the weights are.
TRIAL_PAIRS = 24


def make_optimizers(
    network: PostFilterNetwork, rate: float, device: str
) -> list[torch.optim.Optimizer]:
    """Muon for the weights between features, Adam for the rest."""
    hidden = network.hidden_matrices()
    rest = [p for p in network.parameters() if all(p is not matrix for matrix in hidden)]
    return [
        torch.optim.Muon(hidden, lr=rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
        torch.optim.Adam(rest, lr=rate, fused=device == "cuda"),
    ]


def relative_error(outputs: Tensor, targets: Tensor, unfiltered: Tensor) -> Tensor:
    """Relative to its picture's unfiltered error, every picture and QP counts alike."""
    errors = plane_means((outputs.float() - targets).square())
    return (errors / unfiltered @ PLANE_WEIGHTS.to(errors.device)).mean()


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="state dict to begin with")
    parser.add_argument("--steps", type=int, default=60_000)
    parser.add_argument("--decay-steps", type=int, default=12_000)
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--patch", type=int, default=80, help="chroma samples a side")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument(
        "--quantize-from", type=int, help="step from which weights are seen as they will be coded"
    )
    parser.add_argument("--bits", type=float, default=2.5, help="a weight, entropy coded")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--save-every", type=int, default=250)
    parser.add_argument("--evaluate-every", type=int, default=1000)
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    network = PostFilterNetwork().to(device)
    if options.start:
        network.load_state_dict(torch.load(options.start, weights_only=True))
    run = Run(
        options.output,
        network,
        make_optimizers(network, options.learning_rate, device),
        steps=options.steps,
        decay_steps=options.decay_steps,
    )
    validation = load_pairs(options.validation)
    # A resumed run draws other patches than the ones it has already seen.
    pairs = load_pairs(options.pairs)
    sampler = PatchSampler(pairs, options.patch, options.batch, options.seed + run.step)
    running_loss = 1.0
    while not run.is_done:
        if run.step == options.quantize_from:
            some = pairs[:: max(1, len(pairs) // TRIAL_PAIRS)]
            set_steps(run.averaged, choose_steps(run.averaged, some, options.bits))
            network.load_state_dict(run.averaged.state_dict())
        inputs, targets, unfiltered = (part.to(device) for part in sampler())
        with autocast(device):
            outputs = network(inputs.contiguous(memory_format=torch.channels_last))
        loss = relative_error(outputs, targets, unfiltered)
        run.update(loss)
        running_loss += 0.01 * (float(loss.detach()) - running_loss)
        if run.step % options.save_every == 0 or run.is_done:
            run.save()
        if run.step % options.evaluate_every == 0 or run.is_done:
            run.log(loss=running_loss, **psnr_gains(run.averaged, validation, device))


if __name__ == "__main__":
    main()
