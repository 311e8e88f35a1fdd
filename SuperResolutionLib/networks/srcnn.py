"""SRCNN: the first convolutional network for super-resolution (Dong et al. 2015, TPAMI); named by work A."""

from collections.abc import Sequence

import torch
from torch import nn

from SuperResolutionLib.errors import InputError


class SRCNN(nn.Module):
    """Patch extraction, non-linear mapping, reconstruction: three convolutions on an interpolated slice.

    (n, channels, h, w) -> (n, 1, h, w), the matrix stays. With one channel it has 8,129 parameters as 9-1-5, 24,513
    as 9-3-5 and 57,281 as 9-5-5; without biases, as the paper counts, 8,032, 24,416 and 57,184.
    Departures: convolutions pad with zeros while training too; weights start as is usual today, for the paper's
    standard deviation of 0.001 needs its 8 x 10^8 steps. Raises InputError for other than three odd kernels.
    """

    interpolation = "bicubic"

    def __init__(
        self, channels: int = 1, features: Sequence[int] = (64, 32), kernels: Sequence[int] = (9, 1, 5)
    ) -> None:
        super().__init__()
        if len(features) != 2 or len(kernels) != 3 or any(kernel % 2 == 0 for kernel in kernels):
            raise InputError(f"two widths and three odd kernels are needed, not {[*features]} and {[*kernels]}")
        first, second, third = kernels
        self.head = nn.Conv2d(channels, features[0], first, padding=first // 2)
        self.mapping = nn.Conv2d(features[0], features[1], second, padding=second // 2)
        self.tail = nn.Conv2d(features[1], 1, third, padding=third // 2)

    @property
    def radius(self) -> int:
        """How far an output voxel can see, in voxels of the fine grid."""
        return sum(int(layer.kernel_size[0]) // 2 for layer in (self.head, self.mapping, self.tail))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.tail(torch.relu(self.mapping(torch.relu(self.head(x)))))
        return result
