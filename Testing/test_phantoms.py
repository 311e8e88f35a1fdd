"""The yardsticks of the other tests measure what they should."""

import numpy as np
import pytest
from phantoms import blobs, centre_of_mass, middle, shift

from SuperResolutionLib.volume import Volume

GRID = Volume(np.zeros((2, 60, 72)), (0.8, 0.8, 4.0))


@pytest.mark.parametrize("moved", [(0.0, 0.0), (0.05, 0.0), (0.3, 0.4), (-0.5, 0.5)])
def test_a_shift_is_found_to_a_hundredth_of_a_voxel(moved):
    about = middle(GRID)
    elsewhere = about + 0.8 * np.array([*moved, 0])
    found = shift(blobs(GRID, about, 13)[1], blobs(GRID, elsewhere, 13)[1])
    assert found == pytest.approx(np.hypot(*moved), abs=0.01)


def test_a_centre_of_mass_moves_with_what_it_is_the_centre_of():
    one, other = (GRID.with_voxels(blobs(GRID, middle(GRID) + np.array([x, 0, 0]), 13)) for x in (0, 0.4))
    assert np.allclose(centre_of_mass(other) - centre_of_mass(one), (0.4, 0, 0), atol=0.01)
