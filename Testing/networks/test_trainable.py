"""Every network can be trained: gradients reach each parameter, in low precision too, and averages can be kept."""

import copy

import pytest
import torch
from small_networks import small
from torch import nn

from SuperResolutionLib.networks import DISCRIMINATORS, NETWORKS, build_discriminator

EVERY = [("network", name) for name in sorted(NETWORKS)] + [("discriminator", name) for name in sorted(DISCRIMINATORS)]


def any_network(kind: str, name: str, **changes: object) -> nn.Module:
    """A small network or discriminator in training mode."""
    if kind == "network":
        return small(name, **changes).train()
    torch.manual_seed(0)
    return build_discriminator(name, {"features": 4, "size": 2})


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_gradient_reaches_every_parameter(kind, name):
    network = any_network(kind, name)
    network(torch.rand(2, 1, 32, 32)).square().mean().backward()
    for parameter, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all(), parameter
        assert weight.ndim == 1 or weight.grad.abs().max() > 0, parameter


@pytest.mark.parametrize("architecture", ["wdsr", "wdsr_b"])
def test_a_gradient_reaches_directions_and_magnitudes_of_wdsr(architecture):
    network = any_network("network", architecture)
    network(torch.rand(1, 1, 8, 8)).square().mean().backward()
    assert all(weight.grad.abs().max() > 0 for weight in network.parameters())


@pytest.mark.parametrize(("kind", "name"), EVERY)
@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_low_precision_gives_nearly_the_same(kind, name, precision):
    network = any_network(kind, name).eval()
    x = torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        exact = network(x)
        with torch.autocast("cpu", dtype=precision):
            rough = network(x).float()
    assert rough.shape == exact.shape
    assert (rough - exact).abs().max() < 0.05 * max(1.0, float(exact.abs().max()))


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_copy_is_independent_and_has_the_same_weights(kind, name):
    network = any_network(kind, name).eval()
    twin = copy.deepcopy(network)
    x = torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        before = network(x)
        assert torch.equal(twin(x), before)
        for weight in twin.parameters():
            weight.mul_(1.5)
        assert torch.equal(network(x), before)
        assert not torch.equal(twin(x), before)
        twin.load_state_dict(network.state_dict())
        assert torch.equal(twin(x), before)
