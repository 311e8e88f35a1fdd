"""The registry of networks: name -> class. One architecture a file; add a line here to add one."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.networks.edsr import EDSR
from SuperResolutionLib.networks.residual import Residual
from SuperResolutionLib.networks.srresnet import SRResNet

NETWORKS: dict[str, type[nn.Module]] = {"edsr": EDSR, "srresnet": SRResNet}


def build(architecture: str, arguments: Mapping[str, Any], skip: str | None = None) -> nn.Module:
    """A network with fresh weights.

    arguments: the constructor's. skip: "bicubic" wraps it to predict only what interpolation misses.
    Raises InputError for an unknown architecture, skip, or arguments that the network does not take.
    """
    if architecture not in NETWORKS:
        raise unknown("network", architecture, NETWORKS)
    if skip not in (None, "bicubic"):
        raise unknown("skip", str(skip), ["bicubic"])
    try:
        network = NETWORKS[architecture](**arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"Network '{architecture}' cannot be built from {arguments}: {error}.") from error
    return Residual(network, int(network.scale)) if skip else network  # type: ignore[arg-type]


def parameters(network: nn.Module) -> int:
    """How many trainable numbers a network has."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
