"""The networks are those of their papers: sizes, layers, shapes; and their docstrings say the truth."""

import pytest
import torch
from small_networks import SMALL, count, on_paper, small, weights
from torch import nn
from torch.nn.functional import conv2d, conv_transpose2d, relu

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.networks import NETWORKS, build, grid_of, parameters
from SuperResolutionLib.networks.circle import CircleGenerator
from SuperResolutionLib.networks.cpce import CPCEGenerator
from SuperResolutionLib.networks.edsr import EDSR, ResidualBlock
from SuperResolutionLib.networks.paediatric import PaediatricGenerator
from SuperResolutionLib.networks.srcnn import SRCNN
from SuperResolutionLib.networks.srresnet import SRResNet
from SuperResolutionLib.networks.wdsr import WDSR, WDSRB, fold_weight_norm

COLOUR = {"channels": 3, "outputs": 3}
FULL_EDSR = {"scale": 2, **COLOUR, "features": 256, "blocks": 32, "res_scale": 0.1}


# ---------------------------------------------------------------- how many parameters


@pytest.mark.parametrize(
    ("architecture", "arguments", "expected"),
    [
        (EDSR, {"scale": 2, **COLOUR}, 1_369_859),
        (EDSR, {"scale": 4, **COLOUR}, 1_517_571),
        (EDSR, {"scale": 2}, 1_367_553),
        (EDSR, {"scale": 4}, 1_515_265),
        (EDSR, FULL_EDSR, 40_729_603),
        (SRResNet, {"scale": 2, **COLOUR}, 1_401_749),
        (SRResNet, {"scale": 4, **COLOUR}, 1_549_462),
        (SRResNet, {"scale": 2}, 1_381_011),
        (SRResNet, {"scale": 4}, 1_528_724),
        (PaediatricGenerator, {"scale": 2}, 1_380_993),
        (PaediatricGenerator, {"scale": 4}, 1_528_705),
        (SRCNN, {}, 8_129),
        (SRCNN, {"kernels": (9, 3, 5)}, 24_513),
        (SRCNN, {"kernels": (9, 5, 5)}, 57_281),
        (WDSR, COLOUR, 3_571_824),
        (WDSR, {}, 3_558_704),
        (WDSRB, COLOUR, 615_088),
        (WDSR, {**COLOUR, "scale": 2, "blocks": 16, "expand": 4}, 1_190_100),
        (CPCEGenerator, {}, 62_016),
        (CPCEGenerator, {"channels": 3}, 62_592),
        (CircleGenerator, {}, 164_536),
        (CircleGenerator, {"channels": 3}, 165_688),
    ],
)
def test_a_network_has_as_many_parameters_as_its_docstring_says(architecture, arguments, expected):
    assert parameters(on_paper(architecture, **arguments)) == expected
    assert f"{expected:,}" in architecture.__doc__


@pytest.mark.parametrize(("kernels", "expected"), [((9, 1, 5), 8_032), ((9, 3, 5), 24_416), ((9, 5, 5), 57_184)])
def test_srcnn_has_as_many_weights_as_its_paper_says(kernels, expected):
    assert sum(weights(on_paper(SRCNN, kernels=kernels))) == expected
    assert f"{expected:,}" in SRCNN.__doc__


def test_the_full_edsr_has_work_e_s_table():
    head, blocks, before_shuffle, up, out = 6_912, 32 * 2 * [589_824], 589_824, 2_359_296, 6_912
    network = on_paper(EDSR, **FULL_EDSR)
    assert weights(network) == [head, *blocks, before_shuffle, up, out]
    assert sum(weights(network)) > 40e6


def test_wdsr_x4_has_work_e_s_table():
    head, blocks, last, skip = 864, 32 * [55_296, 55_296], 13_824, 3_600
    network = on_paper(WDSR, scale=4, **COLOUR)
    assert weights(network) == [head, *blocks, last, skip]
    assert f"{sum(weights(network)) / 1e6:.2f}" == "3.56"
    assert f"{sum(weights(network)):,}" in WDSR.__doc__


def test_folding_wdsr_leaves_its_weights_and_biases():
    network = fold_weight_norm(WDSR(scale=4, **COLOUR))
    assert parameters(network) == 3_564_528
    assert "3,564,528" in WDSR.__doc__


# ---------------------------------------------------------------- which layers


