"""The post filter: a residual CNN on the planes of a frame, all three at the resolution of chroma.

Luma goes in as the four phases of 2x2 samples, which lie on the grid of 4:2:0 chroma: a quarter of
the operations a sample, twice the view, and each plane is a guide for the others. The residual
blocks run several times with the same weights, which buys depth without bytes. One network serves
all QPs: the QP is an input plane, constant over the picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = 64
# Four phases of luma, Cb, Cr: what goes in, beside the QP, and what comes out.
SAMPLE_CHANNELS = 6
PASSES = 2
# Not zero: with plain ReLU a few large first steps can leave a layer dead for good.
NEGATIVE_SLOPE = 0.1
# The QP plane holds QP / 63, so that it spans the unit interval as the samples do.
MAX_QP = 63


def activate(features: Tensor) -> Tensor:
    return F.leaky_relu(features, NEGATIVE_SLOPE)


class Conv(nn.Module):
    """A convolution that keeps the size; its weight is a matrix, one row an output channel.

    With a *step*, the convolution sees its weights as they will be coded, multiples of the step,
    and gradients go past the rounding.
    """

    def __init__(self, inputs: int, outputs: int, size: int = 3) -> None:
        super().__init__()
        self.kernel_shape = (outputs, inputs, size, size)
        self.weight = nn.Parameter(torch.empty(outputs, inputs * size * size))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("step", torch.zeros(()))
        nn.init.kaiming_normal_(self.weight, a=NEGATIVE_SLOPE)

    def deployed_weight(self) -> Tensor:
        if not self.step:
            return self.weight
        rounded = (self.weight / self.step).round() * self.step
        return self.weight + (rounded - self.weight).detach()

    def forward(self, features: Tensor) -> Tensor:
        kernel = (
            self.deployed_weight()
            .view(self.kernel_shape)
            .contiguous(memory_format=torch.channels_last)
        )
        return F.conv2d(features, kernel, self.bias, padding=self.kernel_shape[-1] // 2)


class ResidualBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv0 = Conv(CHANNELS, CHANNELS)
        self.conv1 = Conv(CHANNELS, CHANNELS)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.conv1(activate(self.conv0(features)))


class PostFilterNetwork(nn.Module):
    """196,358 weights; input (N, 7, H, W): luma's phases, Cb, Cr and QP; output (N, 6, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.head = Conv(SAMPLE_CHANNELS + 1, CHANNELS)
        self.block0 = ResidualBlock()
        self.block1 = ResidualBlock()
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
