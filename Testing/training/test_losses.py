"""Every loss is the formula of its paper, and its gradient goes where it should and nowhere else."""

import math

import numpy as np
import pytest
import torch
from tiny_models import store as store_model
from torch import nn
from vgg19_table import CONVOLUTIONS, made_up, shapes, store

from SuperResolutionLib.methods import zoo
from SuperResolutionLib.training.losses import ADVERSARIAL_LOSSES, IMAGE_LOSSES, adversarial_loss, image_loss
from SuperResolutionLib.training.losses.adversarial import gradient_penalty
from SuperResolutionLib.training.losses.cycle import cycle_consistency, identity
from SuperResolutionLib.training.losses.late_loss import SECOND_LOSSES
from SuperResolutionLib.training.losses.mri_features import MRIFeatures
from SuperResolutionLib.training.losses.perceptual import PerceptualLoss
from SuperResolutionLib.training.losses.variation import total_variation
from SuperResolutionLib.training.losses.vgg19 import VGG19Features, layers_up_to
from SuperResolutionLib.training.losses.weighted import WeightedSum

DISTANCES = ("mse", "l1", "smooth_l1", "perceptual", "perceptual_vgg19", "high_frequency")


def images(seed: int, count: int = 2, size: int = 16) -> torch.Tensor:
    return torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def vgg19_file(tmp_path):
    """Up to conv2_1: three convolutions and a pooling."""
    return store(made_up(3), tmp_path)


@pytest.fixture
def make(vgg19_file):
    """Any image loss by its name."""
    options = {"perceptual": {"blocks": 1}, "perceptual_vgg19": {"weights": vgg19_file, "layer": "relu2_1"}}
    return lambda name: image_loss(name, **options.get(name, {}))


def softplus(*x: float) -> float:
    """The mean of log(1 + exp(x))."""
    return float(np.mean([math.log1p(math.exp(value)) for value in x]))


# ---------------------------------------------------------------- the registry


@pytest.mark.parametrize("name", IMAGE_LOSSES)
def test_every_image_loss_is_one_number_whose_gradient_reaches_the_restored_image(make, name):
    restored = images(0).requires_grad_()
    loss = make(name)(restored, images(1))
    loss.backward()
    assert loss.shape == ()
    assert loss > 0
    assert restored.grad.abs().sum() > 0


@pytest.mark.parametrize("name", IMAGE_LOSSES)
def test_an_image_equal_to_the_truth_has_no_distance_from_it(make, name):
    loss = make(name)(images(0), images(0))
    assert (loss == 0) == (name in DISTANCES)


@pytest.mark.parametrize(
    ("name", "expected"), [("mse", (0.25 + 9) / 2), ("l1", 3.5 / 2), ("smooth_l1", (0.125 + 2.5) / 2)]
)
def test_torchs_own_losses_go_by_their_names(make, name, expected):
    assert make(name)(torch.tensor([0.5, 4.0]), torch.tensor([1.0, 1.0])) == pytest.approx(expected)


def test_a_wrong_name_is_refused_with_the_nearest_right_one(refuses):
    with refuses("no loss called 'perceptal'", "'perceptual'"):
        image_loss("perceptal")
    with refuses("no adversarial loss called 'wgan-gp'", "'wgan_gp'"):
        adversarial_loss("wgan-gp")


def test_options_that_a_loss_does_not_take_are_refused(refuses):
    with refuses("'high_frequency'", "scales"):
        image_loss("high_frequency", scales=2)
    with refuses("'perceptual_vgg19'", "weights"):
        image_loss("perceptual_vgg19")
    with refuses("'wgan_gp'", "smoothing"):
        adversarial_loss("wgan_gp", smoothing=0.1)


def test_values_that_make_no_sense_are_refused(refuses):
    with refuses("tau = 1.5", "from 0 to 1"):
        image_loss("joint_sparsifying_transform", tau=1.5)
    with refuses("scale 1", "2 or more"):
        image_loss("high_frequency", scale=1)
    with refuses("smoothed by 0.7", "below 0.5"):
        adversarial_loss("non_saturating", smoothing=0.7)
    with refuses("penalty of -1", "0 or more"):
        adversarial_loss("wgan_gp", penalty=-1)


# ---------------------------------------------------------------- low precision


