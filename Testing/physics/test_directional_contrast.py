"""The differences between the volumes of a series stay as strong as the scan has them, and leave its noise behind."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import brain
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.diffusion.guides import mean_alike
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.directional_contrast import STRONGEST, in_words, keeping_contrast
from SuperResolutionLib.volume import Gradients, Volume

SIZE = (40, 36, 6)
WEIGHTED = slice(1, None)


def series(directions: int = 12) -> Volume:
    """One unweighted volume and weighted ones, each the darker, the more fibres run along its direction."""
    vectors = np.random.default_rng(0).standard_normal((1 + directions, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[0] = 0
    head = gaussian_filter(brain(SIZE).voxels, (0, 1, 1))
    along = gaussian_filter(np.random.default_rng(1).uniform(-0.25, 1.0, (3, *head.shape)), (0, 1, 2, 2))
    angles = np.einsum("td,dzyx->tzyx", vectors**2, along)
    voxels = head * np.where(np.arange(1 + directions) > 0, 0.4, 1.0)[:, None, None, None] * np.exp(-2 * angles)
    gradients = Gradients(np.array([0.0] + [1000.0] * directions), vectors)
    return replace(brain(SIZE), voxels=voxels.astype(np.float32), gradients=gradients)


def apart(volume: Volume) -> np.ndarray:
    """What sets each volume apart from the mean of its shell."""
    return volume.voxels - np.tensordot(mean_alike(volume.gradients), volume.voxels, 1)


def weakened(truth: Volume, share: float) -> Volume:
    """What a network makes of noise: means are right, differences too weak."""
    return truth.with_voxels((truth.voxels - (1 - share) * apart(truth)).astype(np.float32))


def kept(low: Volume, restored: Volume, model: str | None = None, **options) -> tuple[Volume, list]:
    result = restored.with_voxels(restored.voxels.copy())
    return result, list(keeping_contrast(low, result, 2, [model] * result.voxels.shape[1], **options))


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values, dtype=np.float64).mean()))


def test_what_a_network_weakened_becomes_as_strong_as_the_scan_has_it():
    truth = series()
    result, found = kept(degrade(truth, "k_space", 2), weakened(truth, 0.85))
    assert rms(apart(result)) == pytest.approx(rms(apart(truth)), rel=0.02)
    assert all(one.gain == pytest.approx(1 / 0.85, rel=0.03) for one in found)


def test_a_good_restoration_of_a_scan_without_noise_is_left_as_it_is():
    truth = series()
    result, found = kept(degrade(truth, "k_space", 2), truth)
    assert rms(result.voxels - truth.voxels) < 0.02 * rms(apart(truth))
    assert in_words(found) == ""


@pytest.mark.parametrize("snr", [15, 30])
def test_noise_leaves_the_differences_nearer_to_the_truth_than_the_network_or_the_scan(snr):
    truth = series()
    low = degrade(truth, f"rician:snr={snr}", 2)
    network = weakened(truth.with_voxels(noisy(truth, snr)), 0.8)
    result, found = kept(low, network)
    assert rms(apart(result) - apart(truth)) < 0.95 * rms(apart(network) - apart(truth))
    assert np.median([one.noise for one in found]) > 0.1
    assert "noise" in in_words(found)


def noisy(truth: Volume, snr: float) -> np.ndarray:
    """The truth with errors as large as the noise of a scan, smooth as a network's are."""
    rng = np.random.default_rng(3)
    strength = float(truth.voxels[0][truth.voxels[0] > truth.voxels[0].max() / 10].mean()) / snr
    errors = gaussian_filter(rng.standard_normal(truth.voxels.shape), (0, 0, 1, 1))
    return (truth.voxels + strength * errors / errors.std()).astype(np.float32)


def test_the_mean_of_each_shell_stays_the_networks():
    truth = series()
    network = weakened(truth, 0.7)
    result, _ = kept(degrade(truth, "rician:snr=20", 2), network)
    for shell in (slice(0, 1), WEIGHTED):
        assert np.allclose(result.voxels[shell].mean(axis=0), network.voxels[shell].mean(axis=0), atol=1e-3)


def test_nothing_is_made_stronger_than_the_limit():
    truth = series()
    _, found = kept(degrade(truth, "k_space", 2), weakened(truth, 0.3))
    assert {one.gain for one in found} == {STRONGEST}


def test_with_all_noise_wanted_nothing_is_taken_from_a_cleared_scan():
    truth = series()
    _, found = kept(degrade(truth, "rician:snr=20", 2), truth, denoise=0.0)
    assert {one.noise for one in found} == {0.0}


def test_one_slice_alone_is_the_same_as_in_the_whole():
    truth = series()
    low, network = degrade(truth, "rician:snr=20", 2), weakened(truth, 0.8)
    whole, _ = kept(low, network)
    for k in (0, 3):
        alone, found = kept(low, network.with_voxels(network.voxels[:, k : k + 1]), only=k)
        assert np.array_equal(alone.voxels[:, 0], whole.voxels[:, k])
        assert len(found) == 1


def test_where_the_scan_was_put_back_its_differences_are_its_own_already():
    truth = series()
    network = weakened(truth, 0.8)
    result, found = kept(degrade(truth, "k_space", 2), network, model="k_space")
    assert found == []
    assert np.array_equal(result.voxels, network.voxels)


def test_whole_numbers_stay_whole_numbers():
    truth = series()
    network = truth.with_voxels(weakened(truth, 0.8).voxels.astype(np.int16))
    result, _ = kept(degrade(truth, "rician:snr=20", 2), network)
    assert result.voxels.dtype == np.int16


def test_at_four_times_the_resolution_nothing_is_done():
    truth = series()
    result, found = kept(degrade(truth, "rician:snr=20", 4), weakened(truth, 0.5))
    assert found == []
    assert np.array_equal(result.voxels, weakened(truth, 0.5).voxels)


@pytest.mark.parametrize("directions", [1, 3, 5])
def test_too_few_volumes_to_tell_noise_by_are_left_alone(directions):
    truth = series(directions)
    result, found = kept(degrade(truth, "rician:snr=20", 2), weakened(truth, 0.5))
    assert found == []
    assert np.array_equal(result.voxels, weakened(truth, 0.5).voxels)
