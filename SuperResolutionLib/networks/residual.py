"""Interpolation plus residual: a network that predicts only what bicubic interpolation misses."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import interpolate
from torch.nn.utils.parametrize import is_parametrized

from SuperResolutionLib.networks.blocks import middle_slice


class Residual(nn.Module):
    """bicubic(middle slice) + network(all channels); with the network's last layer at zero it is exactly bicubic.

    The interpolation (a = -0.75, edge voxels repeated) and the sum are done in float32 whatever the precision
    of the network, so that a low precision can only touch the residual.
    """

    def __init__(self, network: nn.Module, scale: int, beside: int = 0) -> None:
        super().__init__()
        self.network = network
        self.scale = scale
        self.beside = beside

    @property
    def radius(self) -> int:
        """How far, in input voxels, an output voxel can see."""
        return max(2, int(self.network.radius))  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        residual: torch.Tensor = self.network(x)
        return smooth(x, self.scale, self.beside) + residual.float()


def smooth(x: torch.Tensor, scale: int, beside: int = 0) -> torch.Tensor:
    """The middle of the slices by bicubic interpolation, float32: (n, c, h, w) -> (n, 1, scale h, scale w)."""
    return interpolate(middle_slice(x, beside).float(), scale_factor=scale, mode="bicubic", align_corners=False)


def adds_to_baseline(network: nn.Module) -> bool:
    """Whether a built network adds to interpolation: by the wrapper here, or by a shortcut of its own."""
    return isinstance(network, Residual) or bool(getattr(getattr(network, "network", None), "shortcut", False))


def start_at_zero(network: nn.Module) -> None:
    """Set the last convolution (all of them, where the output is a sum) to zero: training starts at the baseline."""
    tail: Any = network.tail
    for layer in tail if isinstance(tail, tuple) else (tail,):
        # Of a weight-normalised layer the magnitude is set to zero; a direction of zero would have no gradient.
        weight = layer.parametrizations.weight.original0 if is_parametrized(layer, "weight") else layer.weight
        nn.init.zeros_(weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