@pytest.mark.parametrize("name", IMAGE_LOSSES)
def test_every_image_loss_is_finite_in_bfloat16_and_computed_in_float32(make, name):
    torch.manual_seed(0)
    network, loss = nn.Conv2d(1, 1, 3, padding=1, bias=False), make(name)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        restored = network(images(0))
        assert restored.dtype == torch.bfloat16
        low = loss(restored, images(1))
    low.backward()
    assert low.dtype == torch.float32
    assert low.item() == pytest.approx(loss(network(images(0)), images(1)).item(), rel=0.05)
    assert network.weight.grad.isfinite().all()
    assert network.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
@pytest.mark.parametrize("size", [1.0, 3e4])
def test_every_adversarial_loss_is_finite_in_bfloat16_whatever_the_scores(name, size):
    real = torch.tensor([[size], [-size]], dtype=torch.bfloat16, requires_grad=True)
    fake = torch.tensor([[-size], [2 * size]], dtype=torch.bfloat16, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        game = adversarial_loss(name)
        losses = game.discriminator(real, fake), game.generator(real, fake)
    sum(losses).backward()
    assert all(loss.dtype == torch.float32 and loss.isfinite() for loss in losses)
    assert real.grad.isfinite().all()
    assert fake.grad.isfinite().all()


def test_the_gradient_penalty_is_finite_in_bfloat16(tiny_critic):
    exact = gradient_penalty(tiny_critic, images(0), images(1), torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = gradient_penalty(tiny_critic, images(0), images(1).bfloat16(), torch.Generator().manual_seed(0))
    low.backward()
    assert low.dtype == torch.float32
    assert low.item() == pytest.approx(exact.item(), rel=0.05)
    assert all(p.grad.isfinite().all() for p in tiny_critic.parameters() if p.grad is not None)


# ---------------------------------------------------------------- content


def test_the_cross_entropy_of_work_c_is_that_of_logits(make):
    restored, truth = torch.tensor([0.0, 2.0]), torch.tensor([0.7, 0.25])
    assert make("bce")(restored, truth) == pytest.approx((math.log(2) + softplus(2) - 0.5) / 2)


def test_the_cross_entropy_cuts_the_truth_where_it_would_have_no_minimum(make):
    logits = torch.tensor([3.0])
    assert make("bce")(logits, torch.tensor([1.4])) == make("bce")(logits, torch.tensor([1.0]))
    assert make("bce")(logits, torch.tensor([-0.1])) == make("bce")(logits, torch.tensor([0.0]))


# ---------------------------------------------------------------- adversarial


def test_the_non_saturating_game_is_a_cross_entropy_with_the_labels():
    game = adversarial_loss("non_saturating")
    real, fake = torch.tensor([[2.0], [0.0]]), torch.tensor([[-1.0], [3.0]])
    assert game.discriminator(real, fake) == pytest.approx(softplus(-2, 0) + softplus(-1, 3))
    assert game.generator(real, fake) == pytest.approx(softplus(1, -3))


def test_the_relativistic_game_compares_with_the_average_of_the_others():
    game = adversarial_loss("relativistic_average")
    real, fake = torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [-2.0]])  # averages 2 and -1
    assert game.discriminator(real, fake) == pytest.approx(softplus(-2, -4) + softplus(-2, -4))
    assert game.generator(real, fake) == pytest.approx(softplus(2, 4) + softplus(2, 4))


def test_the_relativistic_game_is_the_same_from_both_sides():
    game = adversarial_loss("relativistic_average")
    real, fake = images(0), images(1)
    assert game.generator(real, fake) == game.discriminator(fake, real)
    assert game.discriminator(real + 5, fake + 5) == pytest.approx(float(game.discriminator(real, fake)), rel=1e-5)


def test_the_game_of_work_c_is_smooth_l1_with_the_labels():
    game = adversarial_loss("smooth_l1")
    real, fake = torch.tensor([[math.log(3)]]), torch.tensor([[0.0]])  # chances 3/4 and 1/2
    assert game.discriminator(real, fake) == pytest.approx(0.5 * 0.25**2 + 0.5 * 0.5**2)
    assert game.generator(real, fake) == pytest.approx(0.5 * 0.5**2)


@pytest.mark.parametrize(("name", "least"), [("non_saturating", 0.99), ("smooth_l1", 0.0)])
def test_a_generator_far_behind_learns_from_a_cross_entropy_and_not_from_smooth_l1(name, least):
    fake = torch.tensor([[-10.0]], requires_grad=True)
    adversarial_loss(name).generator(torch.tensor([[10.0]]), fake).backward()
    assert least <= -float(fake.grad) < least + 1e-3 + (least > 0)


