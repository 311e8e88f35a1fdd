"""Mean signal kurtosis, against kurtosis that is known and against DIPY's own model."""

import numpy as np
import pytest
from dipy.core.gradients import gradient_table
from dipy.reconst.msdki import MeanDiffusionKurtosisModel
from dipy.sims.voxel import multi_tensor_dki
from known_tensors import directions

from SuperResolutionLib.diffusion.kurtosis import mean_signal_kurtosis

BVALS, COUNTS = np.array([0.0, 1000.0, 2500.0]), np.array([2, 20, 30])
TABLE = gradient_table(
    np.repeat(BVALS, COUNTS), bvecs=np.concatenate([np.zeros((2, 3)), directions(20), directions(30)])
)


def means(signals: np.ndarray) -> np.ndarray:
    """Over b0 images and each shell: (voxels, 52) -> (voxels, 3)."""
    return np.stack([part.mean(axis=1) for part in np.split(signals, np.cumsum(COUNTS)[:-1], axis=1)], axis=1)


@pytest.mark.parametrize(("slow", "fast"), [(0.5e-3, 1.5e-3), (0.6e-3, 1.2e-3), (1e-3, 1e-3)])
def test_the_kurtosis_of_two_compartments_is_three_times_the_variance_of_their_diffusivity(slow, fast):
    signal, _, _ = multi_tensor_dki(TABLE, np.array([[slow] * 3, [fast] * 3]), S0=800, fractions=[50, 50], snr=None)
    mean, variance = (slow + fast) / 2, ((fast - slow) / 2) ** 2
    found = mean_signal_kurtosis(means(signal[None]), BVALS, COUNTS, 0.8)
    assert found == pytest.approx([3 * variance / mean**2], abs=1e-6)


def test_noisy_kurtosis_is_that_of_dipy():
    rng = np.random.default_rng(0)
    fibre = np.array([[1.7e-3, 0.2e-3, 0.2e-3], [2e-3, 0.8e-3, 0.8e-3]])
    signal, _, _ = multi_tensor_dki(TABLE, fibre, S0=800, fractions=[60, 40], snr=None)
    noisy = np.hypot(signal + rng.normal(0, 20, (50, 52)), rng.normal(0, 20, (50, 52)))
    expected = MeanDiffusionKurtosisModel(TABLE).fit(noisy).msk
    assert expected.std() > 0.02
    assert mean_signal_kurtosis(means(noisy), BVALS, COUNTS, 0.8) == pytest.approx(expected, rel=1e-7)


def test_signals_that_do_not_fall_or_are_zero_give_finite_moderate_kurtosis():
    odd = np.array([[800.0, 800, 800], [0, 0, 0], [800, 900, 1000], [-5, 3, 2], [800, 1e20, 10]])
    found = mean_signal_kurtosis(odd, BVALS, COUNTS, 0.8)
    assert np.isfinite(found).all()
    assert found.min() >= -3 / 7 and found.max() <= 10
