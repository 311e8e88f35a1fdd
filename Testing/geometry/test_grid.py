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
    crop_to_multiple,
    map_slices,
    middle_slices,
    rescale_grid,
    single_slice,
    slice_axis,
    stacking_axis,
    stacks,
)
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.degradation import MODELS, degrade
from SuperResolutionLib.physics.interpolating import METHODS
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


# ---------------------------------------------------------------- the field of view


@few
@given(grids(), any_plane, scales)
def test_every_interpolation_keeps_the_field_of_view(volume, plane, scale):
    for method in METHODS:
        refined = upsample(volume, method, scale, plane)
        assert np.abs(refined.bounds() - volume.bounds()).max() < 1e-6
        assert np.array_equal(refined.direction, volume.direction)


@few
@given(grids(), any_plane, scales)
def test_every_degradation_keeps_the_field_of_view_of_what_it_was_given(volume, plane, scale):
    whole = crop_to_multiple(volume, stacking_axis(volume, plane), scale)
    for model in MODELS:
        coarse = degrade(volume, model, scale, plane)
        assert np.abs(coarse.bounds() - whole.bounds()).max() < 1e-6


@few
@given(grids(), any_plane, scales)
def test_only_the_axes_in_the_plane_are_refined(volume, plane, scale):
    axis = stacking_axis(volume, plane)
    refined = upsample(volume, "nearest", scale, plane)
    for k in range(3):
        factor = 1 if k == axis else scale
        assert refined.size[k] == volume.size[k] * factor
        assert refined.spacing[k] == pytest.approx(volume.spacing[k] / factor)


@few
@given(grids(), scales)
def test_the_first_voxel_moves_outwards_by_half_the_difference_of_the_spacings(volume, scale):
    refined = rescale_grid(volume, np.zeros([n * scale for n in volume.voxels.shape]), (scale,) * 3)
    moved = volume.direction.T @ (np.array(volume.origin) - refined.origin)
    assert np.allclose(moved, (np.array(volume.spacing) - refined.spacing) / 2)


@few
@given(grids(), scales)
def test_each_coarse_voxel_lies_in_the_middle_of_its_fine_ones(volume, scale):
    fine = upsample(volume, "nearest", scale)
    axis = 2 - stacking_axis(volume)
    mean = centres(fine)
    for array_axis in {0, 1, 2} - {axis}:
        shape = list(mean.shape)
        shape[array_axis : array_axis + 1] = [shape[array_axis] // scale, scale]
        mean = mean.reshape(shape).mean(axis=array_axis + 1)
    assert np.allclose(mean, centres(volume), atol=1e-9)


def test_refining_and_coarsening_give_the_grid_back():
    volume = Volume(np.zeros((4, 6, 8)), (0.5, 0.7, 4.0), (1.0, -2.0, 3.0), orientation("P", "I", "L"))
    fine = rescale_grid(volume, np.zeros((4, 12, 16)), (2, 2, 1))
    back = rescale_grid(fine, volume.voxels, (0.5, 0.5, 1))
    assert np.allclose(back.origin, volume.origin)
    assert np.allclose(back.spacing, volume.spacing)


# ---------------------------------------------------------------- cropping


@few
@given(grids(), any_plane, scales)
def test_cropping_moves_no_voxel(volume, plane, scale):
    axis = stacking_axis(volume, plane)
    cropped = crop_to_multiple(volume, axis, scale)
    z, y, x = cropped.voxels.shape
    assert np.array_equal(cropped.voxels, volume.voxels[:z, :y, :x])
    assert np.array_equal(centres(cropped), centres(volume)[:z, :y, :x])
    for k in range(3):
        if k == axis:
            assert cropped.size[k] == volume.size[k]
        else:
            assert cropped.size[k] % scale == 0
            assert 0 <= volume.size[k] - cropped.size[k] < scale


def test_a_slice_smaller_than_the_scale_cannot_be_degraded():
    with pytest.raises(InputError, match="3 voxels cannot be degraded by 4"):
        crop_to_multiple(Volume(np.zeros((9, 9, 3))), 2, 4)


def test_the_stack_itself_may_be_smaller_than_the_scale():
    assert crop_to_multiple(Volume(np.zeros((1, 9, 9))), 2, 4).size == (8, 8, 1)


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


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_function_of_slices_is_applied_to_every_volume_of_a_series(axis):
    series = Volume(np.arange(48.0).reshape(2, 2, 3, 4))
    assert np.array_equal(map_slices(series, axis, 1, lambda s: s + 1).voxels, series.voxels + 1)


def test_an_integer_volume_stays_one_rounded_and_clipped():
    volume = Volume(np.array([[[10, 200]]], np.uint8))
    assert map_slices(volume, 2, 1, lambda s: s * 1.56).voxels.tolist() == [[[16, 255]]]


def test_the_middle_slices_stay_in_their_place():
    volume = Volume(brain((26, 28, 9)).voxels, (1.0, 1.0, 4.0), (5.0, 6.0, 7.0))
    part = middle_slices(volume, 2, 3)
    assert np.array_equal(part.voxels, volume.voxels[3:6])
    assert part.origin == (5.0, 6.0, 19.0)
    assert middle_slices(volume, 2, 9) is volume


def test_the_middle_slices_of_a_series_keep_all_its_volumes():
    volume = Volume(np.arange(2 * 5 * 4 * 3.0).reshape(2, 5, 4, 3))
    assert np.array_equal(middle_slices(volume, 2, 1).voxels, volume.voxels[:, 2:3])
