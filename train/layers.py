"""What the networks that are trained here are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Not zero: with plain ReLU a few large first steps can leave a layer dead for good.
NEGATIVE_SLOPE = 0.1


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
        rounded = (self.weight.detach() / self.step).round() * self.step
        # Adds exactly nothing, and has the gradient.
        return rounded + (self.weight - self.weight.detach())

    def forward(self, features: Tensor) -> Tensor:
        kernel = (
            self.deployed_weight()
            .view(self.kernel_shape)
            .contiguous(memory_format=torch.channels_last)
        )
        return F.conv2d(features, kernel, self.bias, padding=self.kernel_shape[-1] // 2)


class ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv0 = Conv(channels, channels)
        self.conv1 = Conv(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.conv1(activate(self.conv0(features)))