@pytest.mark.parametrize(("scale", "steps"), [(2, 1), (4, 2)])
def test_edsr_has_its_papers_layers_and_no_batch_norm(scale, steps):
    network = on_paper(EDSR, scale=scale)
    assert count(network, ResidualBlock) == 16
    assert count(network, nn.Conv2d) == 1 + 2 * 16 + 1 + steps + 1
    assert count(network, nn.PixelShuffle) == steps
    assert count(network, nn.BatchNorm2d) == count(network, nn.PReLU) == 0


@pytest.mark.parametrize(("scale", "steps"), [(2, 1), (4, 2)])
@pytest.mark.parametrize(
    ("architecture", "activation", "other"),
    [(SRResNet, nn.PReLU, nn.LeakyReLU), (PaediatricGenerator, nn.LeakyReLU, nn.PReLU)],
)
def test_srresnet_has_its_papers_layers_and_work_c_s_variant_leaky_relu(architecture, activation, other, scale, steps):
    network = on_paper(architecture, scale=scale)
    assert count(network, nn.Conv2d) == 1 + 2 * 16 + 1 + steps + 1
    assert count(network, nn.BatchNorm2d) == 2 * 16 + 1
    assert count(network, activation) == 1 + 16 + steps
    assert count(network, other) == 0
    assert count(network, nn.PixelShuffle) == steps


def test_work_c_s_tanh_can_be_had_and_is_off():
    plain, bounded = small("paediatric"), small("paediatric", tanh=True)
    x = 50 * torch.rand(1, 1, 8, 8)
    with torch.inference_mode():
        assert plain(x).abs().max() > 1
        assert torch.equal(bounded(x), torch.tanh(plain(x)))


@pytest.mark.parametrize(("kind", "kernels"), [(WDSR, [3, 3]), (WDSRB, [1, 1, 3])])
def test_wdsr_widens_before_the_relu(kind, kernels):
    block = on_paper(kind, blocks=1).body[0]
    convolutions = [layer for layer in block.modules() if isinstance(layer, nn.Conv2d)]
    assert [layer.kernel_size[0] for layer in convolutions] == kernels
    assert convolutions[0].out_channels == 6 * 32
    assert count(block, nn.ReLU) == 1
    assert count(block, nn.BatchNorm2d) == 0
    if kind is WDSRB:
        assert convolutions[1].out_channels == int(0.8 * 32)


@pytest.mark.parametrize("architecture", ["wdsr", "wdsr_b"])
def test_folding_weight_norm_changes_no_output(architecture):
    network = small(architecture, skip="bicubic")
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    x = torch.rand(1, 1, 9, 9)
    with torch.inference_mode():
        before = network(x)
        assert torch.allclose(fold_weight_norm(network)(x), before, atol=1e-6)
    assert not any("parametrizations" in name for name in network.state_dict())


def test_cpce_conveys_the_first_three_feature_maps_to_the_last_three_deconvolutions():
    torch.manual_seed(0)
    network = CPCEGenerator()
    e1, e2, e3, e4, d1, d2, d3, m1, m2, m3, tail = network.parameters()
    x = torch.rand(2, 1, 12, 11)
    one = relu(conv2d(x, e1))
    two = relu(conv2d(one, e2))
    three = relu(conv2d(two, e3))
    four = relu(conv2d(three, e4))
    five = relu(conv2d(torch.cat([three, relu(conv_transpose2d(four, d1))], 1), m1))
    six = relu(conv2d(torch.cat([two, relu(conv_transpose2d(five, d2))], 1), m2))
    seven = relu(conv2d(torch.cat([one, relu(conv_transpose2d(six, d3))], 1), m3))
    expected = conv_transpose2d(seven, tail)
    assert torch.allclose(network(x), expected, atol=1e-6)
    for changes, result in (
        ({"rectify": True}, relu(expected)),
        ({"shortcut": True}, expected + x),
        ({"rectify": True, "shortcut": True}, relu(expected + x)),
    ):
        variant = CPCEGenerator(**changes)
        variant.load_state_dict(network.state_dict())
        assert torch.allclose(variant(x), result, atol=1e-6)


