"""How far a result lies from its scan: in all of the head, in one slice, in brightness."""

import numpy as np
import pytest
from phantoms import brain, layers

from SuperResolutionLib.intensity import data_range, head
from SuperResolutionLib.quality.slice_differences import differences


def scan() -> np.ndarray:
    return brain((64, 60, 6)).voxels.astype(np.float64)


def test_a_copy_differs_nowhere():
    found = differences(scan(), scan())
    assert (found.together, found.far, found.uneven) == (0, 0, 0)


def test_one_slice_that_is_too_bright_is_named():
    again = scan()
    again[2] *= 1.08
    found = differences(scan(), again)
    assert found.worst == 2
    assert found.uneven == pytest.approx(0.08, abs=1e-6)


def test_all_slices_too_bright_are_even():
    assert differences(scan(), 1.08 * scan()).uneven == pytest.approx(0, abs=1e-9)


def test_what_is_painted_counts_by_its_size():
    smooth = layers(12).voxels.astype(np.float64)
    again = smooth.copy()
    again[3, 4:14, 4:14] += 0.3 * data_range(smooth)
    found = differences(smooth, again)
    assert head(smooth).all()
    assert found.far == pytest.approx(100 / smooth.size)
    assert found.together == pytest.approx(0.3 * np.sqrt(found.far))


def test_noise_is_not_far():
    noisy = scan() + np.random.default_rng(0).normal(0, 0.06 * data_range(scan()), scan().shape)
    found = differences(noisy, scan())
    assert found.limit > 0.2
    assert found.far < 0.001


def test_an_empty_scan_has_nothing_to_differ():
    found = differences(np.zeros((3, 20, 20)), np.ones((3, 20, 20)))
    assert (found.together, found.far, found.uneven, found.worst) == (0, 0, 0, 0)
