"""EDSR: enhanced deep residual networks (Lim et al. 2017), without batch normalisation."""

from collections.abc import Mapping

import torch
from torch import nn

from SuperResolutionLib.networks.blocks import Upscale, by_rows, conv3x3


class ResidualBlock(nn.Module):
    """x + res_scale * conv(relu(conv(x))) (Lim 2017, figure 2c)."""

    def __init__(self, features: int, res_scale: float) -> None:
        super().__init__()
        self.conv1 = conv3x3(features, features)
        self.conv2 = conv3x3(features, features)
        self.res_scale = res_scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return by_rows(self._added, x, 2, 1)

    def _added(self, x: torch.Tensor) -> torch.Tensor:
        residual: torch.Tensor = self.conv2(torch.relu_(self.conv1(x)))
        if self.res_scale != 1:
            residual = residual * self.res_scale
        return residual.add_(x)


class EDSR(nn.Module):
    """Head, residual blocks with a long skip, sub-pixel upscaling, tail.

    (n, channels, h, w) -> (n, outputs, scale x h, scale x w). The baseline (16 blocks of 64 features) has
    1,369,859 parameters at x2 and 1,517,571 at x4 with 3 channels in and out, 1,367,553 and 1,515,265 with
    one; the full network (32 blocks of 256 features, res_scale 0.1) has 40,729,603 at x2 with 3 channels.
    """

    def __init__(
        self,
        scale: int = 2,
        channels: int = 1,
        outputs: int = 1,
        features: int = 64,
        blocks: int = 16,
        res_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.head = conv3x3(channels, features)
        self.body = nn.Sequential(
            *(ResidualBlock(features, res_scale) for _ in range(blocks)), conv3x3(features, features)
        )
        self.upscale = Upscale(features, scale)
        self.tail = conv3x3(features, outputs)

    @property
    def radius(self) -> int:
        """How far, in input voxels, an output voxel can see: one for each convolution passed."""
        return 1 + 2 * (len(self.body) - 1) + 1 + self.upscale.radius(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.head(x)
        return by_rows(lambda fine: self.tail(self.upscale(fine)), x + self.body(x), self.upscale.radius(1), self.scale)

    def deepened(self, given: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Weights of a shallower EDSR for this one: the blocks it lacks come last and add nothing yet."""
        last, own = len(self.body) - 1, self.state_dict()
        fewer = next((n for n in range(last) if f"body.{n}.weight" in given), last)
        moved = {k.replace(f"body.{fewer}.", f"body.{last}."): v for k, v in given.items()}
        silent = {f"body.{n}.conv2.{part}" for n in range(fewer, last) for part in ("weight", "bias")}
        return moved | {name: torch.zeros_like(own[name]) for name in silent}
