"""Whatever is added to a scan's intensities, or whatever they are multiplied by: the result is the same, so changed."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_words import EXACT, enhance, restored
from phantoms import brain, stack
from tiny_models import tiny

from SuperResolutionLib.intensity import Normalisation, background_level
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.volume import Gradients, Volume

NEAR = 1e-4  # of the range: rounding, as networks pass it on


def head(slices: int = 2) -> Volume:
    """A blurred head on a noisy background, as a scanner shows it."""
    random = np.random.default_rng(3)
    noise = 12 * np.hypot(*random.normal(size=(2, slices, 30, 34)))
    return degrade(stack((brain((34, 30, slices)).voxels + noise).astype(np.float32)), "area", 1.25)


def dwi() -> Volume:
    """A series of one b0 and seven weighted volumes."""
    vectors = np.random.default_rng(5).normal(size=(8, 3))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    vectors[0] = 0
    one = head()
    weights = np.array([1.0, *np.linspace(0.3, 0.5, 7)], np.float32)
    voxels = weights[:, None, None, None] * one.voxels
    return replace(one, voxels=voxels, gradients=Gradients(np.array([0.0, *[1000.0] * 7]), vectors))


def reach(volume: Volume) -> float:
    return float(np.ptp(volume.voxels.astype(np.float64)))


def changed(volume: Volume, factor: float, plus: float) -> Volume:
    return volume.with_voxels((factor * volume.voxels.astype(np.float64) + plus).astype(np.float32))


def apart(one: Volume, other: Volume) -> float:
    return float(np.abs(one.voxels - other.voxels.astype(np.float64)).max()) / reach(other)


@pytest.mark.parametrize("name", sorted(zoo.installed()))
def test_every_model_gives_the_same_of_shifted_and_scaled_intensities(name):
    """Fault A: the networks know values from 0 up only, and made rubbish of signed ones."""
    model, volume = zoo.load(name), head()
    result = enhance(volume, model, **EXACT)
    factor, shift = 0.004, -2.1  # others: below, with a small network
    plus = factor * shift * reach(volume)
    found = enhance(changed(volume, factor, plus), model, **EXACT)
    assert apart(found, changed(result, factor, plus)) < NEAR


OPTIONS = [{}, {"put_back": "k_space"}, {"ensemble": True}, {"plane": "coronal"}, {"only": 1}]


@cache
def given_of(kind: str) -> tuple[Volume, zoo.Model]:
    return (head(), tiny()) if kind == "scan" else (dwi(), tiny(guides=("mean_b0", "fitted")))


@cache
def unchanged(kind: str, options: tuple[tuple[str, object], ...]) -> Volume:
    """What comes of the volume as it is, once for all examples."""
    return enhance(*given_of(kind), **dict(options), **EXACT)


@settings(max_examples=6, deadline=None)
@given(factor=st.floats(1e-3, 1e3), shift=st.floats(-3, 3))
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", ["scan", "series"])
def test_any_factor_and_any_shift_can_be_undone(kind, options, factor, shift):
    """Fault A: in every way to run a model; a series has one shift and one factor."""
    volume, model = given_of(kind)
    plus = factor * shift * reach(volume)
    expected = changed(unchanged(kind, tuple(options.items())), factor, plus)
    assert apart(enhance(changed(volume, factor, plus), model, **options, **EXACT), expected) < 5 * NEAR


def test_a_shift_leaves_the_uncertainty_and_a_factor_multiplies_it():
    """Fault A."""
    one, other = (
        restored(volume, tiny(), uncertainty=True, **EXACT).uncertainty
        for volume in (head(), changed(head(), 3, -2000))
    )
    assert np.allclose(other.voxels, 3 * one.voxels, rtol=1e-2, atol=1e-4 * reach(head()))


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint16, np.float32, np.float64])
def test_a_shift_may_be_one_of_integers(dtype):
    """Fault A: of integers only the rounding may differ, by one."""
    whole = head().cast(np.int16)
    result = enhance(whole, tiny(), **EXACT).voxels.astype(np.float64)
    plus = 3000 if np.dtype(dtype).kind == "u" else -1024
    found = enhance(whole.with_voxels((whole.voxels.astype(np.int32) + plus).astype(dtype)), tiny(), **EXACT).voxels
    assert found.dtype == dtype
    if np.dtype(dtype).kind == "f":
        found = np.rint(found)
    assert np.abs(found - plus - result)[result > 0].max() <= 1


def test_a_large_shift_costs_no_digits_in_double_precision():
    """Fault A: 2**24 is where single precision ends."""
    volume = head().cast(np.float64)
    far = volume.with_voxels(volume.voxels + 1e9)
    assert np.abs(enhance(far, tiny(), **EXACT).voxels - 1e9 - enhance(volume, tiny(), **EXACT).voxels).max() < 0.1


def test_hounsfield_units_give_what_the_same_above_zero_gives():
    """Fault A: air at -1000, tissue at 40, a rim at 900 came out from -4536 to 4752."""
    y, x = np.mgrid[-20:20, -20:20]
    away = np.hypot(x, y)
    disc = np.where(away < 13, 40, np.where(away < 16, 900, -1000))
    noise = np.random.default_rng(0).normal(0, 12, (3, 40, 40))
    scan = Volume(np.rint(disc + noise).astype(np.int16), (1.5, 1.5, 5.0))
    for name in ("mri-x2", "E-edsr-x2"):
        result = enhance(scan, zoo.load(name), **EXACT)
        above = enhance(scan.with_voxels(scan.voxels + np.int16(1000)), zoo.load(name), **EXACT)
        assert np.abs(result.voxels.astype(int) + 1000 - above.voxels).max() <= 1


def test_a_signed_series_is_not_cut_off_at_zero():
    """Fault A: what lies lowest of a diffusion series is the floor, not 0."""
    series = dwi()
    low = float(series.voxels.min())
    assert enhance(series, tiny(), **EXACT).voxels.min() >= low
    moved = enhance(changed(series, 1, -1000), tiny(), **EXACT)
    assert moved.voxels.min() == pytest.approx(low - 1000)


def test_the_level_of_a_magnitude_scan_is_exactly_zero():
    voxels = head().cast(np.int16).voxels
    voxels[0, 0, 0] = 0
    assert background_level(voxels) == 0
    scan = Normalisation.of(voxels, 0.0)
    assert np.array_equal(scan.shown(voxels), voxels / np.float32(np.percentile(voxels, 99.9)))


def test_one_voxel_far_below_all_others_is_no_level():
    voxels = head().voxels.copy()
    level = background_level(voxels)
    voxels[0, 0, 0] = -32768
    assert abs(background_level(voxels) - level) < 0.02 * np.ptp(head().voxels)


@pytest.mark.parametrize("model", ["k_space", "area", "rician:snr=20", "k_space_tukey"])
def test_a_signed_scan_is_made_coarse_as_the_same_above_zero_is(model):
    """Fault A: the magnitude that a forward model takes folded negative voxels."""
    volume = changed(head(), 1, -float(head().voxels.min()))
    expected = degrade(volume, model, 2)
    assert apart(degrade(changed(volume, 1, -700), model, 2), changed(expected, 1, -700)) < 1e-5
