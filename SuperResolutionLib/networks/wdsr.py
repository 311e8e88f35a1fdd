"""WDSR: wide activation before each ReLU, weight normalisation (Yu et al. 2018); work E."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations


class ResidualBlock(nn.Module):
    """x + layers(x) (Yu 2018, figure 2)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        residual: torch.Tensor = self.layers(x)
        return x + residual


def block_a(features: int, expand: int) -> ResidualBlock:
    """WDSR-A: a 3x3 convolution to `expand` times the features, ReLU, a 3x3 convolution back."""
    wide = expand * features
    return ResidualBlock(convolution(features, wide, 3), nn.ReLU(), convolution(wide, features, 3))


def block_b(features: int, expand: int) -> ResidualBlock:
    """WDSR-B: 1x1 to `expand` times the features, ReLU, 1x1 to 0.8 times the features, 3x3 back."""
    wide, narrow = expand * features, int(0.8 * features)
    return ResidualBlock(
        convolution(features, wide, 1), nn.ReLU(), convolution(wide, narrow, 1), convolution(narrow, features, 3)
    )


class WDSR(nn.Module):
    """Head, wide residual blocks, convolution and sub-pixel upscaling, plus a 5x5 skip straight from the input.

    (n, channels, h, w) -> (n, outputs, scale x h, scale x w). Work E's (x4, type A, 32 blocks 32-192-32, 3 channels
    in and out) has 3,557,232 weights, 3,564,528 parameters with biases and 3,571,824 with the magnitudes of weight
    normalisation; with one channel in and out 3,558,704. The paper's baseline (x2, type A, 16 blocks, expand 4,
    3 channels) has 1,190,100.
    Departure: no mean colour is subtracted; our intensities have a factor and no offset.
    """

    block = staticmethod(block_a)

    def __init__(
        self,
        scale: int = 4,
        channels: int = 1,
        outputs: int = 1,
        features: int = 32,
        blocks: int = 32,
        expand: int = 6,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.head = convolution(channels, features, 3)
        self.body = nn.Sequential(*(self.block(features, expand) for _ in range(blocks)))
        self.last = convolution(features, outputs * scale**2, 3)
        self.skip = convolution(channels, outputs * scale**2, 5)
        self.shuffle = nn.PixelShuffle(scale)

    @property
    def tail(self) -> tuple[nn.Module, nn.Module]:
        """The two convolutions whose sum is the output."""
        return self.last, self.skip

    @property
    def radius(self) -> int:
        """How far, in input voxels, an output voxel can see: at least the 2 of the 5x5 skip."""
        kernels = [layer.kernel_size[0] for layer in self.body.modules() if isinstance(layer, nn.Conv2d)]
        return 2 + sum(kernel // 2 for kernel in kernels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.shuffle(self.last(self.body(self.head(x))) + self.skip(x))
        return result


class WDSRB(WDSR):
    """WDSR of type B, narrower between its wide activations: 615,088 weights where type A has 3,557,232."""

    block = staticmethod(block_b)


def convolution(inputs: int, outputs: int, kernel: int) -> nn.Module:
    """A convolution that keeps the size, weight-normalised (Salimans 2016): direction and magnitude apart."""
    return weight_norm(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2))


def fold_weight_norm(network: nn.Module) -> nn.Module:
    """Put plain weights, magnitude x direction, into every weight-normalised layer; the outputs stay. In place."""
    for layer in list(network.modules()):
        if is_parametrized(layer, "weight"):
            remove_parametrizations(layer, "weight")
    return network
