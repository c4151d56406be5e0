"""Stage by stage as an encoder goes: what is known gives the prior, the prior the next latents."""

from __future__ import annotations

import torch
from torch import Tensor

from .latents import STAGES, stage_masks
from .likelihood import cheapest
from .network import AutoEncoder


@torch.no_grad()
def choose_latents(
    network: AutoEncoder, scaled: Tensor, step_indices: Tensor
) -> tuple[Tensor, Tensor]:
    """The latents that an encoder codes (N, C, h, w), and the bits of each picture (N,)."""
    coded, _ = stage_masks(*scaled.shape[-2:])
    quantised = torch.zeros_like(scaled)
    total = scaled.new_zeros(len(scaled))
    for stage, (first, end, _) in enumerate(STAGES):
        stages = torch.full((len(scaled),), stage)
        means, log_scales = (
            part[:, first:end] for part in network.prior(quantised, step_indices, stages)
        )
        mask = coded[stage, first:end]
        chosen, bits = cheapest(scaled[:, first:end], means, log_scales, network.mixture)
        quantised[:, first:end] += chosen * mask
        total += (bits * mask).sum((1, 2, 3))
    return quantised, total
