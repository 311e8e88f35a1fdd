"""Work C's variant of SRGAN for paediatric MRI: leaky ReLU in both networks, dropout in the discriminator.

Work C prints no layer counts; where it is silent this is SRGAN (Ledig et al. 2017).
"""

import torch
from torch import nn

from SuperResolutionLib.networks.blocks import DenseHead
from SuperResolutionLib.networks.srgan import convolutions
from SuperResolutionLib.networks.srresnet import SRResNet


def leaky_relu() -> nn.Module:
    """Work C's activation; the slope is SRGAN's."""
    return nn.LeakyReLU(0.2)


class PaediatricGenerator(SRResNet):
    """SRResNet with leaky ReLU: (n, channels, h, w) -> (n, outputs, scale x h, scale x w).

    With 16 blocks of 64 features and one channel in and out 1,380,993 parameters at x2, 1,528,705 at x4.
    tanh: end with a hyperbolic tangent, as work C did. It is off: an output in -1..1 that goes through BCE with
    logits can only say probabilities of .27 to .73, and it clips every voxel brighter than 1.
    """

    def __init__(
        self,
        scale: int = 2,
        channels: int = 1,
        outputs: int = 1,
        features: int = 64,
        blocks: int = 16,
        tanh: bool = False,
    ) -> None:
        super().__init__(scale, channels, outputs, features, blocks, activation=leaky_relu)
        self.tanh = tanh

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result = super().forward(x)
        return torch.tanh(result) if self.tanh else result


class PaediatricDiscriminator(nn.Module):
    """SRGAN's discriminator with dropout: (n, channels, h, w) -> (n, 1) logits, of any h and w.

    With one channel 23,564,353 parameters. dropout: the share of the feature maps dropped after each stride of 2;
    work C says neither how much nor where. Departures: no sigmoid at the end and pooled features, as in
    SRGANDiscriminator; a loss on probabilities, work C's Smooth-L1, takes the sigmoid itself.
    """

    def __init__(self, channels: int = 1, features: int = 64, size: int = 6, dropout: float = 0.25) -> None:
        super().__init__()
        self.body = convolutions(channels, features, dropout)
        self.head = DenseHead(8 * features, size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(self.body(x))
        return result
