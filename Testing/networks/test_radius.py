"""A network's `radius` is how far it sees: no voxel further, and no voxel less. Tiles rely on it."""

from typing import Any

import pytest
import torch
from small_networks import ON_FINE_GRID, SMALL, small
from tiny_models import Plain, repeat

from SuperResolutionLib.methods.batches import tiled
from SuperResolutionLib.networks import NETWORKS
from SuperResolutionLib.networks.residual import Residual


def all_positive(network: torch.nn.Module) -> torch.nn.Module:
    """The network with weights of which none cancels another and none is off: what can be seen, is."""
    network = network.eval().double()
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


def check_radius(network: torch.nn.Module) -> None:
    assert sees(network, int(network.radius))
    assert not sees(network, int(network.radius) + 1, beyond=True)


DEEPER: dict[str, list[dict[str, Any]]] = {
    "edsr": [{"blocks": 2}],
    "paediatric": [{"blocks": 2}],
    "srcnn": [{"kernels": [9, 5, 5]}, {"kernels": [3, 1, 1]}],
    "srresnet": [{"blocks": 2}],
    "wdsr": [{"blocks": 2}],
    "wdsr_b": [{}, {"blocks": 3}],
}
CASES = [
    (architecture, scale, changes, skip)
    for architecture in sorted(NETWORKS)
    for scale, changes in [(2, {}), (4, {}), *((2, more) for more in DEEPER.get(architecture, []))]
    for skip in (None, "bicubic")
]


@pytest.mark.parametrize(("architecture", "scale", "changes", "skip"), CASES)
def test_a_voxel_at_the_radius_is_seen_and_none_beyond(architecture, scale, changes, skip):
    check_radius(all_positive(small(architecture, scale, skip=skip, **changes)))


@pytest.mark.parametrize("architecture", ON_FINE_GRID)
def test_so_it_is_on_the_fine_grid_alone(architecture):
    check_radius(all_positive(NETWORKS[architecture](**SMALL[architecture])))


def test_circle_sees_16_voxels_and_cpce_8():
    for architecture, radius in (("circle", 16), ("cpce", 8)):
        network = NETWORKS[architecture]()
        assert network.radius == radius
        check_radius(all_positive(network))


@pytest.mark.parametrize("architecture", sorted(NETWORKS))
@pytest.mark.parametrize(("scale", "tile"), [(2, 16), (2, 23), (4, 16)])
def test_tiles_give_what_the_whole_slice_gives(architecture, scale, tile):
    network = small(architecture, scale, slices=3)
    x = torch.rand(1, 3, 49, 61)
    with torch.inference_mode():
        assert (tiled(network, x, tile, int(network.radius)) - network(x)).abs().max() < 1e-5


def test_the_interpolation_sees_two_voxels_even_where_the_network_sees_none():
    network = Residual(Plain(lambda x: repeat(x) * 0, radius=0), 2).double()
    assert network.radius == 2
    assert sees(network, 2)
    assert not sees(network, 3, beyond=True)