@pytest.mark.parametrize("name", ["non_saturating", "relativistic_average", "smooth_l1"])
def test_smoothing_moves_the_discriminators_label_for_real_and_no_other(name):
    plain, smooth = adversarial_loss(name), adversarial_loss(name, smoothing=0.1)
    score = torch.tensor([[2.0]])
    assert smooth.generator(score, -score) == plain.generator(score, -score)
    above = 4.0 if name == "relativistic_average" else 2.0  # a cross-entropy is linear in its label
    p = 1 / (1 + math.exp(-2))
    change = ((0.9 - p) ** 2 - (1 - p) ** 2) / 2 if name == "smooth_l1" else 0.1 * above
    difference = smooth.discriminator(score, -score) - plain.discriminator(score, -score)
    assert difference == pytest.approx(change, abs=1e-6)


def test_the_wasserstein_game_is_the_difference_of_the_means():
    game = adversarial_loss("wgan_gp")
    real, fake = torch.tensor([[1.0], [4.0]]), torch.tensor([[0.5], [-2.0]])
    assert game.discriminator(real, fake) == -0.75 - 2.5
    assert game.generator(real, fake) == 0.75
    assert game.penalty == 10
    assert adversarial_loss("non_saturating").penalty == 0


# ---------------------------------------------------------------- gradient penalty


@pytest.fixture
def tiny_critic() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2), nn.LeakyReLU(0.2), nn.Conv2d(4, 4, 3), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 5)
    )


@pytest.mark.parametrize("norm", [0.0, 0.25, 1.0, 3.0])
def test_a_linear_critic_has_the_norm_of_its_weights_as_slope(norm):
    weights = images(5, count=1)
    weights = weights * norm / weights.norm()
    penalty = gradient_penalty(lambda x: (x * weights).sum(dim=(1, 2, 3)), images(0), images(1))
    assert penalty == pytest.approx((norm - 1) ** 2, abs=1e-5)


def test_a_constant_critic_is_penalised_and_learns_without_nan():
    weight = torch.zeros(1, requires_grad=True)
    penalty = gradient_penalty(lambda x: (weight * x).flatten(1).sum(dim=1), images(0), images(1))
    penalty.backward()
    assert penalty == 1
    assert weight.grad.isfinite()


def test_the_penalty_is_differentiated_twice():
    x, weight = images(0, count=1), torch.tensor(0.7, requires_grad=True)
    length = float(x.norm())
    penalty = gradient_penalty(lambda x: weight * x.square().sum() / 2, x, x)  # slope w |x|
    penalty.backward()
    assert penalty.item() == pytest.approx((0.7 * length - 1) ** 2, rel=1e-5)
    assert weight.grad.item() == pytest.approx(2 * (0.7 * length - 1) * length, rel=1e-5)


def test_the_penalty_reaches_every_weight_of_the_critic_and_no_generator(tiny_critic):
    generator = nn.Conv2d(1, 1, 3, padding=1)
    gradient_penalty(tiny_critic, images(0), generator(images(1))).backward()
    weights = [layer.weight for layer in tiny_critic if isinstance(layer, nn.Conv2d)]
    assert all(weight.grad.abs().sum() > 0 for weight in weights)
    assert generator.weight.grad is None


def test_a_critic_that_only_pays_the_penalty_gets_slope_1(tiny_critic):
    optimiser = torch.optim.Adam(tiny_critic.parameters(), 0.02)
    first = gradient_penalty(tiny_critic, images(0), images(1)).item()
    for _ in range(100):
        optimiser.zero_grad()
        penalty = gradient_penalty(tiny_critic, images(0), images(1))
        penalty.backward()
        optimiser.step()
    assert first > 0.1
    assert penalty.item() < 0.01


def test_the_critic_is_asked_between_the_two_images_of_each_pair():
    asked = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        asked.append(x.detach())
        return x.flatten(1).sum(dim=1)

    real, fake = torch.ones(400, 1, 2, 2), torch.full((400, 1, 2, 2), 3.0)
    gradient_penalty(critic, real, fake, torch.Generator().manual_seed(1))
    gradient_penalty(critic, real, fake, torch.Generator().manual_seed(1))
    shares = (3 - asked[0]) / 2
    assert torch.equal(asked[0], asked[1])
    assert (shares == shares[:, :, :1, :1]).all()
    assert 0 <= shares.min() < 0.05 < 0.95 < shares.max() <= 1
    assert float(shares.mean()) == pytest.approx(0.5, abs=0.05)


