"""The auto-encoder: a linear encoder, a decoder that adds a CNN to a linear one, and the prior.

All three begin as what is known to work: the encoder as the principal components of blocks, the
decoder as their inverse, the prior as the spread of each component.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import Conv, ResidualBlock, activate
from .latents import BLOCK, CHANNELS, LARGEST_CONTEXT, PEAK, steps_of
from .likelihood import LogisticMixture

# The CNN works on the phases of 2x2 samples.
PHASES = 2
INNER_BLOCK = BLOCK // PHASES
SAMPLE_CHANNELS = 3 * PHASES * PHASES
# What the CNN gets beside the samples of the linear inverse, by step and by position in the block.
HINT_CHANNELS = 4
HIDDEN_CHANNELS = 64
BLOCKS = 2
# Of neighbouring blocks the prior sees the components that say something about this one.
NEIGHBOUR_CHANNELS = 70
NEIGHBOUR_FEATURES = 112
LOCAL_FEATURES = 128
MIXED_FEATURES = 192
# Of step index and stage, for the layers behind the first.
PLANE_FEATURES = 16
# So that planes span about the unit interval, as the features beside them do.
STEP_INDEX_UNIT = 64.0
STAGE_UNIT = 8.0
# The step at which the features of the prior are about 1.
USUAL_STEP = 8.0


@dataclass(frozen=True)
class Components:
    """Principal components of blocks: mean (3, 8, 8), basis (C, 3, 8, 8), deviations (C,)."""

    mean: Tensor
    basis: Tensor
    deviations: Tensor


class Encoder(nn.Module):
    """(N, 3, 8h, 8w) of 0 to 1 to latents (N, C, h, w)."""

    def __init__(self, components: Components) -> None:
        super().__init__()
        self.weight = nn.Parameter(components.basis.clone())
        offsets = -(components.basis * components.mean).sum((1, 2, 3)) * PEAK
        self.bias = nn.Parameter(offsets)

    def forward(self, pictures: Tensor) -> Tensor:
        return F.conv2d(pictures * PEAK, self.weight, self.bias, stride=BLOCK)


class Decoder(nn.Module):
    """Latents that are multiples of their step (N, C, h, w) to (N, 3, 8h, 8w) of 0 to 1."""

    def __init__(self, components: Components) -> None:
        super().__init__()
        phases = F.pixel_unshuffle(components.basis, PHASES)
        self.inverse = nn.Parameter(F.pixel_unshuffle(phases, INNER_BLOCK).flatten(1).T.clone())
        self.hints = Conv(1, HINT_CHANNELS * INNER_BLOCK**2, 1)
        self.head = Conv(SAMPLE_CHANNELS + HINT_CHANNELS, HIDDEN_CHANNELS)
        self.blocks = nn.ModuleList(ResidualBlock(HIDDEN_CHANNELS) for _ in range(BLOCKS))
        self.tail = Conv(HIDDEN_CHANNELS, SAMPLE_CHANNELS)
        with torch.no_grad():
            for block in self.blocks:
                block.conv1.weight.mul_(0.1)
            self.tail.weight.mul_(0.01)
            # The mean is added last: until then samples lie around 0, which bfloat16 needs.
            mean = F.pixel_unshuffle(components.mean[None], PHASES).mean((0, 2, 3))
            self.tail.bias.copy_(mean)

    def forward(self, latents: Tensor, step_indices: Tensor) -> Tensor:
        plane = (step_indices / 256)[:, None, None, None].expand_as(latents[:, :1])
        # In float32 whatever surrounds it: latents reach 1000, and a sample is one of 256.
        with torch.autocast(latents.device.type, enabled=False):
            spread = torch.cat([self.linear(latents), self.hints(plane)], 1)
            phases = F.pixel_shuffle(spread, INNER_BLOCK)
        phases = phases.contiguous(memory_format=torch.channels_last)
        features = activate(self.head(phases))
        for block in self.blocks:
            features = block(features)
        residual = self.tail(activate(features)).float()
        return F.pixel_shuffle(phases[:, :SAMPLE_CHANNELS] + residual, PHASES)

    def linear(self, latents: Tensor) -> Tensor:
        return F.conv2d(latents / PEAK, self.inverse[:, :, None, None])


class Prior(nn.Module):
    """What is known of latents, 0 where they are not, to mean and log2(scale) of all latents."""

    def __init__(self, components: Components) -> None:
        super().__init__()
        self.neighbours = Conv(NEIGHBOUR_CHANNELS + 2, NEIGHBOUR_FEATURES)
        self.local = Conv(CHANNELS + 2, LOCAL_FEATURES, 1)
        self.planes = Conv(2, PLANE_FEATURES, 1)
        features = NEIGHBOUR_FEATURES + LOCAL_FEATURES + PLANE_FEATURES
        self.mix = Conv(features, MIXED_FEATURES, 1)
        self.tail = Conv(MIXED_FEATURES + PLANE_FEATURES, 2 * CHANNELS, 1)
        spread = components.deviations / USUAL_STEP
        self.register_buffer("unit", 1 + spread)
        with torch.no_grad():
            self.tail.weight.mul_(0.1)
            # A latent's scale is inverse to the step, but for those that are mostly 0. The first
            # feature of the planes begins as the step index.
            self.planes.weight[0] = torch.tensor([1.0, 0.0])
            slope = -STEP_INDEX_UNIT / 32
            self.tail.weight[CHANNELS:, MIXED_FEATURES] = slope
            usual = math.log2(USUAL_STEP) * 32 / STEP_INDEX_UNIT
            self.tail.bias[CHANNELS:] = torch.log2(spread + 0.1) - usual * slope - 1

    def forward(self, known: Tensor, step_indices: Tensor, stages: Tensor) -> tuple[Tensor, Tensor]:
        known = known.clamp(-LARGEST_CONTEXT, LARGEST_CONTEXT) / self.unit[:, None, None]
        planes = torch.stack([step_indices / STEP_INDEX_UNIT, stages / STAGE_UNIT], 1)
        planes = planes[:, :, None, None].expand(-1, -1, *known.shape[-2:])
        neighbours = self.neighbours(torch.cat([known[:, :NEIGHBOUR_CHANNELS], planes], 1))
        local = self.local(torch.cat([known, planes], 1))
        planes = activate(self.planes(planes))
        features = torch.cat([activate(neighbours), activate(local), planes], 1)
        features = torch.cat([activate(self.mix(features)), planes], 1).float()
        with torch.autocast(known.device.type, enabled=False):
            means, scales = self.tail(features).chunk(2, 1)
        return means * self.unit[:, None, None], scales


class AutoEncoder(nn.Module):
    def __init__(self, components: Components) -> None:
        super().__init__()
        self.encoder = Encoder(components)
        self.decoder = Decoder(components)
        self.prior = Prior(components)
        self.mixture = LogisticMixture()

    @classmethod
    def load(cls, checkpoint: Path) -> AutoEncoder:
        """The averaged weights of a run."""
        shape = (CHANNELS, 3, BLOCK, BLOCK)
        network = cls(Components(torch.zeros(shape[1:]), torch.zeros(shape), torch.ones(CHANNELS)))
        network.load_state_dict(torch.load(checkpoint, weights_only=True)["averaged"])
        return network

    def scaled_latents(self, pictures: Tensor, step_indices: Tensor) -> Tensor:
        """Latents in steps, not rounded."""
        return self.encoder(pictures) / steps_of(step_indices)

    def decode(self, quantised: Tensor, step_indices: Tensor) -> Tensor:
        return self.decoder(quantised * steps_of(step_indices), step_indices)

    def linear_weights(self) -> list[nn.Parameter]:
        """The transforms of whole blocks, whose smallest change moves every sample."""
        return [self.encoder.weight, self.encoder.bias, self.decoder.inverse]

    def hidden_matrices(self) -> list[nn.Parameter]:
        """The weights from features to features."""
        convs = [conv for block in self.decoder.blocks for conv in (block.conv0, block.conv1)]
        return [
            conv.weight
            for conv in [*convs, self.prior.neighbours, self.prior.local, self.prior.mix]
        ]
