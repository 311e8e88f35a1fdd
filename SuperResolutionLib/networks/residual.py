"""Interpolation plus residual: a network that predicts only what bicubic interpolation misses."""

import torch
from torch import nn
from torch.nn.functional import interpolate

from SuperResolutionLib.networks.blocks import middle_slice


class Residual(nn.Module):
    """bicubic(middle slice) + network(slices); with the network's last layer at zero it is exactly bicubic.

    The interpolation (a = -0.75, edge voxels repeated) and the sum are done in float32 whatever the precision
    of the network, so that a low precision can only touch the residual.
    """

    def __init__(self, network: nn.Module, scale: int) -> None:
        super().__init__()
        self.network = network
        self.scale = scale

    @property
    def radius(self) -> int:
        """How far, in input voxels, an output voxel can see."""
        return max(2, int(self.network.radius))  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        residual: torch.Tensor = self.network(x)
        return smooth(x, self.scale) + residual.float()


def smooth(x: torch.Tensor, scale: int) -> torch.Tensor:
    """The middle of the slices by bicubic interpolation, float32: (n, c, h, w) -> (n, 1, scale h, scale w)."""
    return interpolate(middle_slice(x).float(), scale_factor=scale, mode="bicubic", align_corners=False)


def start_at_zero(network: nn.Module) -> None:
    """Set the last convolution to zero, so that training starts at the interpolation."""
    tail = network.tail
    assert isinstance(tail, nn.Conv2d) and tail.bias is not None
    nn.init.zeros_(tail.weight)
    nn.init.zeros_(tail.bias)