def test_the_score_of_an_image_is_the_mean_of_its_map():
    weights = images(5, count=1)
    whole = gradient_penalty(lambda x: (x * weights).mean(dim=(1, 2, 3)), images(0), images(1))
    patches = gradient_penalty(lambda x: x * weights, images(0), images(1))
    assert patches == pytest.approx(float(whole))


# ---------------------------------------------------------------- two generators


def test_cycles_and_identities_are_mean_absolute_errors_both_ways():
    x, y = torch.zeros(1, 1, 2, 2), torch.ones(3, 1, 4, 4)  # unpaired: not even as many
    for loss in (cycle_consistency, identity):
        assert loss(x, x + 0.5, y, y - 0.25) == 0.75
        assert loss(x, x, y, y) == 0


# ---------------------------------------------------------------- total variation


@pytest.mark.parametrize("size", [4, 9])
def test_the_variation_of_a_ramp_is_the_sum_of_its_slopes(size):
    row, column = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    ramp = (3.0 * row - 0.5 * column).expand(2, 1, -1, -1)
    assert total_variation(ramp) == pytest.approx(3.5)
    assert total_variation(torch.full((1, 1, size, size), 7.0)) == 0


def test_the_variation_of_any_image_is_numpys():
    image = images(3).numpy()
    expected = np.abs(np.diff(image, axis=2)).mean() + np.abs(np.diff(image, axis=3)).mean()
    assert total_variation(torch.from_numpy(image)) == pytest.approx(expected)
    assert image_loss("total_variation")(torch.from_numpy(image), images(4)) == pytest.approx(expected)


def test_the_joint_sparsifying_transform_goes_from_one_variation_to_the_other():
    restored, truth = images(0), images(1)
    of = {tau: image_loss("joint_sparsifying_transform", tau=tau)(restored, truth) for tau in (0, 0.3, 1)}
    assert of[0] == total_variation(truth - restored)
    assert of[1] == total_variation(restored)
    assert of[0.3] == pytest.approx(float(0.3 * of[1] + 0.7 * of[0]))


def test_the_truth_is_best_by_the_joint_sparsifying_transform_as_long_as_tau_is_below_a_half():
    truth = images(0)
    others = [torch.zeros_like(truth), truth / 2, truth + 0.1 * images(1), images(2)]
    default, half = (image_loss("joint_sparsifying_transform", **o) for o in ({}, {"tau": 0.5}))
    assert default(truth, truth) == pytest.approx(float(0.25 * total_variation(truth)))
    assert all(default(other, truth) > default(truth, truth) for other in others)
    assert half(others[0], truth) == pytest.approx(float(half(truth, truth)))


# ---------------------------------------------------------------- high frequencies


def wave(k: int, amplitude: float, size: int = 16) -> torch.Tensor:
    """k periods along the columns."""
    x = torch.arange(size) / size
    return (amplitude * torch.cos(2 * math.pi * k * x)).expand(1, 1, size, size)


def test_images_that_differ_within_the_band_alone_have_no_high_frequency_loss():
    truth = images(0, count=1)
    assert image_loss("high_frequency")(truth + wave(3, 0.5) + 0.2, truth) < 1e-6
    assert image_loss("high_frequency")(truth + wave(6, 0.5), truth) > 1e-2
    assert image_loss("high_frequency", scale=4)(truth + wave(3, 0.5), truth) > 1e-2


def test_the_high_frequency_loss_of_a_wave_is_its_amplitude_over_the_samples():
    expected = 2 * (0.5 * 16 / 2) / (16 * 16 - 8 * 8)  # two samples of amplitude x size / 2, of all outside 8 x 8
    assert image_loss("high_frequency")(wave(6, 0.5), torch.zeros(1, 1, 16, 16)) == pytest.approx(expected, rel=1e-4)


def test_the_high_frequency_loss_sees_power_and_not_place():
    truth = images(0)
    assert image_loss("high_frequency")(truth.roll((2, 5), (2, 3)), truth) < 1e-6


