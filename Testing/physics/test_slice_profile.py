"""Thick slices: the forward model is what it says, and its inverse is better than interpolation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.physics.interpolating import matrix_at, positions
from SuperResolutionLib.physics.slice_profile import PROFILES, Slices, deconvolution

millimetres = st.floats(1.3, 7.0)
relative = st.floats(0.6, 1.1)
profiles = st.sampled_from(PROFILES)
several_slices = given(millimetres, relative, profiles, st.floats(0.5, 1.2), st.integers(60, 140))
quickly = settings(max_examples=25, deadline=None)


@quickly
@several_slices
def test_rows_sum_to_one_so_a_constant_stays(spacing, share, profile, voxel, size):
    forward = Slices(spacing, share * spacing, profile).matrix(size, voxel)
    assert np.allclose(forward.sum(axis=1), 1)


@quickly
@several_slices
def test_each_slice_weighs_about_its_own_centre_so_a_ramp_stays(spacing, share, profile, voxel, size):
    slices = Slices(spacing, max(voxel, share * spacing), profile)
    forward = slices.matrix(size, voxel)
    middles, centres = (np.arange(size) + 0.5) * voxel, (np.arange(len(forward)) + 0.5) * spacing
    inside = (centres > 3 * slices.thickness) & (centres < size * voxel - 3 * slices.thickness)
    error = np.abs(forward @ middles - centres)[inside]
    # A wall that stands within a voxel takes a share of that voxel, as if it came from the middle of it.
    assert error.max(initial=0) <= voxel**2 / (4 * slices.thickness) + 1e-6


@pytest.mark.parametrize("bandwidth", [2.0, 3.0, 4.0, 6.0, 8.0])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("thickness", [2.0, 4.0])
def test_the_thickness_is_the_full_width_at_half_of_the_height(profile, thickness, bandwidth):
    fine = 0.01
    row = Slices(40.0, thickness, profile, bandwidth).matrix(4000, fine)[0]
    half = row[1999:2001].mean() / 2
    wide = np.flatnonzero(row >= half)
    assert (wide[-1] - wide[0] + 1) * fine == pytest.approx(thickness, abs=3 * fine)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_never_negative_and_is_symmetric(profile):
    row = Slices(40.0, 4.0, profile).matrix(400, 0.1)[0]
    assert row.min() >= 0
    assert np.allclose(row, row[::-1])


def test_a_selective_pulse_lies_between_a_gaussian_and_a_box():
    """The share of a slice that comes from beyond its thickness falls as the pulse grows longer."""
    beyond = [
        1 - Slices(40.0, 4.0, *profile).matrix(4000, 0.01)[0][1800:2200].sum()
        for profile in (("gaussian",), ("sinc", 2.0), ("sinc", 4.0), ("sinc", 8.0), ("box",))
    ]
    assert beyond == sorted(beyond, reverse=True)
    assert beyond[-1] == pytest.approx(0)


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
def test_a_box_as_thick_as_the_spacing_is_the_mean_of_whole_voxels(factor):
    forward = Slices(0.8 * factor, 0.8 * factor, "box").matrix(30, 0.8)
    assert np.allclose(forward, np.repeat(np.eye(30 // factor), factor, axis=1) / factor)


def test_a_gap_leaves_voxels_that_no_slice_sees():
    forward = Slices(5.0, 3.0, "box").matrix(50, 1.0)
    assert (forward.sum(axis=0) == 0).sum() == 20


def test_the_weights_of_a_gaussian_are_those_of_the_error_function():
    """Golden: 2 mm slices of 1 mm voxels; the full width at half maximum is 2.3548 deviations."""
    row = Slices(2.0, 2.0).matrix(12, 1.0)[2]
    below = [0.5 * (1 + math.erf(mm * 2.3548200 / 2 / math.sqrt(2))) for mm in range(-5, 8)]
    assert np.allclose(row, np.diff(below), atol=1e-6)
    assert np.allclose(row[2:8], [0.0091, 0.1103, 0.3805, 0.3805, 0.1103, 0.0091], atol=1e-4)


@pytest.mark.parametrize(("size", "spacing", "count"), [(144, 4.6, 31), (144, 4.0, 36), (10, 40.0, 1), (3, 1.3, 2)])
def test_as_many_slices_as_cover_the_field_of_view(size, spacing, count):
    slices = Slices(spacing, spacing)
    assert slices.count(size, 1.0) == count
    assert slices.matrix(size, 1.0).shape == (count, size)


@pytest.mark.parametrize(
    ("spacing", "thickness", "profile"), [(0.0, 1.0, "box"), (2.0, -1.0, "box"), (2.0, 2.0, "trapeze")]
)
def test_slices_that_cannot_be_are_refused_in_a_sentence(spacing, thickness, profile):
    with pytest.raises(InputError, match=r"mm|slice profile"):
        Slices(spacing, thickness, profile)


# ---------------------------------------------------------------- the way back


@quickly
@several_slices
def test_deconvolution_keeps_a_constant(spacing, share, profile, voxel, size):
    slices = Slices(spacing, share * spacing, profile)
    back = deconvolution(slices, size, voxel)
    assert np.allclose(back @ np.ones(back.shape[1]), 1, atol=1e-6)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("thickness", "spacing"), [(2.0, 2.0), (3.0, 3.0), (4.0, 4.0), (4.0, 4.6)])
def test_deconvolution_told_the_profile_beats_the_b_spline(profile, thickness, spacing):
    size = 120
    mm = np.arange(size) + 0.5
    truth = 1 + np.sin(2 * np.pi * mm / 17) + 0.5 * np.cos(2 * np.pi * mm / 12.3)
    slices = Slices(spacing, thickness, profile)
    thick = slices.matrix(size, 1.0) @ truth
    spline = matrix_at("bspline", len(thick), positions(size, 1.0, spacing)) @ thick
    inside = slice(10, -10)
    lost = [np.square(truth - one)[inside].mean() for one in (deconvolution(slices, size, 1.0) @ thick, spline)]
    assert lost[0] < 0.7 * lost[1]


def test_a_larger_weight_lets_less_noise_through():
    slices = Slices(4.0, 4.0)
    through = [np.square(deconvolution(slices, 100, 1.0, weight)).sum(axis=1).mean() for weight in (3e-3, 3e-2, 0.3)]
    assert through == sorted(through, reverse=True)
