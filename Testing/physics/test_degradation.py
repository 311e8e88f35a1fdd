"""Each forward model is the physics that its docstring says, on the right grid, and the same with the same seed."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from phantoms import blobs, brain, centre_of_mass, middle, shift, stack
from scipy import ndimage
from scipy.signal import windows
from torch.nn.functional import interpolate

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.acquisition import Acquisition
from SuperResolutionLib.physics.degradation import MODELS, by_name, degrade, reference_volume
from SuperResolutionLib.physics.forward_models import Area, Bicubic, KSpaceTukey, Level, NoiseDown, Rician
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.physics.mixtures import Mixture
from SuperResolutionLib.volume import Gradients, Volume

NOISY = ["noise_down", "rician"]
MIXTURES = [name for name, model in MODELS.items() if isinstance(model, Mixture)]
SCANNERS = [name for name, model in MODELS.items() if isinstance(model, Acquisition)]  # in test_acquisition
QUIET = [name for name in MODELS if name not in (*NOISY, *MIXTURES, *SCANNERS, "slices")]
PROTOCOL = [
    *("bicubic", "area", "k_space", "k_space_hamming", "k_space_tukey", "k_space_zero_filled"),
    *("bicubic_blur3", "gauss_bicubic", "noise_down", "rician", "clinical"),
]
# Coarse sizes even and odd, along rows and columns.
SIZES = [(8, 8), (24, 36), (12, 28)]


@pytest.fixture(params=SIZES, ids=str)
def fine(request) -> np.ndarray:
    return np.random.default_rng(5).uniform(0, 100, request.param).astype(np.float32)


@pytest.fixture(params=[2, 4], ids="x{}".format)
def scale(request) -> int:
    return request.param


def shrink(fine: np.ndarray, model: str, scale: int) -> np.ndarray:
    return degrade(stack(fine), model, scale).voxels[0]


def torch_bicubic(fine: np.ndarray, scale: int) -> np.ndarray:
    size = [n // scale for n in fine.shape]
    given = torch.from_numpy(np.ascontiguousarray(fine, np.float32))[None, None]
    return interpolate(given, size, mode="bicubic", antialias=True)[0, 0].numpy()


def test_every_model_of_the_protocol_is_there_by_name():
    assert set(PROTOCOL) <= set(MODELS)


# ---------------------------------------------------------------- golden values


def test_bicubic_is_antialiased_with_a_minus_a_half_edges_included(fine, scale):
    assert np.abs(shrink(fine, "bicubic", scale) - torch_bicubic(fine, scale)).max() < 1e-3


def test_area_is_the_mean_of_each_block(fine, scale):
    h, w = fine.shape
    mean = fine.reshape(h // scale, scale, w // scale, scale).mean(axis=(1, 3))
    assert np.abs(shrink(fine, "area", scale) - mean).max() < 1e-4


def test_bicubic_blur3_is_bicubic_then_a_3x3_gaussian(fine, scale):
    kernel = np.exp(-0.5 * (np.mgrid[-1:2, -1:2] ** 2).sum(0))
    blurred = ndimage.correlate(torch_bicubic(fine, scale), kernel / kernel.sum(), mode="nearest")
    assert np.abs(shrink(fine, "bicubic_blur3", scale) - blurred).max() < 1e-3


def test_gauss_bicubic_is_a_centred_gaussian_then_bicubic(fine, scale):
    blurred = ndimage.gaussian_filter(fine, 0.5, mode="nearest")
    assert np.abs(shrink(fine, "gauss_bicubic", scale) - torch_bicubic(blurred, scale)).max() < 1e-3


def truncated(fine: np.ndarray, scale: int, weights=np.ones) -> np.ndarray:
    """The centre of k-space, weighted, transformed back at the coarse voxels' centres, magnitude."""
    k_space = np.fft.fftshift(np.fft.fft2(fine))
    for axis, n in enumerate(fine.shape):
        m = n // scale
        k = np.arange(-(m // 2), m - m // 2)
        ramp = np.exp(2j * np.pi * k * (scale - 1) / 2 / n)
        k_space = k_space.take(n // 2 + k, axis=axis)
        k_space = k_space * np.expand_dims(weights(m) * ramp, 1 - axis)
    return np.abs(np.fft.ifft2(np.fft.ifftshift(k_space))) / scale**2


def test_k_space_is_a_crop_a_half_voxel_ramp_and_the_magnitude(fine, scale):
    assert np.abs(shrink(fine, "k_space", scale) - truncated(fine, scale)).max() < 1e-3


@pytest.mark.parametrize("size", [(24, 40), (8, 16)], ids=str)
def test_k_space_hamming_weights_it_with_a_hamming_window(size):
    fine = np.random.default_rng(5).uniform(0, 100, size)
    expected = truncated(fine, 2, lambda m: windows.hamming(m, sym=False))
    assert np.abs(shrink(fine, "k_space_hamming", 2) - expected).max() < 1e-3


@pytest.mark.parametrize("size", [(24, 40), (8, 16)], ids=str)
@pytest.mark.parametrize("alpha", [0.3, 0.8, 1.0])
def test_k_space_tukey_weights_it_with_a_tapered_cosine(size, alpha):
    fine = np.random.default_rng(5).uniform(0, 100, size)
    expected = truncated(fine, 2, lambda m: windows.tukey(m, alpha, sym=False))
    assert np.abs(shrink(fine, f"k_space_tukey:alpha={alpha}", 2) - expected).max() < 1e-3


def test_the_tukey_window_tapers_three_tenths_unless_told():
    assert MODELS["k_space_tukey"] == KSpaceTukey(0.3)


@pytest.mark.parametrize("model", ["k_space_hamming", "k_space_tukey"])
def test_windows_are_even_about_the_centre_of_an_odd_matrix(model):
    hamming = 0.54 + 0.46 * np.cos(np.pi * 6 / 6.5)
    tukey = 0.5 * (1 + np.cos(np.pi * (6 / 6.5 - 0.7) / 0.3))
    edge = {"k_space_hamming": hamming, "k_space_tukey": tukey}[model]
    wave = np.cos(2 * np.pi * 6 * (np.arange(26) + 0.5) / 26)  # the highest frequency that 13 voxels hold
    coarse = shrink(np.tile(100 + 50 * wave, (26, 1)), model, 2)[0]
    expected = 100 + 50 * edge * np.cos(2 * np.pi * 6 * (np.arange(13) + 0.5) / 13)
    assert np.abs(coarse - expected).max() < 1e-3


def test_k_space_zero_filled_sets_the_outer_samples_to_zero_and_keeps_the_matrix(fine, scale):
    k_space = np.fft.fft2(fine)
    for axis, n in enumerate(fine.shape):
        m = n // scale
        k = np.fft.fftfreq(n, 1 / n)
        kept = (k >= -(m // 2)) & (k < m - m // 2)
        k_space = k_space * np.expand_dims(kept, 1 - axis)
    result = degrade(stack(fine), "k_space_zero_filled", scale)
    assert np.abs(result.voxels[0] - np.abs(np.fft.ifft2(k_space))).max() < 1e-3
    assert result.spacing == stack(fine).spacing
    assert result.origin == stack(fine).origin


def test_thick_is_a_soft_profile_of_the_wanted_width():
    line = np.zeros(129)
    line[64] = 1
    seen = MODELS["thick"].matrix(129, 129) @ line
    assert seen[64] == seen.max()
    half = np.interp(0.5, np.array(seen[64:70] / seen.max())[::-1], np.arange(6)[::-1])
    assert half == pytest.approx(0.5, abs=0.2)  # a width of one coarse voxel at half its height


# ---------------------------------------------------------------- what all of them share


@pytest.mark.parametrize("model", [*QUIET, "noise_down"])
@pytest.mark.parametrize("size", [(9, 9), (26, 31), (8, 5)], ids=str)
def test_a_constant_slice_stays_constant_up_to_its_edges(model, scale, size):
    text = "noise_down:level=1e-9" if model == "noise_down" else model
    assert np.abs(shrink(np.full(size, 500.0), text, scale) - 500).max() < 0.01


@pytest.mark.parametrize("model", [name for name in MODELS if name not in (*MIXTURES, *SCANNERS, "slices")])
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_nothing_moves(model, factor):
    """Both ways: the coarse scan lies where the truth lies, and so does what every method makes of it."""
    empty = Volume(np.zeros((2, 60, 72)), (0.8, 0.8, 4.0), (-31.0, 12.0, 5.0))
    about = middle(empty)
    truth = empty.with_voxels(blobs(empty, about, 13))
    coarse = degrade(truth, model, factor)
    if model in NOISY:
        seeds = [degrade(truth, model, factor, seed=seed).voxels for seed in range(24)]
        coarse = coarse.with_voxels(np.mean(seeds, axis=0))
    assert shift(coarse.voxels[1], blobs(coarse, about, 13)[1]) < 0.05
    if model != "rician":  # its background is bright
        assert np.abs(centre_of_mass(coarse) - centre_of_mass(truth))[:2].max() < 0.05
    if model == "k_space_zero_filled":
        return
    for method in METHODS:
        restored = upsample(coarse, method, factor)
        assert restored.voxels.shape == truth.voxels.shape
        assert shift(restored.voxels[1], truth.voxels[1]) < 0.05


@pytest.mark.parametrize("model", QUIET)
def test_each_slice_is_degraded_by_itself(model):
    volume = brain((16, 12, 3))
    whole = degrade(volume, model, 2)
    for k in range(3):
        assert np.allclose(whole.voxels[k], shrink(volume.voxels[k], model, 2), atol=1e-3)


@pytest.mark.parametrize("model", ["bicubic", "k_space"])
@pytest.mark.parametrize(("plane", "axis"), [("axial", 0), ("coronal", 1), ("sagittal", 2)])
def test_slices_are_those_of_the_plane(model, plane, axis):
    volume = Volume(np.random.default_rng(0).uniform(0, 100, (8, 12, 16)).astype(np.float32))
    coarse = degrade(volume, model, sampling=Sampling(factor=2, plane=plane))
    for k in range(volume.voxels.shape[axis]):
        alone = shrink(volume.voxels.take(k, axis), model, 2)
        assert np.allclose(coarse.voxels.take(k, axis), alone, atol=1e-3)


@pytest.mark.parametrize("model", QUIET)
def test_sizes_that_the_scale_does_not_divide_are_cropped_at_the_far_end(model):
    odd = brain((27, 29, 2))
    even = Volume(odd.voxels[:, :28, :24], odd.spacing)
    assert np.array_equal(degrade(odd, model, 4).voxels, degrade(even, model, 4).voxels)


@pytest.mark.parametrize("model", [name for name in MODELS if name != "slices"])
@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32, np.float64])
def test_the_voxel_type_stays(model, dtype):
    given = brain((8, 8, 2)).with_voxels(brain((8, 8, 2)).voxels / 4).cast(dtype)
    assert degrade(given, model, 2).voxels.dtype == dtype


@pytest.mark.parametrize("model", QUIET)
def test_an_integer_scan_is_rounded_not_truncated(model):
    volume = brain((24, 24, 2)).cast(np.int16)
    exact = degrade(volume.cast(np.float32), model, 2)
    assert np.abs(degrade(volume, model, 2).voxels - exact.voxels).max() < 0.501


@pytest.mark.parametrize("model", [name for name in MODELS if name != "slices"])
def test_an_empty_scan_gives_finite_voxels(model):
    assert np.isfinite(degrade(stack(np.zeros((2, 8, 8), np.float32)), model, 2).voxels).all()


@pytest.mark.parametrize("model", [*QUIET, "noise_down"])
def test_a_patch_is_cut_from_the_whole_slice_after_degrading_it(model, scale):
    fine = brain((48, 40, 3)).voxels
    level = Level.of(fine)
    patch = (slice(1, 6), slice(3, 9))
    whole, part = (
        MODELS[model].slices(fine, scale, level, np.random.default_rng(1), p)
        for p in ((slice(None), slice(None)), patch)
    )
    assert part.shape == (3, 5, 6)
    assert np.allclose(part, whole[:, 1:6, 3:9], atol=1e-3)


def test_a_patch_of_a_rician_scan_has_noise_of_its_own_on_the_same_head():
    fine = brain((48, 40, 3)).voxels
    part = Rician(1e9).slices(fine, 2, Level.of(fine), np.random.default_rng(1), (slice(2, 7), slice(3, 9)))
    assert np.allclose(part, degrade(stack(fine), "k_space", 2).voxels[:, 2:7, 3:9], atol=1e-2)


# ---------------------------------------------------------------- noise


def test_noise_down_adds_two_percent_of_the_range_to_the_fine_scan():
    fine = brain((120, 120, 4)).voxels
    noise = NoiseDown().noise_before(fine, Level.of(fine), np.random.default_rng(0)) - fine
    assert noise.std() == pytest.approx(0.02 * np.percentile(fine, 99.9), rel=0.02)
    assert abs(noise.mean()) < 0.02 * noise.std()


def test_noise_down_adds_its_noise_before_it_shrinks():
    volume = brain((120, 120, 4))
    noise = degrade(volume, "noise_down", 2).voxels - degrade(volume, "bicubic", 2).voxels
    row = Bicubic().matrix(120, 60)[30]
    expected = 0.02 * np.percentile(volume.voxels, 99.9) * (row**2).sum()
    assert noise.std() == pytest.approx(expected, rel=0.04)


def test_a_second_level_of_noise_is_a_setting_away():
    volume = brain((60, 60, 4))
    quiet = degrade(volume, "bicubic", 2).voxels
    two, five = ((degrade(volume, f"noise_down:level={x}", 2).voxels - quiet).std() for x in (0.02, 0.05))
    assert five / two == pytest.approx(2.5, rel=1e-3)


def half_in_air() -> Volume:
    """Half of it a head of 1000, half of it air."""
    voxels = np.zeros((8, 64, 64), np.float32)
    voxels[:, :, 20:52] = 1000
    return stack(voxels)


@pytest.mark.parametrize("snr", [20.0, 40.0])
def test_rician_noise_is_the_mean_of_the_head_over_the_snr(snr):
    coarse = degrade(half_in_air(), f"rician:snr={snr},", 2).voxels
    plain = degrade(half_in_air(), "k_space", 2).voxels
    head = (coarse - plain)[:, :, 14:22]
    assert head.std() == pytest.approx(1000 / snr, rel=0.05)


def test_the_rician_background_is_rayleigh():
    air = half_in_air().voxels.copy()
    air[:, :, 20:52] = 0
    sigma = 1000 / 20
    noisy = Rician(20.0, Area()).slices(air, 2, Level(1000, 1000), np.random.default_rng(0))
    assert noisy.mean() == pytest.approx(sigma * np.sqrt(np.pi / 2), rel=0.02)
    assert noisy.std() == pytest.approx(sigma * np.sqrt(2 - np.pi / 2), rel=0.03)
    assert noisy.min() >= 0


def test_the_levels_are_the_range_and_the_mean_of_the_head():
    voxels = half_in_air().voxels.copy()
    voxels[:, :, 0] = 40  # below 5 % of the range: not head
    assert Level.of(voxels) == Level(1000.0, 1000.0)


@pytest.mark.parametrize("model", [name for name in MODELS if name != "slices"])
def test_the_same_seed_gives_the_same_voxels(model):
    volume = brain((16, 16, 2))
    one, same = (degrade(volume, model, 2, seed=3).voxels for _ in range(2))
    assert np.array_equal(one, same)


@pytest.mark.parametrize("model", NOISY)
def test_other_seeds_give_other_noise(model):
    volume = brain((16, 16, 2))
    drawn = [degrade(volume, model, 2, seed=seed).voxels for seed in (0, 1, 2)]
    assert all(np.abs(a - b).max() > 1 for a, b in pairwise(drawn))


def test_slices_of_a_scan_do_not_share_their_noise():
    volume = stack(np.tile(brain((16, 16, 1)).voxels, (2, 1, 1)))
    coarse = degrade(volume, "rician", 2).voxels
    assert np.abs(coarse[0] - coarse[1]).max() > 1


# ---------------------------------------------------------------- series


def series() -> Volume:
    """Weighted volumes first, half as bright; then the b = 0 volume."""
    bright = half_in_air().voxels
    gradients = Gradients(np.array([1000.0, 0.0, 700.0]), np.zeros((3, 3)))
    return Volume(np.stack([bright / 2, bright, bright / 2]), (1.0, 1.0, 4.0), gradients=gradients)


def test_noise_in_a_series_is_measured_against_its_first_b0():
    assert reference_volume(series()).max() == 1000
    noise = (degrade(series(), "rician", 2).voxels - degrade(series(), "k_space", 2).voxels)[..., 14:22]
    assert [t.std() for t in noise] == pytest.approx([50, 50, 50], rel=0.06)


def test_a_series_without_gradients_is_measured_against_its_first_volume():
    plain = Volume(series().voxels, series().spacing)
    assert reference_volume(plain).max() == 500


def test_gradients_come_along_and_each_volume_is_degraded_by_itself():
    coarse = degrade(series(), "k_space", 2)
    assert coarse.gradients is not None
    assert coarse.gradients.bvals.tolist() == [1000, 0, 700]
    for t in range(3):
        alone = degrade(Volume(series().voxels[t], series().spacing), "k_space", 2)
        assert np.array_equal(coarse.voxels[t], alone.voxels)


# ---------------------------------------------------------------- the mixture


def draws(mixture):
    return [by_name(mixture).draw(np.random.default_rng(seed)) for seed in range(400)]


@pytest.fixture(scope="module", params=MIXTURES)
def drawn(request):
    return draws(request.param)


def test_the_clinical_mixture_draws_many_models_and_four_of_them_most_often():
    drawn = draws("clinical")
    assert {type(model).__name__ for model in drawn} == {
        *("Bicubic", "Area", "KSpace", "BicubicBlur3", "KSpaceHamming", "KSpaceTukey"),
        *("GaussBicubic", "Thick", "NoiseDown", "Rician"),
    }
    plain = [MODELS[name] for name in ("bicubic", "area", "k_space", "bicubic_blur3")]
    assert sum(model in plain for model in drawn) / len(drawn) == pytest.approx(0.8, abs=0.08)


def noisy_share(mixture):
    return np.mean([isinstance(model, (Rician, NoiseDown)) for model in draws(mixture)])


def test_the_diffusion_mixture_is_truncated_k_space_first_and_resizing_second():
    drawn = draws("diffusion")
    assert drawn.count(MODELS["k_space"]) / len(drawn) == pytest.approx(0.44, abs=0.08)
    assert drawn.count(MODELS["bicubic"]) / len(drawn) == pytest.approx(0.26, abs=0.08)
    assert noisy_share("diffusion") == pytest.approx(0.12, abs=0.05)
    assert noisy_share("diffusion:noise=0.4") == pytest.approx(0.4, abs=0.08)


def test_the_diffusion_mixture_has_as_many_scanners_as_it_is_asked_for():
    scanners = [model for model in draws("diffusion:scanners=0.5") if isinstance(model, Acquisition)]
    assert len(scanners) / len(draws("diffusion:scanners=0.5")) == pytest.approx(0.5, abs=0.08)
    assert np.mean([np.isfinite(model.snr) for model in scanners]) == pytest.approx(0.75, abs=0.08)


def test_a_mixture_never_draws_itself_nor_a_model_that_keeps_the_matrix(drawn):
    assert not any(model.keeps_matrix for model in drawn)
    assert all(isinstance(model, Acquisition) or model.matrix(8, 4).shape == (4, 8) for model in drawn)


def test_what_a_mixture_gives_is_finite_and_of_the_coarse_size(drawn, scale):
    fine = brain((16, 24, 2)).voxels
    for seed, model in enumerate(drawn[:150]):
        coarse = model.slices(fine, scale, Level.of(fine), np.random.default_rng(seed))
        assert coarse.shape == (2, 24 // scale, 16 // scale)
        assert np.isfinite(coarse).all()
        assert isinstance(model, Acquisition) or abs(coarse.mean() / fine.mean() - 1) < 0.2


@pytest.mark.parametrize("mixture", MIXTURES)
def test_each_scan_of_a_mixture_goes_through_a_model_of_its_own(mixture):
    volume = brain((16, 16, 2))
    results = {degrade(volume, mixture, 2, seed=seed).voxels.tobytes() for seed in range(20)}
    assert len(results) > 5


@pytest.mark.parametrize("mixture", MIXTURES)
def test_a_mixture_itself_has_no_matrix(mixture):
    with pytest.raises(InputError, match="draw a model"):
        MODELS[mixture].matrix(8, 4)


# ---------------------------------------------------------------- by name


def test_a_setting_after_the_colon_overrides_the_models_own():
    assert by_name("rician:snr=15") == Rician(snr=15)
    assert by_name("rician") == Rician(snr=20)
    assert by_name("noise_down:level=0.05") == NoiseDown(0.05)
    assert by_name("thick:fwhm=2e-1").fwhm == 0.2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("k_spase", "no degradation called 'k_spase'; did you mean 'k_space'"),
        ("bicubc", "did you mean 'bicubic'"),
        ("xyz", "known are: acquisition, area, bicubic"),
        ("", "no degradation called ''"),
        ("rician:snir=15", "no parameter of degradation 'rician' called 'snir'; did you mean 'snr'"),
        ("rician:base=15", "no parameter of degradation 'rician' called 'base'"),
        ("area:sigma=1", "no parameter of degradation 'area' called 'sigma'"),
        ("clinical:snr=9", "no parameter of degradation 'clinical' called 'snr'"),
        *((f"rician:snr{value}", "give a number above 0") for value in ("", "=", "=a", "=-3", "=0", "=inf", "=nan")),
    ],
)
def test_a_name_or_setting_that_does_not_exist_is_refused_with_the_nearest(text, sentence):
    with pytest.raises(InputError, match=sentence):
        by_name(text)


def test_a_slice_too_small_for_the_scale_is_refused():
    with pytest.raises(InputError, match="use a smaller scale"):
        degrade(stack(np.ones((3, 9))), "k_space", 4)