# ---------------------------------------------------------------- perceptual


class Doubled(nn.Module):
    """The simplest features."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return 2 * image


def test_the_perceptual_loss_is_the_mean_square_distance_of_the_features():
    restored, truth = images(0).requires_grad_(), images(1).requires_grad_()
    loss = PerceptualLoss(Doubled())(restored, truth)
    loss.backward()
    assert loss.item() == pytest.approx(4 * (restored - truth).square().mean().item())
    assert restored.grad.abs().sum() > 0
    assert truth.grad is None


def test_the_features_of_mri_are_those_of_the_installed_model():
    network = zoo.load("mri-x2").network.network
    image = images(0)
    with torch.no_grad():
        head = network.head(image.repeat(1, 5, 1, 1))
        assert torch.equal(MRIFeatures()(image), network.body(head))
        assert torch.equal(MRIFeatures(blocks=2)(image), network.body[1](network.body[0](head)))
    assert torch.equal(MRIFeatures()(image), MRIFeatures()(image))


@pytest.mark.parametrize("skip", ["bicubic", None])
def test_the_features_of_mri_can_be_those_of_another_model(tmp_path, skip):
    path = store_model(tmp_path, skip=skip)
    assert MRIFeatures(str(path))(images(0)).shape == (2, 16, 16, 16)


@pytest.mark.parametrize("name", ["perceptual", "perceptual_vgg19"])
def test_features_are_frozen_and_pass_the_gradient_on(make, name):
    loss = make(name)
    image = images(0).requires_grad_()
    before = {key: tensor.clone() for key, tensor in loss.state_dict().items()}
    loss(image, images(1)).backward()
    assert not any(p.requires_grad or p.grad is not None for p in loss.parameters())
    assert all(torch.equal(before[key], tensor) for key, tensor in loss.state_dict().items())
    assert image.grad.abs().sum() > 0


def test_models_without_such_features_are_refused(tmp_path, refuses):
    with refuses("no installed model called 'mri-x9'"):
        MRIFeatures("mri-x9")
    for blocks in (0, 17):
        with refuses("16 blocks", f"not {blocks}"):
            MRIFeatures(blocks=blocks)
    srresnet = store_model(tmp_path, architecture="srresnet")
    with refuses("not an EDSR"):
        MRIFeatures(str(srresnet))


# ---------------------------------------------------------------- VGG-19


def test_vgg19_has_the_tensors_of_torchvision():
    mine = {f"features.{name}": tuple(t.shape) for name, t in layers_up_to("pool5").state_dict().items()}
    assert mine == shapes()
    assert len(CONVOLUTIONS) == 16
    assert sum(math.prod(shape) for shape in mine.values()) == 20_024_384


@pytest.mark.parametrize(
    ("layer", "index", "kind"),
    [
        ("conv1_1", 0, nn.Conv2d),
        ("relu2_2", 8, nn.ReLU),
        ("pool2", 9, nn.MaxPool2d),
        ("conv3_4", 16, nn.Conv2d),
        ("conv5_4", 34, nn.Conv2d),
        ("relu5_4", 35, nn.ReLU),
        ("pool5", 36, nn.MaxPool2d),
    ],
)
def test_a_layer_of_vgg19_has_its_place_in_torchvision(layer, index, kind):
    layers = layers_up_to(layer)
    assert len(layers) == index + 1
    assert isinstance(layers[-1], kind)


def test_the_sixteenth_convolution_comes_after_four_poolings():
    layers = layers_up_to("conv5_4")
    assert sum(isinstance(layer, nn.Conv2d) for layer in layers) == 16
    assert layers(torch.zeros(1, 3, 64, 48, device="meta")).shape == (1, 512, 4, 3)


def test_the_features_of_vgg19_are_those_of_its_formula(tmp_path):
    weights, colours = made_up(3), images(0, count=3).reshape(1, 3, 16, 16)
    vgg = VGG19Features(store(weights, tmp_path), "conv2_1")
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (colours - mean[:, None, None]) / deviation[:, None, None]
    for index in (0, 2):
        x = nn.functional.conv2d(x, weights[f"features.{index}.weight"], weights[f"features.{index}.bias"], padding=1)
        x = x.clamp(min=0)
    x = x.reshape(1, 64, 8, 2, 8, 2).amax(dim=(3, 5))
    x = nn.functional.conv2d(x, weights["features.5.weight"], weights["features.5.bias"], padding=1)
    assert torch.allclose(vgg(colours), x, atol=1e-4)


def test_grey_is_copied_to_the_three_colours(vgg19_file):
    vgg = VGG19Features(vgg19_file, "conv2_1")
    assert torch.equal(vgg(images(0)), vgg(images(0).repeat(1, 3, 1, 1)))


def test_features_before_and_after_the_activation_can_be_had(vgg19_file):
    before, after = (VGG19Features(vgg19_file, layer)(images(0)) for layer in ("conv2_1", "relu2_1"))
    assert before.min() < 0
    assert torch.equal(after, before.clamp(min=0))


def test_reading_vgg19_draws_no_random_number(vgg19_file):
    before = torch.get_rng_state()
    VGG19Features(vgg19_file, "conv2_1")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_file_of_other_weights_is_refused(tmp_path, refuses):
    weights = made_up(3)
    with refuses("vgg19.safetensors", "1 of 6 tensors", "features.2.bias", "torchvision"):
        VGG19Features(store({k: v for k, v in weights.items() if k != "features.2.bias"}, tmp_path), "conv2_1")
    with refuses("26 of 32 tensors", "features.7.weight"):
        VGG19Features(store(weights, tmp_path))
    with refuses("another shape", "features.5.weight"):
        VGG19Features(store({**weights, "features.5.weight": torch.zeros(128, 64, 1, 1)}, tmp_path), "conv2_1")


def test_a_file_that_is_not_safetensors_is_refused(tmp_path, vgg19_file, refuses):
    pickled, garbage = tmp_path / "vgg19.pth", tmp_path / "garbage.safetensors"
    torch.save(made_up(1), pickled)
    garbage.write_bytes(b"no header")
    for path in (pickled, tmp_path / "missing.safetensors", tmp_path):
        with refuses(path.name, "not a safetensors file", "torchvision"):
            VGG19Features(path)
    with refuses("garbage.safetensors", "not a readable"):
        VGG19Features(garbage)
    with refuses("no layer of VGG-19 called 'conv5_5'", "conv5_"):
        VGG19Features(vgg19_file, "conv5_5")


# ---------------------------------------------------------------- several losses


def test_a_weighted_sum_is_the_sum_and_shows_every_term():
    l1, tv = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    total, terms = WeightedSum({"l1": 1, "tv": 0.1})({"tv": tv, "l1": l1})
    total.backward()
    assert total.item() == pytest.approx(2.3)
    assert (l1.grad, tv.grad) == (1, pytest.approx(0.1))
    assert terms == {"l1": 2, "tv": 3}
    assert not any(term.requires_grad for term in terms.values())


def test_a_term_without_weight_is_shown_and_does_no_harm():
    total, terms = WeightedSum({"l1": 1, "tv": 0})({"l1": torch.tensor(2.0), "tv": torch.tensor(float("nan"))})
    assert total == 2
    assert terms["tv"].isnan()


def test_terms_and_weights_must_have_the_same_names(refuses):
    both = WeightedSum({"l1": 1, "tv": 0.1})
    for terms in ({}, {"l1": torch.tensor(1.0)}, dict.fromkeys(("l1", "tv", "mse"), torch.tensor(1.0))):
        with refuses("weights for l1, tv", "losses for " + (", ".join(sorted(terms)) or "nothing")):
            both(terms)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_weights_that_make_no_sense_are_refused(refuses, weight):
    with refuses("'tv'", str(weight)):
        WeightedSum({"l1": 1, "tv": weight})
    with refuses("at least one"):
        WeightedSum({"l1": 0})


def test_the_loss_in_decibels_weighs_a_good_patch_as_much_as_a_bad_one():
    truth = torch.zeros(2, 1, 4, 4)
    errors = torch.tensor([0.3, 0.03]).view(2, 1, 1, 1)
    slopes = {}
    for name, loss in SECOND_LOSSES.items():
        restored = errors.expand_as(truth).clone().requires_grad_()
        loss(restored, truth).backward()
        slopes[name] = (restored.grad * errors).sum(dim=(1, 2, 3)).tolist()  # for the same share of each patch's error
    assert slopes["mse"][0] == pytest.approx(100 * slopes["mse"][1])
    assert slopes["psnr"][0] == pytest.approx(slopes["psnr"][1], rel=0.15)
