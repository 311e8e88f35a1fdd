"""What restoring loses over the shells of a series, where the loss is known."""

import numpy as np
import pytest
from known_tensors import directions, head, shelled
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.quality.shell_errors import ShellReference, shell_errors, shell_reference
from SuperResolutionLib.quality.tensor_errors import reference
from SuperResolutionLib.volume import Gradients, Volume


def over(truth: Volume) -> ShellReference:
    found, _ = shell_reference(reference(truth))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def given():
    return over(shelled())


def kurtotic(kurtosis: float, bvals: tuple[float, ...] = (1000.0, 2500.0)) -> Volume:
    """A head of one tissue whose signal falls as exp(-b D + b^2 D^2 K / 6), D = 0.7e-3 mm2/s."""
    volume = shelled(bvals)
    decay = volume.gradients.bvals * 0.7e-3
    factors = np.exp(-decay + decay**2 * kurtosis / 6)
    bright = np.maximum(volume.voxels[0], 20)  # the mask holds a rim of background, which shall have a signal too
    return volume.with_voxels(bright * factors[:, None, None, None])


def test_the_truth_itself_has_no_errors(given):
    errors = shell_errors(given, given.given.truth)
    assert errors.harmonics == {"1000": 0.0, "2500": 0.0}
    assert (errors.msk, errors.msk_white, errors.not_falling, errors.not_falling_truth) == (0, 0, 0, 0)


def test_what_is_smoothed_more_has_larger_errors(given):
    truth = given.given.truth
    a_little, more = (
        shell_errors(given, truth.with_voxels(gaussian_filter(truth.voxels, (0, 0, s, s)))) for s in (0.4, 0.8)
    )
    for b in ("1000", "2500"):
        assert 0 < a_little.harmonics[b] < more.harmonics[b]
    assert 0 < a_little.msk < more.msk
    assert 0 < a_little.msk_white < more.msk_white


def test_an_offset_of_one_shell_is_its_own_harmonic_error_as_a_share_of_b0(given):
    truth, high = given.given.truth, given.shells[1].volumes
    voxels = truth.voxels.copy()
    voxels[high] += 9.0
    errors = shell_errors(given, truth.with_voxels(voxels))
    mean_b0 = truth.voxels[0][given.given.tensors.mask].mean()
    assert errors.harmonics == {"1000": 0.0, "2500": pytest.approx(9 / mean_b0, rel=1e-9)}


def test_noise_that_no_tissue_makes_counts_less_in_harmonics_than_in_the_signals(given):
    truth = given.given.truth
    noise = np.random.default_rng(0).normal(0, 8, truth.voxels.shape)
    errors = shell_errors(given, truth.with_voxels(truth.voxels + noise))
    share = 8 / given.s0
    assert 0.5 * share < errors.harmonics["1000"] < 0.85 * share  # of 20 directions, 15 coefficients, regularised


def test_the_error_of_kurtosis_is_its_difference():
    found = over(kurtotic(1.0))
    assert found.kurtosis == pytest.approx(np.ones(found.given.tensors.mask.sum()), abs=1e-6)
    errors = shell_errors(found, kurtotic(0.6))
    assert errors.msk == pytest.approx(0.4, abs=1e-6)
    assert errors.msk_white is None


def test_kurtosis_takes_two_shells_of_moderate_b_values():
    found, said = shell_reference(reference(shelled((1000.0, 5000.0))))
    assert shell_errors(found, found.given.truth).msk is None
    assert "kurtosis takes two shells up to b = 3000" in said
    high = over(kurtotic(1.0, (1000.0, 2000.0, 5000.0)))
    low = over(kurtotic(1.0, (1000.0, 2000.0)))
    assert high.kurtosis == pytest.approx(low.kurtosis)


def test_the_voxels_are_counted_whose_mean_signal_rises(given):
    truth, mask = given.given.truth, given.given.tensors.mask
    changed = mask & (np.arange(mask.shape[2]) < 12)
    low, high = (shell.volumes for shell in given.shells)
    voxels = truth.voxels.copy()
    voxels[np.ix_(high)] = np.where(changed, voxels[low].mean(axis=0) + 1, voxels[high])
    errors = shell_errors(given, truth.with_voxels(voxels))
    assert errors.not_falling == pytest.approx(changed.sum() / mask.sum())
    assert errors.not_falling_truth == 0
    assert shell_errors(over(truth.with_voxels(voxels)), truth).not_falling_truth > 0.3


def test_fewer_directions_than_coefficients_are_not_measured_and_it_is_said():
    found, said = shell_reference(reference(shelled(count=14)))
    assert shell_errors(found, found.given.truth).harmonics == {"1000": None, "2500": None}
    assert "harmonics take 15 directions, and there are fewer at b = 1000, 2500" in said
    assert "harmonics" not in shell_reference(reference(shelled(count=15)))[1]


def test_a_series_of_one_shell_has_none_of_this_and_nothing_is_said():
    assert shell_reference(reference(head()[0])) == (None, "")


def test_a_grid_of_b_values_has_none_of_this_and_it_is_said():
    bvals = np.concatenate([[0.0], np.linspace(400, 3000, 40)])
    volume = shelled((1000.0,), 40)
    decay = np.exp(-bvals * 0.7e-3)[:, None, None, None]
    gradients = Gradients(bvals, np.concatenate([np.zeros((1, 3)), directions(40)]))
    found, said = shell_reference(reference(Volume(volume.voxels[0] * decay, volume.spacing, gradients=gradients)))
    assert found is None
    assert "on no shells" in said


def test_what_cannot_be_measured_is_refused(given, refuses):
    truth = given.given.truth
    with refuses("differ in size"):
        shell_errors(given, truth.with_voxels(truth.voxels[:, :2]))
    broken = truth.voxels.copy()
    broken[0, 0, 0, 0] = np.nan
    with refuses("NaN"):
        shell_errors(given, truth.with_voxels(broken))
