"""The registries of networks: name -> class. One architecture a file; add a line here to add one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.networks.circle import CircleDiscriminator, CircleGenerator
from SuperResolutionLib.networks.cpce import CPCEDiscriminator, CPCEGenerator
from SuperResolutionLib.networks.edsr import EDSR
from SuperResolutionLib.networks.high_grid import OnFineGrid
from SuperResolutionLib.networks.paediatric import PaediatricDiscriminator, PaediatricGenerator
from SuperResolutionLib.networks.residual import Residual
from SuperResolutionLib.networks.srcnn import SRCNN
from SuperResolutionLib.networks.srgan import SRGANDiscriminator
from SuperResolutionLib.networks.srresnet import SRResNet
from SuperResolutionLib.networks.through_plane import Shape, ThroughPlane
from SuperResolutionLib.networks.wdsr import WDSR, WDSRB

NETWORKS: dict[str, type[nn.Module]] = {
    "circle": CircleGenerator,
    "cpce": CPCEGenerator,
    "edsr": EDSR,
    "paediatric": PaediatricGenerator,
    "srcnn": SRCNN,
    "srresnet": SRResNet,
    "wdsr": WDSR,
    "wdsr_b": WDSRB,
}

# They make thin slices of thick ones, and take other arguments than slices alone: `methods.thick_slices` runs them.
THROUGH_PLANE: dict[str, type[ThroughPlane]] = {"through_plane": ThroughPlane}

# They judge slices and make none: `build`, and so the zoo, knows nothing of them.
DISCRIMINATORS: dict[str, type[nn.Module]] = {
    "circle": CircleDiscriminator,
    "cpce": CPCEDiscriminator,
    "paediatric": PaediatricDiscriminator,
    "srgan": SRGANDiscriminator,
}


def build(
    architecture: str,
    arguments: Mapping[str, Any],
    skip: str | None = None,
    input_grid: str | None = None,
    beside: int = 0,
) -> nn.Module:
    """A network with fresh weights: (n, slices + beside, h, w) -> (n, 1, scale h, scale w).

    arguments: the constructor's, and `scale`. skip: "bicubic" wraps it to predict only what interpolation misses.
    beside: how many of its channels, the last ones, show something else than the slices.
    input_grid: what the network is said to take ("low": coarse slices, "high": interpolated ones, which a wrapper
    then makes); None for what it does take.
    Raises InputError for an unknown architecture or skip, arguments that the network does not take, another grid.
    """
    if architecture not in NETWORKS:
        raise unknown("network", architecture, NETWORKS)
    if skip not in (None, "bicubic"):
        raise unknown("skip", str(skip), ["bicubic"])
    grid = grid_of(architecture)
    if input_grid not in (None, grid):
        raise InputError(f"Network '{architecture}' has the input grid '{grid}', not '{input_grid}'.")
    own = {name: value for name, value in arguments.items() if grid == "low" or name != "scale"}
    network = _construct("Network", NETWORKS, architecture, own)
    if skip and getattr(network, "shortcut", False):
        raise InputError(f"Network '{architecture}' adds its input already; leave skip out, or give shortcut = false.")
    if beside and grid == "high":
        raise InputError(
            f"Network '{architecture}' works on interpolated slices and takes neither guides nor noise; leave them out."
        )
    if grid == "high":
        network = OnFineGrid(network, arguments.get("scale", 2), str(network.interpolation))
    return Residual(network, int(network.scale), beside) if skip else network  # type: ignore[arg-type]


def build_through_plane(architecture: str, arguments: Mapping[str, Any]) -> ThroughPlane:
    """A network for thick slices with fresh weights. arguments: of its `Shape`.

    Raises InputError for an unknown architecture, or arguments that it does not take.
    """
    if architecture not in THROUGH_PLANE:
        raise unknown("network for thick slices", architecture, THROUGH_PLANE)
    try:
        shape = Shape(**arguments)
    except TypeError as error:
        raise InputError(f"Network '{architecture}' cannot be built from {arguments}: {error}.") from error
    return THROUGH_PLANE[architecture](shape)


def build_discriminator(architecture: str, arguments: Mapping[str, Any]) -> nn.Module:
    """A discriminator with fresh weights: (n, channels, h, w) -> (n, 1), logits or a critic's scores.

    Raises InputError for an unknown architecture, or arguments that it does not take.
    """
    if architecture not in DISCRIMINATORS:
        raise unknown("discriminator", architecture, DISCRIMINATORS)
    return _construct("Discriminator", DISCRIMINATORS, architecture, arguments)


def grid_of(architecture: str) -> str:
    """A card's input_grid: "high" for a network that works on interpolated slices and keeps the matrix, else "low"."""
    return "high" if hasattr(NETWORKS[architecture], "interpolation") else "low"


def _construct(
    kind: str, registry: Mapping[str, type[nn.Module]], architecture: str, arguments: Mapping[str, Any]
) -> nn.Module:
    try:
        return registry[architecture](**arguments)
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        raise InputError(f"{kind} '{architecture}' cannot be built from {arguments}: {error}.") from error


class _NotDrawn(TorchFunctionMode):
    """Leaves tensors as they are where they would be filled with random numbers: there are none to fill."""

    def __torch_function__(
        self, function: Callable[..., Any], _types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if getattr(function, "__name__", "") in ("normal_", "uniform_"):
            return args[0] if args else (kwargs or {})["tensor"]
        return function(*args, **(kwargs or {}))


@contextmanager
def without_memory() -> Iterator[None]:
    """Networks that are built in here have shapes and no numbers, however large they are."""
    with torch.device("meta"), _NotDrawn():
        yield


def parameters(network: nn.Module) -> int:
    """How many trainable numbers a network has."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
