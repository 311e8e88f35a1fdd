"""What a supervised training goes over to after the absolute error, by the name that a recipe gives it."""

import torch
from torch.nn.functional import mse_loss

FLOOR = 1e-4  # mean square error (40 dB) below which a patch hardly gains by falling further


def squared(restored: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
    """Mean square error; the factor gives gradients of the size the absolute error had, for the clipping."""
    return 10 * mse_loss(restored, fine)


def decibels(restored: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
    """The logarithm of each patch's mean square error, averaged: the mean PSNR, up to sign and factor.

    Without the logarithm a batch learns mostly from its worst patches, the noisy and the blurred ones.
    """
    errors = (restored - fine).square().mean(dim=(1, 2, 3))
    return 0.01 * torch.log1p(errors / FLOOR).mean()


SECOND_LOSSES = {"mse": squared, "psnr": decibels}
