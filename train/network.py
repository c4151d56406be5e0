"""The post filter: a residual luma CNN that works on the four phases of 2x2 samples.

Half the resolution in each direction makes it four times cheaper a sample than the same weights at
full resolution and doubles what a weight sees. One network serves all QPs: the QP is a second
input plane, constant over the picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = 64
# Not zero: with plain ReLU a few large first steps can leave a layer dead for good.
NEGATIVE_SLOPE = 0.1
# The QP plane holds QP / 63, so that it spans the unit interval as the samples do.
MAX_QP = 63


def activate(features: Tensor) -> Tensor:
    return F.leaky_relu(features, NEGATIVE_SLOPE)


class ResidualBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.conv1 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.conv1(activate(self.conv0(features)))


class PostFilterNetwork(nn.Module):
    """195,780 weights; input (N, 2, H, W) with even H and W, output (N, 1, H, W), both 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(8, CHANNELS, 3, padding=1)
        self.block0 = ResidualBlock()
        self.block1 = ResidualBlock()
        self.body = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.mix = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.tail = nn.Conv2d(CHANNELS, 4, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=NEGATIVE_SLOPE)
                nn.init.zeros_(module.bias)
        # The residual has to begin near zero, yet pass gradients on to every layer from the first
        # step: started at PyTorch's default, this network does not leave the identity.
        with torch.no_grad():
            for conv, scale in (
                (self.block0.conv1, 0.1),
                (self.block1.conv1, 0.1),
                (self.tail, 0.01),
            ):
                conv.weight.mul_(scale)

    def forward(self, luma_and_qp: Tensor) -> Tensor:
        phases = F.pixel_unshuffle(luma_and_qp, 2)
        features = activate(self.head(phases))
        features = self.block1(self.block0(features))
        features = activate(self.body(features))
        features = activate(self.mix(features))
        residual = F.pixel_shuffle(self.tail(features), 2)
        return luma_and_qp[:, :1] + residual
