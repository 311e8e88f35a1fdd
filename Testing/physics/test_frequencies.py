"""What a coarse slice cannot hold: the band is the forward model's, the power is where the waves are."""

import numpy as np
import pytest

from SuperResolutionLib.physics.forward_models import KSpaceZeroFilled
from SuperResolutionLib.physics.frequencies import beyond_band, power_beyond


@pytest.mark.parametrize(("rows", "columns", "scale"), [(16, 16, 2), (16, 24, 4), (15, 9, 2), (14, 22, 3)])
def test_the_band_that_is_left_out_is_the_one_that_the_forward_model_keeps(rows, columns, scale):
    model = KSpaceZeroFilled()
    point = np.zeros((rows, columns))
    point[0, 0] = 1
    kept = np.abs(np.fft.fft2(model.matrix(rows, scale) @ point @ model.matrix(columns, scale).T)) > 1e-9
    assert np.array_equal(beyond_band(rows, columns, scale), ~kept)


def wave(k: int) -> np.ndarray:
    """Two slices of k periods along 16 columns; the mean square is 1/2."""
    return np.broadcast_to(np.cos(2 * np.pi * k * np.arange(16) / 16), (2, 16, 16)).astype(np.float32)


@pytest.mark.parametrize(("k", "scale", "beyond"), [(3, 2, 0.0), (5, 2, 1.0), (3, 4, 1.0), (1, 4, 0.0)])
def test_the_power_of_a_wave_counts_where_the_coarse_slice_cannot_hold_it(k, scale, beyond):
    assert power_beyond(wave(k), scale) == pytest.approx(beyond * 2 * 16 * 16 / 2, abs=1e-4)
