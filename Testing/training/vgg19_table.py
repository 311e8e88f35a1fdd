"""What torchvision's VGG-19 is made of, written out: the tensors of its features, and how to make some up."""

from pathlib import Path

import torch
from safetensors.torch import save_file

# index in torchvision's `features`, channels in, channels out
CONVOLUTIONS = (
    (0, 3, 64),
    (2, 64, 64),
    (5, 64, 128),
    (7, 128, 128),
    (10, 128, 256),
    (12, 256, 256),
    (14, 256, 256),
    (16, 256, 256),
    (19, 256, 512),
    (21, 512, 512),
    (23, 512, 512),
    (25, 512, 512),
    (28, 512, 512),
    (30, 512, 512),
    (32, 512, 512),
    (34, 512, 512),
)


def shapes(convolutions: int = 16) -> dict[str, tuple[int, ...]]:
    """The name and shape of every tensor of the first convolutions."""
    table: dict[str, tuple[int, ...]] = {}
    for index, inputs, outputs in CONVOLUTIONS[:convolutions]:
        table[f"features.{index}.weight"] = (outputs, inputs, 3, 3)
        table[f"features.{index}.bias"] = (outputs,)
    return table


def made_up(convolutions: int) -> dict[str, torch.Tensor]:
    """Random tensors for the first convolutions, and one of the classifier's."""
    rng = torch.Generator().manual_seed(0)
    weights = {n: 0.1 * torch.randn(s, generator=rng) for n, s in shapes(convolutions).items()}
    return {**weights, "classifier.6.bias": torch.zeros(1000)}


def store(weights: dict[str, torch.Tensor], folder: Path) -> Path:
    path = folder / "vgg19.safetensors"
    save_file(weights, path)
    return path
