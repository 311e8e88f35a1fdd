"""Pieces that several networks share."""

import torch
from torch import nn


def conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size (zero padding)."""
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)


class Upscale(nn.Sequential):
    """Sub-pixel upscaling (Shi 2016): for each factor of 2 a 3x3 convolution to 4 x features and a PixelShuffle.

    activation: a layer after each shuffle (SRResNet has one, EDSR has none).
    """

    def __init__(self, features: int, scale: int, activation: bool = False) -> None:
        layers: list[nn.Module] = []
        for _ in range(scale.bit_length() - 1):
            layers += [conv3x3(features, 4 * features), nn.PixelShuffle(2)]
            layers += [nn.PReLU()] if activation else []
        super().__init__(*layers)


def middle_slice(x: torch.Tensor) -> torch.Tensor:
    """The slice being restored, out of the neighbours given as channels: (n, c, h, w) -> (n, 1, h, w)."""
    middle = x.shape[1] // 2
    return x[:, middle : middle + 1]
