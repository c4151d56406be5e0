"""The post filter: a residual CNN on the planes of a frame, all three at the resolution of chroma.

Luma goes in as the four phases of 2x2 samples, which lie on the grid of 4:2:0 chroma: a quarter of
the operations a sample, twice the view, and each plane is a guide for the others. The residual
blocks run several times with the same weights, which buys depth without bytes. One network serves
all QPs: the QP is an input plane, constant over the picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..layers import Conv, ResidualBlock, activate

CHANNELS = 64
# Four phases of luma, Cb, Cr: what goes in, beside the QP, and what comes out.
SAMPLE_CHANNELS = 6
PASSES = 2
# The QP plane holds QP / 63, so that it spans the unit interval as the samples do.
MAX_QP = 63


class PostFilterNetwork(nn.Module):
    """196,358 weights; input (N, 7, H, W): luma's phases, Cb, Cr and QP; output (N, 6, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.head = Conv(SAMPLE_CHANNELS + 1, CHANNELS)
        self.block0 = ResidualBlock(CHANNELS)
        self.block1 = ResidualBlock(CHANNELS)
        self.body = Conv(CHANNELS, CHANNELS)
        self.mix = Conv(CHANNELS, CHANNELS, 1)
        self.tail = Conv(CHANNELS, SAMPLE_CHANNELS)
        # The residual has to begin near zero, yet pass gradients on to every layer from the first
        # step: started at PyTorch's default, this network does not leave the identity.
        with torch.no_grad():
            for conv, scale in (
                (self.block0.conv1, 0.1),
                (self.block1.conv1, 0.1),
                (self.tail, 0.01),
            ):
                conv.weight.mul_(scale)

    def forward(self, planes_and_qp: Tensor) -> Tensor:
        # Not in bfloat16, to which samples near the middle of the range differ by four of 1023 or
        # not at all: errors of chroma are hardly larger.
        with torch.autocast(planes_and_qp.device.type, enabled=False):
            features = activate(self.head(planes_and_qp))
        for _ in range(PASSES):
            features = self.block1(self.block0(features))
        features = activate(self.body(features))
        features = activate(self.mix(features))
        return planes_and_qp[:, :SAMPLE_CHANNELS] + self.tail(features)

    def hidden_matrices(self) -> list[nn.Parameter]:
        """The weights from features to features."""
        convs = [m for block in (self.block0, self.block1) for m in (block.conv0, block.conv1)]
        return [conv.weight for conv in [*convs, self.body, self.mix]]
