"""CPCE: the conveying-path convolutional encoder-decoder and its critic (Shan et al. 2018); work D's GAN-CPCE."""

import torch
from torch import nn

from SuperResolutionLib.networks.blocks import DenseHead, middle_slice


class CPCEGenerator(nn.Module):
    """Four 3x3 convolutions, four 3x3 deconvolutions; three paths convey early features to later layers.

    (n, channels, h, w) -> (n, 1, h, w), the matrix stays; h and w are at least 9, for no layer pads: what the
    convolutions take off the edges the deconvolutions put back. A conveyed feature map and the deconvolved one of the
    same size are concatenated, and a 1x1 convolution brings them back to `features`. No biases: 62,016 parameters
    with one channel, 62,592 with three.
    rectify: end with a ReLU, as the paper does. It is off: it has no gradient wherever the output is zero, and it
    takes the negative voxels that a filtered scan has. shortcut: add the middle slice to the output (a variant in
    the authors' code, not in the paper).
    """

    interpolation = "windowed_sinc"

    def __init__(self, channels: int = 1, features: int = 32, rectify: bool = False, shortcut: bool = False) -> None:
        super().__init__()
        self.rectify = rectify
        self.shortcut = shortcut
        self.encoder = nn.ModuleList(
            nn.Conv2d(inputs, features, 3, bias=False) for inputs in (channels, features, features, features)
        )
        self.decoder = nn.ModuleList(nn.ConvTranspose2d(features, features, 3, bias=False) for _ in range(3))
        self.merge = nn.ModuleList(nn.Conv2d(2 * features, features, 1, bias=False) for _ in range(3))
        self.tail = nn.ConvTranspose2d(features, 1, 3, bias=False)
        for weight in self.parameters():
            nn.init.xavier_uniform_(weight)

    @property
    def radius(self) -> int:
        """How far an output voxel can see, in voxels of the fine grid: one for each 3x3 layer."""
        return len(self.encoder) + len(self.decoder) + 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features, early = x, []
        for encode in self.encoder:
            features = torch.relu(encode(features))
            early.append(features)
        conveyed = early[-2::-1]  # the third, the second, the first
        for decode, merge, path in zip(self.decoder, self.merge, conveyed, strict=True):
            features = torch.cat([path, torch.relu(decode(features))], 1)
            features = torch.relu(merge(features))
        result: torch.Tensor = self.tail(features)
        result = result + middle_slice(x) if self.shortcut else result
        return torch.relu(result) if self.rectify else result


class CPCEDiscriminator(nn.Module):
    """Six 3x3 convolutions, every other one of stride 2, and two dense layers; no normalisation, for WGAN-GP.

    (n, channels, h, w) -> (n, 1), the critic's unbounded score, of any h and w. With one channel 17,923,521
    parameters. Departure: the last features are pooled to size x size, so that every patch size fits; with the
    paper's patches of 64 x 64 and size 8 nothing is pooled.
    """

    def __init__(self, channels: int = 1, features: int = 64, size: int = 8) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels
        for k in range(6):
            outputs, stride = features * 2 ** (k // 2), 1 + k % 2
            layers += [nn.Conv2d(inputs, outputs, 3, stride, padding=1), nn.LeakyReLU(0.2)]
            inputs = outputs
        self.body = nn.Sequential(*layers)
        self.head = DenseHead(4 * features, size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(self.body(x))
        return result
