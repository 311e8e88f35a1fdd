"""The distance of two images as a trained network sees them."""

from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import mse_loss

from SuperResolutionLib.training.losses.mri_features import MRIFeatures
from SuperResolutionLib.training.losses.vgg19 import VGG19Features


class PerceptualLoss(nn.Module):
    """Mean square distance of the features of the restored image from those of the truth.

    features: any frozen network of one image (n, c, h, w). The gradient reaches the restored image alone
    (Johnson 2016, eq. 2; Ledig 2017, eq. 5, which sums over features where this takes the mean).
    """

    def __init__(self, features: nn.Module) -> None:
        super().__init__()
        self.features = features

    def forward(self, restored: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            wanted = self.features(truth)
        return mse_loss(self.features(restored).float(), wanted.float())


def mri_perceptual(model: str = "mri-x2", blocks: int | None = None) -> PerceptualLoss:
    """The perceptual loss by features of MRI: the default. Arguments: those of MRIFeatures."""
    return PerceptualLoss(MRIFeatures(model, blocks))


def vgg19_perceptual(weights: str | Path, layer: str = "conv5_4") -> PerceptualLoss:
    """The perceptual loss by features of photographs: works A, B and D. Arguments: those of VGG19Features."""
    return PerceptualLoss(VGG19Features(weights, layer))
