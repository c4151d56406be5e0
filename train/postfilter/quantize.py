"""Chooses how coarsely each convolution's weights are coded, for a number of bits a weight."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor

from ..layers import Conv
from .data import Pair
from .measure import psnr_gains
from .network import PostFilterNetwork

# About what every step will be; how much it costs is measured there.
TRIAL_RATIO = 0.7


def standard_step(step: float) -> float:
    """The largest step of ISO/IEC 15938-17 with four steps an octave that is at most *step*."""
    octave = 2.0 ** math.floor(math.log2(step))
    return octave * math.floor(4 * step / octave) / 4


def entropy(weight: Tensor, step: float) -> float:
    """Bits of all levels together, were each coded for itself."""
    _, counts = torch.unique((weight / step).round(), return_counts=True)
    shares = counts / counts.sum()
    return float(-(counts * shares.log2()).sum())


def choose_steps(network: PostFilterNetwork, pairs: list[Pair], bits: float) -> dict[str, float]:
    """Steps for which the weights have *bits* each on average, and the network loses the least.

    With a loss of ``s step^2`` and ``n`` weights whose bits fall with ``log2 step``, it is least
    where ``step^2`` is proportional to ``n / s``.
    """
    convs = {name: m for name, m in network.named_modules() if isinstance(m, Conv)}
    wanted = {}
    for name, conv in convs.items():
        trial = standard_step(TRIAL_RATIO * float(conv.weight.detach().std()))
        loss = _loss_of(network, name, trial, pairs)
        wanted[name] = trial * math.sqrt(conv.weight.numel() / max(loss, 1e-6))
    budget = bits * sum(conv.weight.numel() for conv in convs.values())
    low, high = 1e-12, 1.0
    for _ in range(60):
        factor = math.sqrt(low * high)
        steps = {name: standard_step(step * factor) for name, step in wanted.items()}
        if sum(entropy(convs[name].weight.detach(), step) for name, step in steps.items()) > budget:
            low = factor
        else:
            high = factor
    return {name: standard_step(step * high) for name, step in wanted.items()}


def set_steps(network: PostFilterNetwork, steps: dict[str, float]) -> None:
    for name, step in steps.items():
        network.get_submodule(name).step.fill_(step)


@torch.no_grad()
def _loss_of(network: PostFilterNetwork, name: str, step: float, pairs: list[Pair]) -> float:
    """What quantising one convolution costs, in dB of luma."""
    quantized = copy.deepcopy(network)
    set_steps(quantized, {name: step})
    device = network.head.weight.device.type
    before, after = (psnr_gains(each, pairs, device) for each in (network, quantized))
    loss = np.mean([before[key] - after[key] for key in before if key.startswith("qp")])
    print(f"{name}: step {step:g} costs {loss:.4f} dB", flush=True)
    return float(loss)
