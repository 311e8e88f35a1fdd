"""The content loss of work C, as it was and as it can work; MSE, L1 and Smooth-L1 are torch's own."""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits


class BCEContent(nn.Module):
    """Binary cross-entropy with logits between voxels: work C's content loss, kept to show what it does.

    restored: logits, (n, c, h, w); the image is their sigmoid. truth: the same shape, cut to 0..1: above 1 the
    loss would have no minimum. A poor idea for bright voxels: a truth of 1 asks for an infinite logit, so that the
    weights grow for as long as the training lasts, and what is brighter than the range is clipped. After work C's
    tanh the logits end at -1 and 1, so that the image can only hold .27 to .73.
    """

    def forward(self, restored: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        return binary_cross_entropy_with_logits(restored.float(), truth.float().clamp(0, 1))


class BCEImage(nn.Module):
    """Binary cross-entropy of an image itself: the image, cut to `margin`..1 - margin, is the probability.

    The same as BCE with the logit of the cut image. (n, c, h, w) each; what is cut has no gradient, so that voxels
    brighter than the range need another loss beside this one.
    """

    def __init__(self, margin: float = 0.01) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, restored: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        chances = restored.float().clamp(self.margin, 1 - self.margin)
        return binary_cross_entropy_with_logits(torch.logit(chances), truth.float().clamp(0, 1))
