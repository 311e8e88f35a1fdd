"""GAN-CIRCLE: its two generators, which share one architecture, and their critics (You et al. 2018); work D."""

from collections.abc import Sequence

import torch
from torch import nn

from SuperResolutionLib.networks.blocks import DenseHead, conv3x3, middle_slice

FILTERS = (64, 54, 48, 43, 39, 35, 31, 28, 25, 22, 18, 16)  # You 2018, table I: the feature extraction network
SLOPE = 0.1


def block(inputs: int, outputs: int, kernel: int, dropout: float) -> nn.Sequential:
    """Convolution with bias, leaky ReLU, dropout.

    inputs, outputs: features. kernel: voxels along its side. dropout: the share of features that is left out.
    """
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.LeakyReLU(SLOPE), nn.Dropout(dropout)
    )


class CircleGenerator(nn.Module):
    """G (coarse to fine) or F (fine to coarse): feature extraction, then reconstruction; both on one matrix.

    (n, channels, h, w) -> (n, 1, h, w). Twelve blocks of 64 down to 16 filters; the outputs of all go, concatenated,
    through two parallel branches (A: 1x1 to 24; B: 1x1 to 8, 3x3 to 8) whose union three 3x3 convolutions (32, 16, 1)
    turn into the residual; these widths are table I of You 2018 as recalled. shortcut: add the middle slice to the
    residual, as the paper does. With one channel 164,536 parameters, with three 165,688.
    Departures: on work D's one matrix nothing is interpolated inside, and the paper's transposed convolution of
    stride 2 is a convolution of stride 1. dropout: neither paper says how much; 0.2 is that of DCSCN (Yamanaka 2017),
    from which the network stems. It costs fidelity: a recipe may lower it.
    """

    interpolation = "windowed_sinc"

    def __init__(
        self, channels: int = 1, filters: Sequence[int] = FILTERS, dropout: float = 0.2, shortcut: bool = True
    ) -> None:
        super().__init__()
        self.shortcut = shortcut
        inputs = (channels, *filters[:-1])
        self.features = nn.ModuleList(block(i, o, 3, dropout) for i, o in zip(inputs, filters, strict=True))
        total = sum(filters)
        self.branch_a = block(total, 24, 1, dropout)
        self.branch_b = nn.Sequential(block(total, 8, 1, dropout), block(8, 8, 3, dropout))
        self.reconstruction = nn.Sequential(conv3x3(32, 32), nn.LeakyReLU(SLOPE), conv3x3(32, 16), nn.LeakyReLU(SLOPE))
        self.tail = nn.Conv2d(16, 1, 3, padding=1, bias=False)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, SLOPE)  # You's code: He's initialisation

    @property
    def radius(self) -> int:
        """How far an output voxel can see, in voxels of the fine grid: the blocks, branch B, 3 convolutions."""
        return len(self.features) + 1 + 3

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features, outputs = x, []
        for layer in self.features:
            features = layer(features)
            outputs.append(features)
        together = torch.cat(outputs, 1)
        merged = torch.cat([self.branch_a(together), self.branch_b(together)], 1)
        residual: torch.Tensor = self.tail(self.reconstruction(merged))
        return residual + middle_slice(x) if self.shortcut else residual


class CircleDiscriminator(nn.Module):
    """Four stages of 4x4 convolution, instance normalisation and leaky ReLU, and two dense layers; for WGAN-GP.

    (n, channels, h, w) -> (n, 1), the critic's unbounded score, of any h and w from 32. With one channel 11,147,073
    parameters. 64 to 512 filters and stride 2 in every stage are ours, after the authors' code. Departure: the last
    features are pooled to size x size, so that every patch size fits; with patches of 64 x 64 and size 4 nothing is.
    normalise: the paper's instance normalisation. It divides a patch of air by next to nothing, so that its slope is in
    the thousands and the gradient penalty with it: a recipe may leave it out.
    """

    def __init__(self, channels: int = 1, features: int = 64, size: int = 4, normalise: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels
        for k in range(4):
            outputs = features * 2**k
            layers.append(nn.Conv2d(inputs, outputs, 4, 2, padding=1))
            layers += [nn.InstanceNorm2d(outputs, affine=True)] if normalise else []
            layers.append(nn.LeakyReLU(0.2))
            inputs = outputs
        self.body = nn.Sequential(*layers)
        self.head = DenseHead(8 * features, size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(self.body(x))
        return result