def test_circle_has_twelve_blocks_two_branches_and_three_convolutions():
    filters = [64, 54, 48, 43, 39, 35, 31, 28, 25, 22, 18, 16]
    blocks = [9 * i * o for i, o in zip([1, *filters], filters, strict=False)]
    branches = [sum(filters) * 24, sum(filters) * 8, 9 * 8 * 8]
    network = on_paper(CircleGenerator)
    assert weights(network) == [*blocks, *branches, 9 * 32 * 32, 9 * 32 * 16, 9 * 16]
    assert count(network, nn.Dropout) == 12 + 3
    assert count(network, nn.BatchNorm2d) == count(network, nn.InstanceNorm2d) == 0


def test_circle_s_filters_fall_as_its_authors_rule_has_them():
    rule = [int((64 - 16) * (1 - (k / 11) ** (1 / 1.5)) + 16) for k in range(12)]
    assert [layer[0].out_channels for layer in on_paper(CircleGenerator).features] == rule


def test_circle_s_dropout_acts_in_training_alone():
    network, x = CircleGenerator(), torch.rand(1, 1, 8, 8)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


# ---------------------------------------------------------------- what goes in and what comes out


@pytest.mark.parametrize("architecture", sorted(NETWORKS))
@pytest.mark.parametrize("skip", [None, "bicubic"])
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("slices", [1, 3, 5])
def test_neighbouring_slices_go_in_and_one_refined_slice_comes_out(architecture, skip, scale, slices):
    network = small(architecture, scale, slices, skip)
    with torch.inference_mode():
        assert network(torch.rand(2, slices, 7, 5)).shape == (2, 1, 7 * scale, 5 * scale)


def test_wdsr_takes_a_scale_that_is_not_a_power_of_2():
    with torch.inference_mode():
        assert small("wdsr", scale=3)(torch.rand(1, 1, 7, 5)).shape == (1, 1, 21, 15)


def test_every_network_has_a_small_one_for_the_tests():
    assert sorted(SMALL) == sorted(NETWORKS)


def test_res_scale_shrinks_what_a_block_adds():
    torch.manual_seed(0)
    block, x = ResidualBlock(16, 1.0), torch.rand(1, 16, 6, 6)
    with torch.inference_mode():
        added = block(x) - x
        block.res_scale = 0.1
        assert torch.allclose(block(x) - x, 0.1 * added, atol=1e-6)
    assert added.abs().max() > 0.01


# ---------------------------------------------------------------- what is refused


def test_an_unknown_network_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="no network called 'edrs'; did you mean 'edsr'"):
        build("edrs", {})


def test_an_unknown_skip_is_refused():
    with pytest.raises(InputError, match="no skip called 'bicubik'; did you mean 'bicubic'"):
        build("edsr", {"scale": 2}, "bicubik")


@pytest.mark.parametrize(
    ("architecture", "arguments", "word"),
    [
        ("edsr", {"layers": 3}, "layers"),
        ("edsr", {"scale": 3}, "power of 2"),
        ("edsr", {"features": -1}, "negative"),
        ("srcnn", {"scale": 2, "kernels": [9, 2, 5]}, "three odd kernels"),
        ("srcnn", {"scale": 2, "kernels": [9, 5]}, "three odd kernels"),
        ("circle", {"scale": 2, "features": 64}, "features"),
    ],
)
def test_arguments_that_a_network_does_not_take_are_refused(architecture, arguments, word):
    with pytest.raises(InputError, match=f"'{architecture}' cannot be built .*{word}"):
        build(architecture, arguments, "bicubic")


def test_a_wrapped_network_needs_no_scale_where_the_network_has_one():
    assert build("edsr", {"features": 16, "blocks": 1}, "bicubic").scale == 2


@pytest.mark.parametrize(("architecture", "grid"), [("edsr", "low"), ("wdsr", "low"), ("srcnn", "high")])
def test_a_network_is_built_for_its_own_input_grid_alone(architecture, grid):
    assert grid_of(architecture) == grid
    arguments = {"scale": 2, **SMALL[architecture]}
    for skip in (None, "bicubic"):
        named, unnamed = build(architecture, arguments, skip, grid), build(architecture, arguments, skip)
        assert named.state_dict().keys() == unnamed.state_dict().keys()
    other = "high" if grid == "low" else "low"
    with pytest.raises(InputError, match=f"has the input grid '{grid}', not '{other}'"):
        build(architecture, arguments, None, other)


@pytest.mark.parametrize("architecture", ["circle", "cpce"])
def test_an_input_is_added_once(architecture):
    with pytest.raises(InputError, match="adds its input already"):
        build(architecture, {"scale": 2, "shortcut": True}, "bicubic")
