"""Total variation, and the joint sparsifying transform of work D that is made of it."""

import torch
from torch import nn

from SuperResolutionLib.errors import InputError


def total_variation(image: torch.Tensor) -> torch.Tensor:
    """Anisotropic total variation: mean |difference of neighbours| along rows plus that along columns.

    image: (..., h, w), both at least 2; the result is in its unit, per voxel (Rudin 1992 as a mean, not a sum, so
    that its weight does not depend on the size of a patch).
    """
    image = image.float()
    return image.diff(dim=-1).abs().mean() + image.diff(dim=-2).abs().mean()


class TotalVariation(nn.Module):
    """Total variation of the restored image; the truth is not looked at."""

    def forward(self, restored: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        return total_variation(restored)


class JointSparsifyingTransform(nn.Module):
    """tau TV(G(x)) + (1 - tau) TV(y - G(x)): sparse edges, and sparse errors (You 2018, GAN-CIRCLE; work D).

    tau: between 0 and 1, and below 1/2. As TV(G(x)) + TV(y - G(x)) is at least TV(y), the loss is at least
    tau TV(y) + (1 - 2 tau) TV(y - G(x)): below 1/2 the truth has the least loss, at 1/2 an empty image is as good
    as the truth, above it is better. The paper gives no value; ours lies half way. Only for pairs: y must be
    the truth of G(x); unpaired, use the total variation.
    """

    def __init__(self, tau: float = 0.25) -> None:
        super().__init__()
        if not 0 <= tau <= 1:
            raise InputError(f"The joint sparsifying transform has tau = {tau}; give a number from 0 to 1.")
        self.tau = tau

    def forward(self, restored: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        error = truth.float() - restored.float()
        return self.tau * total_variation(restored) + (1 - self.tau) * total_variation(error)
