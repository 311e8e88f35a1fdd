"""The fit of spherical harmonics, against the formula of its paper."""

import numpy as np
import pytest
from dipy.reconst.shm import real_sh_descoteaux
from known_tensors import directions

from SuperResolutionLib.diffusion.harmonics import harmonic_fit


def test_it_is_the_regularised_least_squares_of_the_paper():
    """Descoteaux 2007: (B'B + lambda L)^-1 B', L = l^2 (l + 1)^2, lambda = 0.006, order 4: 15 coefficients."""
    along = directions(30)
    angles = np.arccos(along[:, 2]), np.arctan2(along[:, 1], along[:, 0])
    basis, _, orders = real_sh_descoteaux(4, *angles, legacy=False)
    assert basis.shape == (30, 15)
    penalty = np.diag((orders * (orders + 1.0)) ** 2)
    expected = basis @ np.linalg.solve(basis.T @ basis + 0.006 * penalty, basis.T)
    assert np.allclose(harmonic_fit(along), expected, atol=1e-10)


def test_a_signal_that_is_the_same_everywhere_is_kept():
    assert harmonic_fit(directions(20)) @ np.full(20, 3.0) == pytest.approx(np.full(20, 3.0))


def test_the_signal_of_a_tensor_is_nearly_kept_and_noise_is_not():
    along = directions(60)
    signal = np.exp(-1000 * along**2 @ [1.5e-3, 0.4e-3, 0.4e-3])
    noise = np.random.default_rng(0).normal(size=60)
    fit = harmonic_fit(along)
    assert np.abs(fit @ signal - signal).max() < 0.02
    assert (fit @ noise).std() < 0.6 * noise.std()
