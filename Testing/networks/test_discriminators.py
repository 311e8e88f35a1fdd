"""The discriminators are those of their papers, take patches of any size, and cannot pass for a model."""

import pytest
import torch
from small_networks import count, on_paper
from tiny_models import card
from torch import nn

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.networks import DISCRIMINATORS, NETWORKS, build, build_discriminator, grid_of, parameters
from SuperResolutionLib.networks.circle import CircleDiscriminator
from SuperResolutionLib.networks.cpce import CPCEDiscriminator
from SuperResolutionLib.networks.paediatric import PaediatricDiscriminator
from SuperResolutionLib.networks.srgan import SRGANDiscriminator

SRGAN_LAYERS = [(64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2)]
CPCE_LAYERS = [(64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2)]
CIRCLE_LAYERS = [(64, 2), (128, 2), (256, 2), (512, 2)]


def small(architecture: str, channels: int = 1) -> nn.Module:
    torch.manual_seed(0)
    return build_discriminator(architecture, {"channels": channels, "features": 4, "size": 2})


@pytest.mark.parametrize(
    ("architecture", "channels", "expected"),
    [
        (SRGANDiscriminator, 1, 23_564_353),
        (SRGANDiscriminator, 3, 23_565_505),
        (PaediatricDiscriminator, 1, 23_564_353),
        (CPCEDiscriminator, 1, 17_923_521),
        (CircleDiscriminator, 1, 11_147_073),
    ],
)
def test_a_discriminator_has_as_many_parameters_as_its_docstring_says(architecture, channels, expected):
    assert parameters(on_paper(architecture, channels=channels)) == expected
    assert f"{expected:,}" in architecture.__doc__


@pytest.mark.parametrize(
    ("architecture", "kernel", "layers", "batch_norms", "instance_norms"),
    [
        (SRGANDiscriminator, 3, SRGAN_LAYERS, 7, 0),
        (PaediatricDiscriminator, 3, SRGAN_LAYERS, 7, 0),
        (CPCEDiscriminator, 3, CPCE_LAYERS, 0, 0),
        (CircleDiscriminator, 4, CIRCLE_LAYERS, 0, 4),
    ],
)
def test_a_discriminator_has_its_papers_layers(architecture, kernel, layers, batch_norms, instance_norms):
    network = on_paper(architecture)
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert [(layer.out_channels, layer.stride[0]) for layer in convolutions] == layers
    assert {layer.kernel_size for layer in convolutions} == {(kernel, kernel)}
    assert all(layer.bias is not None for layer in convolutions)
    assert [layer.out_features for layer in network.modules() if isinstance(layer, nn.Linear)] == [1024, 1]
    assert count(network, nn.BatchNorm2d) == batch_norms
    assert count(network, nn.InstanceNorm2d) == instance_norms
    assert count(network, nn.LeakyReLU) == len(layers) + 1


def test_dropout_is_work_c_s_alone_and_acts_in_training_alone():
    assert {name: count(on_paper(kind), nn.Dropout2d) for name, kind in DISCRIMINATORS.items()} == {
        "circle": 0,
        "cpce": 0,
        "paediatric": 4,
        "srgan": 0,
    }
    network, x = small("paediatric").eval(), torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        assert torch.equal(network(x), network(x))
        network.train()
        assert not torch.equal(network(x), network(x))


@pytest.mark.parametrize("architecture", sorted(DISCRIMINATORS))
@pytest.mark.parametrize("size", [(32, 32), (64, 64), (96, 96), (40, 51), (33, 70)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_patch_of_any_size_gets_one_score(architecture, size, channels):
    with torch.inference_mode():
        assert small(architecture, channels)(torch.rand(3, channels, *size)).shape == (3, 1)


@pytest.mark.parametrize(("architecture", "patch", "size"), [("srgan", 96, 6), ("cpce", 64, 8), ("circle", 64, 4)])
def test_nothing_is_pooled_at_the_papers_patch(architecture, patch, size):
    network = build_discriminator(architecture, {"features": 4})
    pooling = network.head[0]
    with torch.inference_mode():
        features = network.body(torch.rand(2, 1, patch, patch))
        assert features.shape[2:] == (size, size)
        assert torch.equal(pooling(features), features)


@pytest.mark.parametrize("architecture", sorted(DISCRIMINATORS))
def test_the_score_is_unbounded(architecture):
    network = small(architecture)
    with torch.no_grad():
        network.head[-1].bias.fill_(5)
        assert network(torch.rand(2, 1, 32, 32)).min() > 1
        network.head[-1].bias.fill_(-5)
        assert network(torch.rand(2, 1, 32, 32)).max() < -1


@pytest.mark.parametrize("architecture", ["cpce", "circle"])
def test_a_critic_judges_every_patch_by_itself(architecture):
    network, x = small(architecture), torch.rand(3, 1, 32, 32)
    with torch.inference_mode():
        together, alone = network(x), torch.cat([network(patch[None]) for patch in x])
    assert torch.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("architecture", ["cpce", "circle"])
def test_a_critic_can_be_given_a_gradient_penalty(architecture):
    network, x = small(architecture), torch.rand(2, 1, 40, 40, requires_grad=True)
    (slope,) = torch.autograd.grad(network(x).sum(), x, create_graph=True)
    (slope.flatten(1).norm(dim=1) - 1).square().mean().backward()
    assert all(layer.weight.grad.abs().max() > 0 for layer in network.modules() if isinstance(layer, nn.Conv2d))


def test_without_instance_normalisation_circles_critic_is_no_steeper_where_a_patch_is_all_air():
    def steepness(normalise: bool) -> float:
        torch.manual_seed(0)
        critic = build_discriminator("circle", {"features": 4, "size": 2, "normalise": normalise})
        head, slopes = torch.rand(1, 1, 32, 32), []
        for patch in (head, 1e-4 * head):
            patch.requires_grad_()
            slopes.append(torch.autograd.grad(critic(patch).sum(), patch)[0].norm())
        return float(slopes[1] / slopes[0])

    assert steepness(normalise=True) > 20
    assert steepness(normalise=False) < 2


def test_an_unknown_discriminator_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="no discriminator called 'srgn'; did you mean 'srgan'"):
        build_discriminator("srgn", {})


def test_arguments_that_a_discriminator_does_not_take_are_refused():
    with pytest.raises(InputError, match=r"Discriminator 'cpce' cannot be built .*blocks"):
        build_discriminator("cpce", {"blocks": 3})


def test_no_discriminator_can_be_built_as_a_network():
    assert not set(NETWORKS.values()) & set(DISCRIMINATORS.values())
    with pytest.raises(InputError, match="no network called 'srgan'"):
        build("srgan", {})


@pytest.mark.parametrize("architecture", sorted(DISCRIMINATORS))
def test_the_weights_of_a_discriminator_cannot_be_loaded_as_a_model(architecture, tmp_path):
    grid = grid_of(architecture) if architecture in NETWORKS else "low"
    described = card(architecture=architecture, arguments={"scale": 2, "channels": 3}, skip=None, input_grid=grid)
    path = tmp_path / "judge.safetensors"
    zoo.save(small(architecture, 3).state_dict(), described, path)
    with pytest.raises(InputError, match=r"no network called 'srgan'|does not hold the network its card describes"):
        zoo.load(str(path))
