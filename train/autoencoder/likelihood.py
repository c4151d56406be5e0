"""How probable a quantised latent is, and the choice of the latents that cost least."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

COMPONENTS = 3
# The table of scales: log2(scale) in eighths, from the first index to the last.
SCALE_PRECISION = 8
SCALE_OFFSET = 24
SCALE_COUNT = 64
# No symbol has a smaller probability in a table of counts out of 2^15.
SMALLEST_PROBABILITY = 2.0**-16
# Bits against squared errors in steps: what halving the step costs and gains, at high rates.
BIT_COST = 0.1155


class LogisticMixture(nn.Module):
    """A sum of logistic distributions around 0, one for all latents once they are scaled."""

    def __init__(self) -> None:
        super().__init__()
        self.shares = nn.Parameter(torch.zeros(COMPONENTS))
        self.widths = nn.Parameter(torch.tensor([-1.5, -1.0, -0.3]))

    def probabilities(self, residuals: Tensor, log_scales: Tensor) -> Tensor:
        """Of the integers that lie *residuals* from the mean: the integral over 1."""
        lowest = -SCALE_OFFSET / SCALE_PRECISION
        highest = (SCALE_COUNT - 1 - SCALE_OFFSET) / SCALE_PRECISION
        steepness = torch.exp2(-log_scales.clamp(lowest, highest))
        shares, inner = self.shares.softmax(0), torch.exp2(-self.widths)
        # On the negative side differences of small numbers stay precise.
        distances = -residuals.abs()
        upper, lower = (distances + 0.5) * steepness, (distances - 0.5) * steepness
        parts = (
            share * (torch.sigmoid(upper * each) - torch.sigmoid(lower * each))
            for share, each in zip(shares, inner, strict=True)
        )
        return sum(parts)

    def spread(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Widths of the components at scale 1, and their shares."""
        widths, shares = torch.exp2(self.widths), self.shares.softmax(0)
        return widths.detach().double().numpy(), shares.detach().double().numpy()

    def bits(self, residuals: Tensor, log_scales: Tensor) -> Tensor:
        return -torch.log2(self.probabilities(residuals, log_scales) + SMALLEST_PROBABILITY)


def cheapest(
    scaled: Tensor, means: Tensor, log_scales: Tensor, mixture: LogisticMixture
) -> tuple[Tensor, Tensor]:
    """The nearest integers or the next towards the means, whichever cost less, and their bits."""
    nearest = scaled.round()
    towards = means - nearest
    other = nearest + torch.where(towards.abs() > 0.5, towards.sign(), 0.0)
    bits, other_bits = (mixture.bits(q - means, log_scales) for q in (nearest, other))
    cost, other_cost = (
        (scaled - q).square() + BIT_COST * b for q, b in ((nearest, bits), (other, other_bits))
    )
    better = other_cost < cost
    return torch.where(better, other, nearest), torch.where(better, other_bits, bits)
