"""A series agrees with its scan where the forward model is known for sure, and is left alone where it is not."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import brain
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.diffusion.guides import background_levels
from SuperResolutionLib.physics.agreement import putting_back_series, together
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.recognition import CANDIDATES, SCANNER, model_of_series, name_of
from SuperResolutionLib.physics.transfer import Transfer
from SuperResolutionLib.volume import Gradients, Volume

SIZE = (32, 24, 2)


@pytest.fixture
def truth():
    """Three unweighted volumes and seven weighted ones: one head, each with some texture of its own."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((10, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[:3] = 0
    head = gaussian_filter(brain(SIZE).voxels, (0, 1, 1))
    texture = 1 + gaussian_filter(rng.uniform(-0.3, 0.3, (10, *head.shape)), (0, 0, 0.7, 0.7))
    voxels = head * texture * np.where(np.arange(10) < 3, 1, 0.5)[:, None, None, None]
    gradients = Gradients(np.array([0.0] * 3 + [1000.0] * 7), vectors)
    return replace(brain(SIZE), voxels=voxels.astype(np.float32), gradients=gradients)


def unit(volume: Volume, k: int = 0) -> np.ndarray:
    return volume.voxels[:, k] / np.percentile(volume.voxels, 99.9)


def disturbed(volume: Volume, share: float, seed: int = 1) -> Volume:
    """What a network might make of it: the truth with errors of its own, the same ones in all volumes but a little."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal(volume.voxels.shape[1:])
    own = rng.standard_normal(volume.voxels.shape)
    return volume.with_voxels((volume.voxels * (1 + share * (common + 0.5 * own))).astype(np.float32))


def error(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(one - other))))


@pytest.mark.parametrize("name", CANDIDATES)
def test_the_forward_model_of_a_scan_is_recognised(truth, name):
    low = degrade(truth, name, 2)
    assert model_of_series(unit(disturbed(truth, 0.002)), unit(low) * low_range(low, truth)) == name


def test_a_scan_with_partial_fourier_is_not_taken_for_one_with_a_window(truth):
    """Put back as if it had a window, it was sharpened where nothing was measured: 2 dB below sinc interpolation."""
    low = degrade(truth, "acquisition:partial=0.75,window=tukey,width=0.4", 2)
    true, coarse = unit(truth), unit(low) * low_range(low, truth)
    assert name_of(model_of_series(unit(disturbed(truth, 0.005)), coarse)) == SCANNER
    fine, shares = gaussian_filter(true, (0, 0.6, 0.6)), np.eye(10, dtype=np.float32)
    back, as_if = (together(fine, coarse, model, shares) for model in (Transfer.between(fine, coarse), "k_space_tukey"))
    assert error(back, true) < 0.9 * error(as_if, true)


def low_range(low: Volume, truth: Volume) -> float:
    """Both in the unit of the truth."""
    return float(np.percentile(low.voxels, 99.9) / np.percentile(truth.voxels, 99.9))


@pytest.mark.parametrize("name", CANDIDATES)
@pytest.mark.parametrize("scale", [2, 4])
def test_the_restored_series_degrades_to_its_scan(truth, name, scale):
    low, wrong = degrade(truth, name, scale), disturbed(truth, 0.005)
    restored = wrong.with_voxels(wrong.voxels.copy())
    list(putting_back_series(low, restored, 2))
    level = background_levels(low)[0]
    before, after = (
        error(degrade(v.with_voxels(v.voxels - level), name, scale).voxels, low.voxels - level)
        for v in (wrong, restored)
    )
    assert after < 0.5 * before


def test_a_noisy_scan_is_not_agreed_with(truth):
    low = degrade(truth, "rician:snr=15", 2)
    restored = truth.with_voxels(truth.voxels.copy())
    list(putting_back_series(low, restored, 2))
    assert np.array_equal(restored.voxels, truth.voxels)


def test_only_fine_detail_is_shared_and_only_within_a_shell(truth):
    low = degrade(truth, "bicubic", 2)
    restored = truth.with_voxels(truth.voxels.copy())
    list(putting_back_series(low, restored, 2))
    change = restored.voxels - truth.voxels
    assert np.abs(change).max() > 1
    scale = np.abs(truth.voxels).max()
    assert np.abs(degrade(truth.with_voxels(change), "bicubic", 2).voxels).max() < 0.01 * scale
    for shell in (slice(0, 3), slice(3, 10)):
        ranges = np.array([np.percentile(voxels, 99.9) for voxels in truth.voxels[shell]])[:, None, None, None]
        assert np.abs((change[shell] / ranges).mean(axis=0)).max() < 0.005


def test_of_volumes_that_are_alike_sharing_takes_nothing(truth):
    alike = truth.with_voxels(np.broadcast_to(truth.voxels[:1], truth.voxels.shape).copy())
    restored = alike.with_voxels(alike.voxels.copy())
    list(putting_back_series(degrade(alike, "area", 2), restored, 2))
    assert error(restored.voxels, alike.voxels) < 1e-3 * alike.voxels.max()


def test_one_slice_is_restored_as_among_all(truth):
    low, wrong = degrade(truth, "k_space", 2), disturbed(truth, 0.005)
    whole = wrong.with_voxels(wrong.voxels.copy())
    list(putting_back_series(low, whole, 2))
    one = wrong.with_voxels(wrong.voxels[:, 1:].copy())
    list(putting_back_series(low, one, 2, only=1))
    assert np.array_equal(one.voxels[:, 0], whole.voxels[:, 1])
