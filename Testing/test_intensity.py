"""Intensities are scaled by a robust range; the head is what exceeds a twentieth of it."""

import numpy as np
import pytest

from SuperResolutionLib.intensity import data_range, head


def test_the_range_is_the_999th_permille():
    voxels = np.arange(10001.0)
    assert data_range(voxels) == pytest.approx(9990)


def test_one_bright_voxel_does_not_set_the_range():
    voxels = np.ones(10000)
    voxels[0] = 1e6
    assert data_range(voxels) == 1


@pytest.mark.parametrize(("voxels", "expected"), [(np.zeros(9), 1.0), (np.full(9, -4.0), 4.0)])
def test_the_range_is_always_above_zero(voxels, expected):
    assert data_range(voxels) == expected


def test_the_head_exceeds_five_percent_of_the_range():
    assert head(np.array([0.0, 4.9, 5.1, 100, 100, 100])).tolist() == [False, False, True, True, True, True]
