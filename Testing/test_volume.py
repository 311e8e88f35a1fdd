"""A volume is a value: voxels, and where they lie."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from phantoms import orientation

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.volume import Gradients, Volume


def test_size_counts_along_x_y_z_and_the_array_runs_backwards():
    assert Volume(np.zeros((2, 3, 4))).size == (4, 3, 2)


def test_a_scan_counts_as_one_volume_and_a_series_as_many():
    assert Volume(np.zeros((2, 3, 4))).count == 1
    series = Volume(np.zeros((7, 2, 3, 4)))
    assert series.count == 7
    assert series.size == (4, 3, 2)


def test_bounds_are_the_outer_corners_of_the_corner_voxels():
    volume = Volume(np.zeros((2, 3, 4)), spacing=(1.0, 2.0, 3.0), origin=(10.0, 20.0, 30.0))
    assert np.allclose(volume.bounds()[0], (9.5, 19.0, 28.5))
    assert np.allclose(volume.bounds()[-1], (13.5, 25.0, 34.5))
    assert volume.bounds().shape == (8, 3)


def test_bounds_follow_the_direction():
    sagittal = Volume(np.zeros((2, 3, 4)), spacing=(1.0, 2.0, 3.0), direction=orientation("P", "I", "L"))
    assert np.allclose(sagittal.bounds().min(axis=0), (-1.5, -0.5, -5.0))
    assert np.allclose(sagittal.bounds().max(axis=0), (4.5, 3.5, 1.0))


@pytest.mark.parametrize("shape", [(5,), (4, 5), (2, 2, 2, 4, 5)])
def test_other_than_three_or_four_axes_are_refused(shape):
    with pytest.raises(InputError, match=f"this array has {len(shape)}"):
        Volume(np.zeros(shape))


def test_an_empty_volume_is_refused():
    with pytest.raises(InputError, match="empty"):
        Volume(np.zeros((3, 0, 4)))


def test_a_series_has_as_many_b_values_as_volumes():
    gradients = Gradients(np.array([0.0, 1000.0]), np.zeros((2, 3)))
    assert Volume(np.zeros((2, 1, 3, 4)), gradients=gradients).gradients is gradients
    with pytest.raises(InputError, match="3 volumes but 2 b-values"):
        Volume(np.zeros((3, 1, 3, 4)), gradients=gradients)


def test_a_volume_is_never_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        Volume(np.zeros((2, 3, 4))).spacing = (2.0, 2.0, 2.0)  # type: ignore[misc]


def test_other_voxels_lie_on_the_same_grid():
    volume = Volume(np.zeros((2, 3, 4)), (1.0, 2.0, 3.0), (4.0, 5.0, 6.0), orientation("P", "I", "L"))
    other = volume.with_voxels(np.ones((2, 3, 4)))
    assert other.voxels.min() == 1
    assert volume.voxels.max() == 0
    assert np.array_equal(other.bounds(), volume.bounds())


@pytest.mark.parametrize(
    ("dtype", "given", "kept"),
    [
        (np.int16, [-1.6, -0.4, 0.6, 2.4], [-2, 0, 1, 2]),
        (np.int16, [-40000, 40000, 1e30, -1e30], [-32768, 32767, 32767, -32768]),
        (np.uint8, [-3, 255.4, 256, 127.5], [0, 255, 255, 128]),
        (np.uint16, [-0.6, 65535.4, 70000, 1], [0, 65535, 65535, 1]),
        (np.int32, [-3e9, 3e9, 0, 7], [-(2**31), 2**31 - 1, 0, 7]),
    ],
)
def test_an_integer_type_gets_voxels_rounded_and_clipped_to_its_range(dtype, given, kept):
    cast = Volume(np.array(given, np.float32).reshape(1, 1, 4)).cast(dtype)
    assert cast.voxels.dtype == dtype
    assert cast.voxels.ravel().tolist() == kept


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_even_the_widest_integers_do_not_wrap_around(dtype):
    low, high = Volume(np.array([[[-1e30, 1e30]]])).cast(dtype).voxels.ravel().tolist()
    assert low == np.iinfo(dtype).min
    assert high > 0.999 * np.iinfo(dtype).max


def test_a_float_type_keeps_what_lies_outside_any_integer_range():
    assert Volume(np.array([[[-3.5, 1e30]]])).cast(np.float32).voxels.tolist() == [[[-3.5, np.float32(1e30)]]]


def test_a_cast_to_the_same_type_copies_nothing():
    volume = Volume(np.zeros((2, 3, 4), np.int16))
    assert volume.cast(np.int16).voxels is volume.voxels
