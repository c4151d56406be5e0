"""The latents: their steps, and the stages in which they are coded."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

BLOCK = 8
CHANNELS = 3 * BLOCK * BLOCK
# Samples have 8 bits, and latents the units of an orthonormal transform of them.
PEAK = 255
# One step index more makes the step 2^(1/32) times as large.
STEPS_PER_OCTAVE = 32
LARGEST_STEP_INDEX = 255
# The largest magnitude of a quantised latent, and what the prior sees of it.
LARGEST_LATENT = 2047
LARGEST_CONTEXT = 255

EVEN, ODD, ALL = range(3)
# First channel, end channel, and which positions of the checkerboard. Each stage has about as many
# bits as the others at the rates that matter, and what is coded first is what the rest depends on.
STAGES = (
    (0, 3, EVEN),
    (0, 3, ODD),
    (3, 9, EVEN),
    (3, 9, ODD),
    (9, 20, EVEN),
    (9, 20, ODD),
    (20, 34, ALL),
    (34, 50, ALL),
    (50, 70, ALL),
    (70, 100, ALL),
    (100, CHANNELS, ALL),
)


def steps_of(indices: Tensor) -> Tensor:
    """The steps of step indices (N,), as (N, 1, 1, 1)."""
    return torch.exp2(indices / STEPS_PER_OCTAVE)[:, None, None, None]


@cache
def stage_masks(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Which latents a stage codes, and which are known before it: (stages, C, height, width)."""
    parity = (torch.arange(height)[:, None] + torch.arange(width)) % 2
    coded = torch.zeros(len(STAGES), CHANNELS, height, width, dtype=torch.bool)
    for mask, (first, end, half) in zip(coded, STAGES, strict=True):
        mask[first:end] = (
            torch.ones_like(parity, dtype=torch.bool) if half == ALL else parity == half
        )
    known = coded.cumsum(0) - coded.long() > 0
    return coded, known
