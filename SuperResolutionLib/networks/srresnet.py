"""SRResNet: the generator of SRGAN (Ledig et al. 2017); works A and B."""

from collections.abc import Callable

import torch
from torch import nn

from SuperResolutionLib.networks.blocks import Upscale, by_rows, conv3x3


class ResidualBlock(nn.Module):
    """conv, batch norm, activation, conv, batch norm, sum (Ledig 2017, figure 4)."""

    def __init__(self, features: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            conv3x3(features, features),
            nn.BatchNorm2d(features),
            activation(),
            conv3x3(features, features),
            nn.BatchNorm2d(features),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        residual: torch.Tensor = self.layers(x)
        return x + residual


class SRResNet(nn.Module):
    """9x9 head, residual blocks with a long skip, sub-pixel upscaling with PReLU, 9x9 tail.

    (n, channels, h, w) -> (n, outputs, scale x h, scale x w). With 16 blocks of 64 features and 3 channels in
    and out: 1,401,749 parameters at x2, 1,549,462 at x4; with one channel in and out: 1,381,011 and 1,528,724.
    activation: makes the layer after the head, in each block and after each upscaling.
    """

    def __init__(
        self,
        scale: int = 4,
        channels: int = 1,
        outputs: int = 1,
        features: int = 64,
        blocks: int = 16,
        activation: Callable[[], nn.Module] = nn.PReLU,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.head = nn.Sequential(nn.Conv2d(channels, features, 9, padding=4), activation())
        self.body = nn.Sequential(
            *(ResidualBlock(features, activation) for _ in range(blocks)),
            conv3x3(features, features),
            nn.BatchNorm2d(features),
        )
        self.upscale = Upscale(features, scale, activation)
        self.tail = nn.Conv2d(features, outputs, 9, padding=4)

    @property
    def radius(self) -> int:
        """How far, in input voxels, an output voxel can see: 4 through the head, 1 for each 3x3 convolution."""
        return 4 + 2 * (len(self.body) - 2) + 1 + self.upscale.radius(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.head(x)
        return by_rows(lambda fine: self.tail(self.upscale(fine)), x + self.body(x), self.upscale.radius(4), self.scale)
