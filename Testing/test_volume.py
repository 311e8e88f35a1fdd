"""A volume is a value: voxels, and where they lie."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from phantoms import orientation

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.header import Header
from SuperResolutionLib.volume import Gradients, Volume, check_finite, orthonormal


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


GOOD = np.zeros((2, 3, 4), np.float32)
SHEARED = np.array([[1.0, 0.01, 0], [0, 1, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    ("voxels", "grid", "words"),
    [
        (GOOD.astype(bool), {}, ["true or false (bool)", "cast them"]),
        (GOOD.astype(complex), {}, ["complex (complex128)", "magnitude"]),
        (GOOD.astype(object), {}, ["Python objects"]),
        (GOOD.astype("U4"), {}, ["no numbers"]),
        ([[[1.0]]], {}, ["a numpy array, not of list"]),
        (GOOD, {"spacing": (1, -1, 1)}, ["spacing is (1.0, -1.0, 1.0)", "above 0"]),
        (GOOD, {"spacing": (1, 0, 1)}, ["above 0"]),
        (GOOD, {"spacing": (1, np.nan, 1)}, ["finite"]),
        (GOOD, {"spacing": (1, np.inf, 1)}, ["finite"]),
        (GOOD, {"spacing": (1, 1)}, ["three numbers"]),
        (GOOD, {"spacing": 2.0}, ["three numbers"]),
        (GOOD, {"spacing": ("a", 1, 1)}, ["three numbers"]),
        (GOOD, {"origin": (0, 0, np.nan)}, ["origin", "finite"]),
        (GOOD, {"origin": (0, 0)}, ["three numbers"]),
        (GOOD, {"direction": SHEARED}, ["right angles", "resample"]),
        (GOOD, {"direction": 2 * np.eye(3)}, ["unit vectors", "spacing"]),
        (GOOD, {"direction": np.full((3, 3), np.nan)}, ["right angles"]),
        (GOOD, {"direction": np.eye(4)}, ["right angles"]),
        (GOOD, {"direction": np.zeros((3, 3))}, ["right angles"]),
    ],
)
def test_what_is_no_volume_is_refused_in_one_sentence(refuses, voxels, grid, words):
    """Faults G: spacing (1, -1, 1) was accepted; bool and complex arrays ended in errors of numpy."""
    with refuses(*words):
        Volume(voxels, **grid)


def test_rounded_directions_are_taken():
    Volume(GOOD, direction=np.round(orientation("P", "I", "L") @ np.linalg.qr(np.vander([1.0, 2, 3]))[0], 6))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_no_numbers_can_be_counted(refuses, bad):
    """Faults G: NaN voxels went through every network."""
    voxels = np.zeros((2, 3, 4))
    voxels[0, 0, :2] = bad
    with refuses("The volume has 2 NaN or infinite voxels of 24", "replace them"):
        check_finite(voxels)
    check_finite(np.ones((2, 3, 4), bool))
    check_finite(np.zeros((2, 3, 4), np.int16))


def test_the_nearest_axes_at_right_angles_are_those_that_were_rounded():
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    assert np.abs(orthonormal(np.round(axes, 4)) - axes).max() < 1e-4
    assert orthonormal(np.diag([1.0, 1, -1])) == pytest.approx(np.diag([1.0, 1, -1]))


def test_the_header_goes_wherever_the_volume_goes():
    volume = Volume(GOOD, header=Header(time_step=2.5))
    for other in (volume.with_voxels(GOOD + 1), volume.cast(np.int16), Sampling(factor=2).finer(volume).empty(volume)):
        assert other.header is volume.header
