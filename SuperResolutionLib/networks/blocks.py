"""Pieces that several networks share."""

from collections.abc import Callable

import torch
from torch import nn

from SuperResolutionLib.errors import InputError

AT_ONCE = 2**21  # numbers of a layer: more gains no time


def conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size (zero padding)."""
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)


class Upscale(nn.Sequential):
    """Sub-pixel upscaling (Shi 2016): for each factor of 2 a 3x3 convolution to 4 x features and a PixelShuffle.

    activation: makes the layer after each shuffle (SRResNet has one, EDSR has none). Raises InputError for a scale
    that is not a power of 2.
    """

    def __init__(self, features: int, scale: int, activation: Callable[[], nn.Module] | None = None) -> None:
        if scale < 1 or scale & (scale - 1):
            raise InputError(f"a scale of {scale} is not a power of 2")
        layers: list[nn.Module] = []
        for _ in range(scale.bit_length() - 1):
            layers += [conv3x3(features, 4 * features), nn.PixelShuffle(2)]
            layers += [activation()] if activation else []
        super().__init__(*layers)

    def radius(self, tail: int) -> int:
        """How far, in coarse voxels, an output voxel sees through this and a last convolution of radius `tail`."""
        reach = tail
        for layer in self:
            if isinstance(layer, nn.PixelShuffle):  # half as far on the coarser grid, then the 3x3 convolution
                reach = (reach + 1) // 2 + 1
        return reach


def by_rows(layers: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, reach: int, scale: int) -> torch.Tensor:
    """layers(x), where nothing is learnt in strips of rows: large slices take less memory so, and stay in the cache.

    layers: of one slice. x: (n, features, h, w). reach: how far, in coarse voxels, the layers see along the rows.
    scale: how much finer their result is, (n, outputs, scale h, scale w).
    """
    n, features, h, w = x.shape
    rows = max(4 * reach, AT_ONCE // (n * features * w * scale**2))
    if torch.is_grad_enabled() or rows >= h:
        return layers(x)
    result: torch.Tensor | None = None
    for top in range(0, h, rows):
        first, bottom = max(0, top - reach), min(h, top + rows)
        strip = layers(x[:, :, first : bottom + reach])
        if result is None:
            whole = (*strip.shape[:2], scale * h, strip.shape[3])
            result = torch.empty(whole, dtype=strip.dtype, device=strip.device, memory_format=_layout(x))
        result[:, :, scale * top : scale * bottom] = strip[:, :, (top - first) * scale : (bottom - first) * scale]
    assert result is not None
    return result


def _layout(x: torch.Tensor) -> torch.memory_format:
    last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    return torch.channels_last if last else torch.contiguous_format


class DenseHead(nn.Sequential):
    """The end of a discriminator: features pooled to size x size, a dense layer of 1024, leaky ReLU, one score.

    (n, features, h, w) -> (n, 1). Where h = w = size, the pooling does nothing.
    """

    def __init__(self, features: int, size: int) -> None:
        super().__init__(
            nn.AdaptiveAvgPool2d(size),
            nn.Flatten(),
            nn.Linear(features * size**2, 1024),
            nn.LeakyReLU(0.2),
            nn.Linear(1024, 1),
        )


def middle_slice(x: torch.Tensor, beside: int = 0) -> torch.Tensor:
    """The slice being restored, out of the neighbours given as channels: (n, c, h, w) -> (n, 1, h, w).

    beside: how many of the channels, the last ones, show no slice.
    """
    middle = (x.shape[1] - beside) // 2
    return x[:, middle : middle + 1]
