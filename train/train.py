"""Train the post filter; resumes from its checkpoint, and may be killed at any moment.

    python train/train.py --pairs pairs --validation kodak --output run --steps 100000

``run/checkpoint.pt`` is written every few hundred steps, ``run/curve.csv`` holds one line an
evaluation: step, seconds, and for each QP the luma PSNR gain over the unfiltered picture in dB.
"""

from __future__ import annotations

import argparse
import copy
import csv
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from data import Pair, PatchSampler, load_pairs, tensors
from network import PostFilterNetwork

AVERAGING_DECAY = 0.999
WARM_UP_STEPS = 500
GRADIENT_CLIP = 1.0


class Trainer:
    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        self.options = options
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = PostFilterNetwork().to(self.device, memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=options.learning_rate)
        self.step = 0
        self.seconds = 0.0
        self._resume()

    @property
    def checkpoint_path(self) -> Path:
        return self.options.output / "checkpoint.pt"

    def _resume(self) -> None:
        if not self.checkpoint_path.exists():
            return
        state = torch.load(self.checkpoint_path, weights_only=True, map_location=self.device)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]

    def save(self) -> None:
        temporary = self.checkpoint_path.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "seconds": self.seconds,
            },
            temporary,
        )
        temporary.replace(self.checkpoint_path)

    def train_step(self, inputs: Tensor, targets: Tensor, unfiltered: Tensor) -> float:
        options = self.options
        progress = self.step / options.steps
        rate = options.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
        for group in self.optimizer.param_groups:
            group["lr"] = rate * min(1.0, (self.step + 1) / WARM_UP_STEPS)
        inputs = inputs.to(self.device).contiguous(memory_format=torch.channels_last)
        targets, unfiltered = targets.to(self.device), unfiltered.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            outputs = self.network(inputs)
        error = (outputs.float() - targets).square().mean((1, 2, 3))
        # Relative to its picture's unfiltered error, every picture and QP counts alike, as in a
        # mean of PSNRs.
        loss = (error / unfiltered).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_CLIP)
        self.optimizer.step()
        self.step += 1
        decay = min(AVERAGING_DECAY, self.step / (self.step + 10))
        with torch.no_grad():
            for average, weight in zip(
                self.averaged.parameters(), self.network.parameters(), strict=True
            ):
                average.lerp_(weight, 1 - decay)
        return float(loss.detach())

    @torch.no_grad()
    def psnr_gains(self, pairs: list[Pair]) -> dict[int, float]:
        """Mean luma PSNR gain over the unfiltered picture for each QP, in dB."""
        gains: dict[int, list[float]] = {}
        for pair in pairs:
            stacked = tensors(pair).to(self.device)[None]
            inputs, target = stacked[:, :2], stacked[:, 2:]
            with torch.autocast(self.device.type, torch.bfloat16):
                output = self.averaged(inputs).float()
            before = (inputs[:, :1] - target).square().mean()
            after = (output - target).square().mean()
            gains.setdefault(pair.qp, []).append(10 * math.log10(float(before / after)))
        return {qp: float(np.mean(values)) for qp, values in sorted(gains.items())}

    def log(self, loss: float, gains: dict[int, float]) -> None:
        path = self.options.output / "curve.csv"
        is_new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(["step", "seconds", "loss", *(f"gain_qp{qp}" for qp in gains)])
            writer.writerow(
                [self.step, f"{self.seconds:.0f}", f"{loss:.5f}"]
                + [f"{gain:.4f}" for gain in gains.values()]
            )
        print(f"step {self.step} {self.seconds:.0f} s loss {loss:.5f} {gains}", flush=True)

    def run(self) -> None:
        options = self.options
        validation = load_pairs(options.validation)
        # A resumed run draws other patches than the ones it has already seen.
        sampler = PatchSampler(
            load_pairs(options.pairs), options.patch, options.batch, options.seed + self.step
        )
        running_loss = 1.0
        while self.step < options.steps:
            started = time.perf_counter()
            running_loss += 0.01 * (self.train_step(*sampler()) - running_loss)
            self.seconds += time.perf_counter() - started
            if self.step % options.save_every == 0:
                self.save()
            if self.step % options.evaluate_every == 0 or self.step == options.steps:
                self.log(running_loss, self.psnr_gains(validation))
        self.save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--patch", type=int, default=96, help="luma samples, even")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--save-every", type=int, default=500)
    parser.add_argument("--evaluate-every", type=int, default=2000)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.output.mkdir(parents=True, exist_ok=True)
    Trainer(options).run()


if __name__ == "__main__":
    main()
