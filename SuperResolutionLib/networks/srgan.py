"""The discriminator of SRGAN (Ledig et al. 2017); works A and B. Its generator is SRResNet."""

import torch
from torch import nn

from SuperResolutionLib.networks.blocks import DenseHead


def convolutions(channels: int, features: int, dropout: float = 0.0) -> nn.Sequential:
    """Eight 3x3 convolutions of `features` to 8 x `features`, every other one of stride 2 (Ledig 2017, figure 4).

    Each has batch normalisation, but the first, and a leaky ReLU. dropout: the share of the feature maps that is
    dropped after each stride of 2.
    """
    layers: list[nn.Module] = []
    inputs = channels
    for k in range(8):
        outputs, stride = features * 2 ** (k // 2), 1 + k % 2
        layers.append(nn.Conv2d(inputs, outputs, 3, stride, padding=1))
        layers += [nn.BatchNorm2d(outputs)] if k else []
        layers.append(nn.LeakyReLU(0.2))
        layers += [nn.Dropout2d(dropout)] if dropout and stride == 2 else []
        inputs = outputs
    return nn.Sequential(*layers)


class SRGANDiscriminator(nn.Module):
    """Eight convolutions and two dense layers: (n, channels, h, w) -> (n, 1) logits, of any h and w.

    With one channel 23,564,353 parameters, with three 23,565,505. Departures: no sigmoid at the end, the losses have
    it (BCE with logits is exact where a sigmoid saturates); the last features are pooled to size x size, so that
    every patch size fits. With patches of 96 x 96 and size 6 nothing is pooled, and it is the paper's.
    """

    def __init__(self, channels: int = 1, features: int = 64, size: int = 6) -> None:
        super().__init__()
        self.body = convolutions(channels, features)
        self.head = DenseHead(8 * features, size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(self.body(x))
        return result
