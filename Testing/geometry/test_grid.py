"""A slice refined or coarsened covers the same field of view; the plane is the one the scan was acquired in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import brain, centres, grids, orientation
from scipy.spatial.transform import Rotation

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import (
    PLANES,
    anatomical_plane,
    middle_slices,
    single_slice,
    slice_axis,
    stacking_axis,
    stacks,
)
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.volume import Volume

few = settings(max_examples=10, deadline=None, derandomize=True, database=None)
any_plane = st.sampled_from(PLANES)
scales = st.sampled_from([2, 3, 4])


# ---------------------------------------------------------------- one slice


@few
@given(grids(), st.sampled_from([0, 1, 2]), st.data())
def test_a_single_slice_stays_where_it_was(volume, axis, data):
    k = data.draw(st.integers(0, volume.size[axis] - 1))
    part = single_slice(volume, axis, k)
    assert part.size[axis] == 1
    assert part.spacing == volume.spacing
    assert np.array_equal(stacks(part, axis)[0][0], stacks(volume, axis)[0][k])
    places = np.moveaxis(centres(volume), 2 - axis, 0)[k]
    assert np.abs(np.moveaxis(centres(part), 2 - axis, 0)[0] - places).max() < 1e-9


def test_a_single_slice_of_a_series_is_that_of_every_volume():
    series = Volume(np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5))
    assert np.array_equal(single_slice(series, 1, 2).voxels, series.voxels[:, :, 2:3])


@pytest.mark.parametrize("k", [-1, 3, 99])
def test_a_slice_that_is_not_there_is_refused(refuses, k):
    with refuses(f"no slice {k}", "has 3 in this plane", "from 0 to 2"):
        single_slice(Volume(np.zeros((3, 4, 5))), 2, k)


# ---------------------------------------------------------------- which slices


@pytest.mark.parametrize(
    ("spacing", "axis"),
    [
        ((1.0, 1.0, 1.0), 2),  # all agree: the storage plane
        ((0.5, 0.5, 4.0), 2),
        ((4.0, 0.5, 0.5), 0),
        ((0.5, 4.0, 0.5), 1),
        ((1.74, 1.74, 1.0), 2),  # after x2 the finest spacing is through the slices
        ((1.0, 1.74, 1.74), 0),
        ((0.5, 0.7, 4.0), 2),  # none agree: the storage plane
        ((4.0, 0.7, 0.5), 2),
        ((1.0, 1.0099, 3.0), 2),
        ((3.0, 1.0, 1.0099), 0),
        ((3.0, 1.0, 1.02), 2),  # 2 % apart is not the same
        ((1.0, 1.009, 1.018), 2),  # two pairs agree: no single plane
    ],
)
def test_the_acquisition_plane_is_that_of_the_two_spacings_that_agree(spacing, axis):
    assert slice_axis(spacing) == axis
    assert stacking_axis(Volume(np.zeros((2, 2, 2)), spacing)) == axis


@few
@given(st.tuples(*[st.floats(0.2, 6)] * 3), st.integers(0, 3))
def test_the_plane_is_the_one_that_scores_are_reckoned_in(spacing, equal):
    spacing = {0: spacing, 1: (spacing[0],) * 2 + (spacing[2],), 2: (spacing[0],) + (spacing[1],) * 2}.get(
        equal, (spacing[0], spacing[1], spacing[0])
    )
    x, y, z = spacing

    def same(a: float, b: float) -> bool:
        return abs(a - b) <= 0.01 * max(a, b)

    pairs = {0: same(y, z), 1: same(x, z), 2: same(x, y)}
    expected = next(k for k in pairs if pairs[k]) if sum(pairs.values()) == 1 else 2
    assert slice_axis(spacing) == expected


@pytest.mark.parametrize(
    ("axes", "sagittal", "coronal", "axial"),
    [
        ("LPS", 0, 1, 2),
        ("RAS", 0, 1, 2),
        ("PIL", 2, 0, 1),  # a sagittal scan: slices from right to left
        ("ASR", 2, 0, 1),
        ("LIP", 0, 2, 1),  # a coronal scan: slices from front to back
        ("SLA", 1, 2, 0),
    ],
)
@pytest.mark.parametrize("tilt", [0, 30])
def test_anatomical_planes_go_by_how_the_head_lies(axes, sagittal, coronal, axial, tilt):
    oblique = Rotation.from_euler("x", tilt, degrees=True).as_matrix() @ orientation(*axes)
    volume = Volume(np.zeros((2, 2, 2)), direction=oblique)
    found = [stacking_axis(volume, plane) for plane in ("sagittal", "coronal", "axial")]
    assert found == [sagittal, coronal, axial]


@few
@given(grids())
def test_however_oblique_each_plane_has_an_axis_of_its_own(volume):
    assert {stacking_axis(volume, plane) for plane in ("sagittal", "coronal", "axial")} == {0, 1, 2}


@few
@given(grids(), any_plane)
def test_a_plane_called_by_its_anatomical_name_is_the_same_plane(volume, plane):
    name = anatomical_plane(volume, plane)
    assert name != "native"
    assert stacking_axis(volume, name) == stacking_axis(volume, plane)


def test_the_anatomical_name_survives_a_change_of_spacing():
    sagittal = Volume(np.zeros((8, 8, 8)), (1.0, 0.5, 0.5), direction=np.eye(3))
    coarse = degrade(sagittal, "area", 2)
    assert coarse.spacing == (1.0, 1.0, 1.0)
    assert stacking_axis(coarse) == 2  # isotropic now: the storage plane
    assert stacking_axis(coarse, anatomical_plane(sagittal)) == 0


def test_an_unknown_plane_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'coronal'"):
        stacking_axis(Volume(np.zeros((2, 2, 2))), "coronel")


# ---------------------------------------------------------------- slices in, slices out


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_are_stacked_along_the_axis_and_share_memory_with_the_volume(axis):
    volume = Volume(np.arange(24.0).reshape(2, 3, 4))
    (slices,) = stacks(volume, axis)
    assert len(slices) == volume.size[axis]
    assert np.array_equal(slices[1], volume.voxels.take(1, axis=2 - axis))
    assert np.shares_memory(slices, volume.voxels)


def test_the_middle_slices_stay_in_their_place():
    volume = Volume(brain((26, 28, 9)).voxels, (1.0, 1.0, 4.0), (5.0, 6.0, 7.0))
    part = middle_slices(volume, 2, 3)
    assert np.array_equal(part.voxels, volume.voxels[3:6])
    assert part.origin == (5.0, 6.0, 19.0)
    assert middle_slices(volume, 2, 9) is volume


def test_the_middle_slices_of_a_series_keep_all_its_volumes():
    volume = Volume(np.arange(2 * 5 * 4 * 3.0).reshape(2, 5, 4, 3))
    assert np.array_equal(middle_slices(volume, 2, 1).voxels, volume.voxels[:, 2:3])
