"""A training run on disk: a checkpoint to go on from, and a curve to look at."""

from __future__ import annotations

import copy
import csv
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

AVERAGING_DECAY = 0.999


class Run:
    """Network, its averaged copy and its optimisers, saved together; resumes when made.

    The learning rates are constant and fall linearly to zero over the last *decay_steps*, so that
    a run that is resumed may be made longer or shorter.
    """

    def __init__(
        self,
        folder: Path,
        network: nn.Module,
        optimizers: list[torch.optim.Optimizer],
        *,
        steps: int,
        decay_steps: int,
        warm_up_steps: int = 200,
    ) -> None:
        self.folder = folder
        self.network = network
        self.averaged = copy.deepcopy(network)
        self.step = 0
        self.seconds = 0.0
        self._optimizers = optimizers
        self._rates = [[group["lr"] for group in each.param_groups] for each in optimizers]
        self._steps = steps
        self._decay_steps = decay_steps
        self._warm_up_steps = warm_up_steps
        self._started = time.perf_counter()
        folder.mkdir(parents=True, exist_ok=True)
        if self._checkpoint.exists():
            self._resume()

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def is_done(self) -> bool:
        return self.step >= self._steps

    def update(self, loss: torch.Tensor) -> None:
        """One step down the gradient of the loss, and the average moved along."""
        remaining = (self._steps - self.step) / self._decay_steps
        factor = min(1.0, remaining, (self.step + 1) / self._warm_up_steps)
        for optimizer, rates in zip(self._optimizers, self._rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
        self.step += 1
        decay = min(AVERAGING_DECAY, self.step / (self.step + 10))
        with torch.no_grad():
            pairs = zip(self.averaged.parameters(), self.network.parameters(), strict=True)
            for average, weight in pairs:
                average.lerp_(weight, 1 - decay)

    def save(self) -> None:
        now = time.perf_counter()
        self.seconds += now - self._started
        self._started = now
        temporary = self._checkpoint.with_suffix(".part")
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "step": self.step,
            "seconds": self.seconds,
        }
        torch.save(state, temporary)
        temporary.replace(self._checkpoint)

    def _resume(self) -> None:
        state: dict[str, Any] = torch.load(self._checkpoint, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        for optimizer, values in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        self.step, self.seconds = state["step"], state["seconds"]

    def log(self, **values: float) -> None:
        """Append a line to ``curve.csv`` and print it."""
        path = self.folder / "curve.csv"
        row = {"step": self.step, "seconds": round(self.seconds)}
        row |= {name: round(value, 5) for name, value in values.items()}
        is_new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, row)
            if is_new:
                writer.writeheader()
            writer.writerow(row)
        print(*(f"{name} {value}" for name, value in row.items()), flush=True)
