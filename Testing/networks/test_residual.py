"""A network wrapped to predict the residual starts at exactly the interpolation that the package offers."""

import numpy as np
import pytest
import torch
from phantoms import stack
from small_networks import small

from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.networks import NETWORKS
from SuperResolutionLib.networks.residual import start_at_zero


def wrapped(scale: int, slices: int, architecture: str = "edsr") -> torch.nn.Module:
    return small(architecture, scale, slices, "bicubic")


@pytest.mark.parametrize("architecture", sorted(NETWORKS))
@pytest.mark.parametrize(("scale", "slices"), [(2, 1), (2, 5), (4, 3)])
def test_with_its_last_layer_at_zero_it_is_bicubic_of_the_middle_slice(architecture, scale, slices):
    network = wrapped(scale, slices, architecture)
    start_at_zero(network.network)
    x = torch.rand(2, slices, 9, 6)
    expected = upsample(stack(x[:, slices // 2].numpy()), "bicubic", scale).voxels
    with torch.inference_mode():
        assert np.abs(network(x)[:, 0].numpy() - expected).max() < 1e-5


def test_without_that_it_is_something_else():
    x = torch.rand(1, 3, 9, 6)
    with torch.inference_mode():
        assert np.abs(wrapped(2, 3)(x)[:, 0].numpy() - upsample(stack(x[:, 1].numpy())).voxels).max() > 1e-3


def test_a_low_precision_touches_the_residual_alone():
    network = wrapped(2, 3)
    start_at_zero(network.network)
    x = torch.rand(1, 3, 9, 6)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        restored = network(x)
    assert restored.dtype == torch.float32
    assert np.abs(restored[:, 0].numpy() - upsample(stack(x[:, 1].numpy())).voxels).max() < 1e-5


@pytest.mark.parametrize("architecture", sorted(NETWORKS))
def test_from_zero_a_network_learns(architecture):
    network = wrapped(2, 1, architecture)
    start_at_zero(network.network)
    x, truth = torch.rand(1, 1, 12, 12), torch.rand(1, 1, 24, 24)
    losses = []
    for _ in range(20):
        loss = (network(x) - truth).square().mean()
        slopes = torch.autograd.grad(loss, list(network.parameters()))
        with torch.no_grad():
            for weight, slope in zip(network.parameters(), slopes, strict=True):
                weight.sub_(0.01 * slope)
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 1e-4
