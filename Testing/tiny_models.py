"""Models small enough to be made on the spot: a few thousand weights, drawn at random."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from SuperResolutionLib.methods import zoo
from SuperResolutionLib.networks import build, build_through_plane, parameters


def card(
    scale: int = 2,
    slices: int = 3,
    blocks: int = 1,
    skip: str | None = "bicubic",
    guides: tuple[str, ...] = (),
    told_noise: bool = False,
    **changes: Any,
) -> zoo.Card:
    """The card of an EDSR of 16 features, with some fields changed."""
    fields = {
        "name": f"tiny-x{scale}",
        "architecture": "edsr",
        "arguments": {"scale": scale, "channels": slices + len(guides) + told_noise, "features": 16, "blocks": blocks},
        "scale": scale,
        "slices": slices,
        "skip": skip,
        "guides": guides,
        "told_noise": told_noise,
        "input_grid": "low",
        "intensity": "divided by the 99.9th percentile of the 3-D volume",
        "spacing": (0.5, 4.0),
        "parameters": 0,
        "sha256": "",
        "trained_on": "nothing",
        "made_for": "these tests",
        "looks": {"contrast": (0.6, 1.8), "noise": (0.002, 0.04), "sharpness": (0.008, 0.28)},
        "data_licence": "CC0",
        "recipe": "none",
        "date": "2026-01-01",
    }
    return zoo.Card(**{**fields, **changes})


def tiny(seed: int = 0, **options: Any) -> zoo.Model:
    """A loaded model with random weights, never stored."""
    described = card(**options)
    torch.manual_seed(seed)
    network = build(described.architecture, described.arguments, described.skip, beside=described.beside).eval()
    return zoo.Model(card(**{**options, "parameters": parameters(network)}), network)


def store(folder: Path, name: str = "tiny-x2", half: bool = True, **options: Any) -> Path:
    """A model with random weights, stored with its card; returns the weights file."""
    model = tiny(**{**options, "name": name})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    zoo.save(model.network.state_dict(), model.card, path, half)
    return path


class Plain(nn.Module):
    """A network that is one function of (n, slices, h, w), seeing `radius` voxels far."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor], radius: int = 0) -> None:
        super().__init__()
        self.function, self.radius = function, radius

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def repeat(x: torch.Tensor) -> torch.Tensor:
    """Every voxel twice along rows and columns: the same whichever way the slice is turned."""
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def plain(function: Callable[[torch.Tensor], torch.Tensor], slices: int = 1, radius: int = 0) -> zoo.Model:
    return zoo.Model(card(slices=slices), Plain(function, radius))


class Hungry(Plain):
    """A network that runs out of memory above so many slices, or voxels of a slice, at once."""

    def __init__(self, slices: int, voxels: int = 10**9) -> None:
        super().__init__(repeat, radius=1)
        self.slices, self.voxels = slices, voxels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > self.slices or x.shape[2] * x.shape[3] > self.voxels:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return repeat(x)


def store_thinning(folder: Path, name: str = "tiny-iso", woken: bool = True) -> Path:
    """A model for thick slices with random weights, stored with its card. woken: its last layer says something."""
    shape = {"features": 8, "blocks": 1, "fine": 4, "maps": 4, "terms": 5, "offers": 2, "folds": 3}
    torch.manual_seed(0)
    network = build_through_plane("through_plane", shape)
    if woken:
        for weight in network.parameters():
            nn.init.normal_(weight, std=0.05)
    described = card(architecture="through_plane", arguments=shape, scale=1, slices=5, skip=None)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    described = replace(described, name=name, parameters=parameters(network), slice_spacing=(1.3, 7.0), looks={})
    zoo.save(network.state_dict(), described, path)
    return path
