"""Three tissues by their brightness, and how well they survive."""

import numpy as np
import pytest

from SuperResolutionLib.quality.tissue import dice, thresholds


def tissues(noise: float = 5.0) -> tuple[np.ndarray, np.ndarray]:
    """Dark, middle and bright stripes with noise, and where they are."""
    classes = np.broadcast_to(np.repeat([0, 1, 2], 20), (4, 60, 60))
    return np.array([100, 400, 700])[classes] + np.random.default_rng(0).normal(0, noise, classes.shape), classes


def test_the_thresholds_lie_between_the_classes():
    voxels, classes = tissues(noise=40)
    assert np.mean(np.digitize(voxels, thresholds(voxels.ravel())) == classes) > 0.999


def test_a_copy_agrees_wholly_also_in_other_units():
    voxels, classes = tissues()
    mask = np.ones(classes.shape, bool)
    assert dice(voxels, voxels, mask) == (1, 1, 1)
    assert dice(voxels, 3 * voxels + 50, mask) == (1, 1, 1)


def test_a_shift_costs_what_it_moves():
    voxels, classes = tissues()
    mask = np.ones(classes.shape, bool)
    dark, middle, bright = dice(voxels, np.roll(voxels, 4, axis=2), mask)
    assert middle == pytest.approx(16 / 20, abs=1e-3)
    assert dark == pytest.approx(16 / 20, abs=1e-3)
    assert bright == pytest.approx(16 / 20, abs=1e-3)


def test_what_does_not_fall_into_three_is_not_measured():
    flat = np.full((2, 8, 8), 5.0)
    assert dice(flat, flat, np.ones(flat.shape, bool)) is None
