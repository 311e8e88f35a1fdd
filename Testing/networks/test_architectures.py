"""The networks are those of their papers: sizes, layers, shapes; and their docstrings say the truth."""

import pytest
import torch
from torch import nn

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.networks import NETWORKS, build, parameters
from SuperResolutionLib.networks.edsr import EDSR, ResidualBlock
from SuperResolutionLib.networks.srresnet import SRResNet


def on_paper(architecture: type[nn.Module], **arguments: float) -> nn.Module:
    """A network without memory for its weights: large ones cost nothing."""
    with torch.device("meta"):
        return architecture(**arguments)


def count(network: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(layer, kind) for layer in network.modules())


@pytest.mark.parametrize(
    ("architecture", "scale", "channels", "expected"),
    [
        (EDSR, 2, 3, 1_369_859),
        (EDSR, 4, 3, 1_517_571),
        (EDSR, 2, 1, 1_367_553),
        (EDSR, 4, 1, 1_515_265),
        (SRResNet, 2, 3, 1_401_749),
        (SRResNet, 4, 3, 1_549_462),
        (SRResNet, 2, 1, 1_381_011),
        (SRResNet, 4, 1, 1_528_724),
    ],
)
def test_a_network_has_as_many_parameters_as_its_docstring_says(architecture, scale, channels, expected):
    network = on_paper(architecture, scale=scale, channels=channels, outputs=channels)
    assert parameters(network) == expected
    assert f"{expected:,}" in architecture.__doc__


def test_the_full_edsr_has_as_many_parameters_as_its_docstring_says():
    network = on_paper(EDSR, scale=2, channels=3, outputs=3, features=256, blocks=32, res_scale=0.1)
    assert parameters(network) == 40_729_603
    assert "40,729,603" in EDSR.__doc__


@pytest.mark.parametrize(("scale", "steps"), [(2, 1), (4, 2)])
def test_edsr_has_its_papers_layers_and_no_batch_norm(scale, steps):
    network = on_paper(EDSR, scale=scale)
    assert count(network, ResidualBlock) == 16
    assert count(network, nn.Conv2d) == 1 + 2 * 16 + 1 + steps + 1
    assert count(network, nn.PixelShuffle) == steps
    assert count(network, nn.BatchNorm2d) == count(network, nn.PReLU) == 0


@pytest.mark.parametrize(("scale", "steps"), [(2, 1), (4, 2)])
def test_srresnet_has_its_papers_layers(scale, steps):
    network = on_paper(SRResNet, scale=scale)
    assert count(network, nn.Conv2d) == 1 + 2 * 16 + 1 + steps + 1
    assert count(network, nn.BatchNorm2d) == 2 * 16 + 1
    assert count(network, nn.PReLU) == 1 + 16 + steps
    assert count(network, nn.PixelShuffle) == steps


@pytest.mark.parametrize("architecture", sorted(NETWORKS))
@pytest.mark.parametrize("skip", [None, "bicubic"])
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("slices", [1, 3, 5])
def test_neighbouring_slices_go_in_and_one_refined_slice_comes_out(architecture, skip, scale, slices):
    arguments = {"scale": scale, "channels": slices, "features": 16, "blocks": 1}
    network = build(architecture, arguments, skip).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, slices, 7, 5)).shape == (2, 1, 7 * scale, 5 * scale)


def test_res_scale_shrinks_what_a_block_adds():
    torch.manual_seed(0)
    block, x = ResidualBlock(16, 1.0), torch.rand(1, 16, 6, 6)
    with torch.inference_mode():
        added = block(x) - x
        block.res_scale = 0.1
        assert torch.allclose(block(x) - x, 0.1 * added, atol=1e-6)
    assert added.abs().max() > 0.01


def test_an_unknown_network_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="no network called 'edrs'; did you mean 'edsr'"):
        build("edrs", {})


def test_an_unknown_skip_is_refused():
    with pytest.raises(InputError, match="no skip called 'bicubik'; did you mean 'bicubic'"):
        build("edsr", {"scale": 2}, "bicubik")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [({"layers": 3}, "layers"), ({"scale": 3}, "power of 2"), ({"features": -1}, "negative")],
)
def test_arguments_that_a_network_does_not_take_are_refused(arguments, word):
    with pytest.raises(InputError, match=f"'edsr' cannot be built .*{word}"):
        build("edsr", arguments, "bicubic")


def test_a_wrapped_network_needs_no_scale_where_the_network_has_one():
    assert build("edsr", {"features": 16, "blocks": 1}, "bicubic").scale == 2
