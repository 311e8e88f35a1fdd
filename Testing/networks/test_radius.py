"""A network's `radius` is how far it sees: no voxel further, and no voxel less. Tiles rely on it."""

import pytest
import torch
from tiny_models import Plain, repeat

from SuperResolutionLib.networks import build
from SuperResolutionLib.networks.residual import Residual


def all_positive(architecture: str, scale: int, blocks: int, skip: str | None) -> torch.nn.Module:
    """A network in which nothing cancels and nothing is switched off: what can be seen, is."""
    network = build(architecture, {"scale": scale, "features": 16, "blocks": blocks}, skip).eval().double()
    with torch.no_grad():
        for weight in network.parameters():
            weight.abs_().add_(0.01)
    return network


def restored_middle(network: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The output voxels that lie in the input's middle voxel."""
    with torch.inference_mode():
        y = network(x)
    s, k = y.shape[2] // x.shape[2], x.shape[2] // 2
    return y[0, 0, k * s : (k + 1) * s, k * s : (k + 1) * s]


def sees(network: torch.nn.Module, distance: int, beyond: bool = False) -> bool:
    """Whether the middle changes with the voxels at a distance, or with those and all beyond."""
    size = 2 * (int(network.radius) + 3) + 1
    along = (torch.arange(size) - size // 2).abs()
    away = torch.maximum(along[:, None], along[None, :])
    torch.manual_seed(0)
    x = torch.rand(1, 1, size, size, dtype=torch.float64)
    changed = x + 1e6 * (away >= distance if beyond else away == distance)
    return not torch.equal(restored_middle(network, x), restored_middle(network, changed))


CASES = [
    (architecture, scale, blocks, skip)
    for architecture in ("edsr", "srresnet")
    for scale, blocks in ((2, 1), (2, 2), (4, 1))
    for skip in (None, "bicubic")
]


@pytest.mark.parametrize(("architecture", "scale", "blocks", "skip"), CASES)
def test_a_voxel_at_the_radius_is_seen_and_none_beyond(architecture, scale, blocks, skip):
    network = all_positive(architecture, scale, blocks, skip)
    assert sees(network, int(network.radius))
    assert not sees(network, int(network.radius) + 1, beyond=True)


def test_the_interpolation_sees_two_voxels_even_where_the_network_sees_none():
    network = Residual(Plain(lambda x: repeat(x) * 0, radius=0), 2).double()
    assert network.radius == 2
    assert sees(network, 2)
    assert not sees(network, 3, beyond=True)
