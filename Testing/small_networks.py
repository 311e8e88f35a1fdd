"""Every network of the registry, small enough for a test, and what the tests ask of them all."""

from typing import Any

import torch
from torch import nn

from SuperResolutionLib.networks import NETWORKS, build, grid_of
from SuperResolutionLib.networks.circle import CircleGenerator
from SuperResolutionLib.networks.wdsr import WDSR

SMALL: dict[str, dict[str, Any]] = {
    "circle": {"filters": [8, 6, 4], "shortcut": False},
    "cpce": {"features": 4},
    "edsr": {"features": 16, "blocks": 1},
    "paediatric": {"features": 16, "blocks": 1},
    "srcnn": {"features": [16, 8]},
    "srresnet": {"features": 16, "blocks": 1},
    "wdsr": {"features": 16, "blocks": 1},
    "wdsr_b": {"features": 16, "blocks": 1},
}
ON_COARSE_GRID = [name for name in sorted(NETWORKS) if grid_of(name) == "low"]
ON_FINE_GRID = [name for name in sorted(NETWORKS) if grid_of(name) == "high"]


def small(architecture: str, scale: int = 2, slices: int = 1, skip: str | None = None, **changes: Any) -> nn.Module:
    """A small network in evaluation mode, the same at every call."""
    torch.manual_seed(0)
    arguments = {"scale": scale, "channels": slices, **SMALL[architecture], **changes}
    return build(architecture, arguments, skip).eval()


def on_paper(architecture: type[nn.Module], **arguments: Any) -> nn.Module:
    """A network without memory for its weights: large ones cost nothing, but what these two do to theirs 15 s."""
    with torch.device("cpu" if architecture in (CircleGenerator, WDSR) else "meta"):
        return architecture(**arguments)


def count(network: nn.Module, kind: type[nn.Module]) -> int:
    """How many layers of a kind."""
    return sum(isinstance(layer, kind) for layer in network.modules())


def weights(network: nn.Module) -> list[int]:
    """The sizes of the convolutions' kernels in their order, without biases: the way work E counts."""
    return [layer.weight.numel() for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
