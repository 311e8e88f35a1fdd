"""Features learnt from MRI: what our own super-resolution model sees in an image."""

import torch
from torch import nn

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.networks.edsr import EDSR
from SuperResolutionLib.networks.residual import Residual


class MRIFeatures(nn.Module):
    """The residual body of an installed EDSR, frozen: (n, 1, h, w) with a range of 1 -> (n, features, h, w).

    Works A and B suspect that VGG's features, learnt from photographs, made their GANs unstable. These were learnt
    from MRI, and for one purpose: to tell which detail belongs to which coarse pattern. They keep the size of
    the image: nothing is pooled, and a voxel of detail is not lost. The image takes the place of every
    neighbouring slice. model: a name or a path, as the zoo takes them. blocks: how many residual blocks to pass;
    None is all of them, and the convolution after them.
    """

    def __init__(self, model: str = "mri-x2", blocks: int | None = None) -> None:
        super().__init__()
        loaded = zoo.load(model)
        network = loaded.network.network if isinstance(loaded.network, Residual) else loaded.network
        if not isinstance(network, EDSR):
            raise InputError(f"The model '{model}' is not an EDSR, and only its body gives features; name another.")
        most = len(network.body) - 1
        if blocks is not None and not 1 <= blocks <= most:
            raise InputError(f"The model '{model}' has {most} blocks, not {blocks}; give a number from 1 to {most}.")
        self.slices = loaded.card.slices
        self.head = network.head
        self.body = network.body[:blocks]
        self.eval().requires_grad_(False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.body(self.head(image.expand(-1, self.slices, -1, -1)))
        return features
