"""Classical methods at any position between slices agree with those of whole ratios, and with what they are for."""

import numpy as np
import pytest

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.physics.interpolating import METHODS, matrix, matrix_at, positions
from SuperResolutionLib.physics.slice_profile import Slices
from SuperResolutionLib.physics.starts import OFFERS, starts


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_whole_ratio_gives_what_the_interpolation_in_plane_gives(method, scale):
    ours = matrix_at(method, 15, positions(15 * scale, 1.0, float(scale)))
    assert np.allclose(ours, matrix(method, 15, 15 * scale), atol=1e-5)


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("ratio", [1.3, 2.7, 4.6])
def test_every_method_keeps_a_constant_at_any_ratio(method, ratio):
    rows = matrix_at(method, 20, positions(round(20 * ratio), 1.0, ratio))
    assert np.allclose(rows.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("method", ["linear", "bicubic", "bspline"])
def test_smooth_methods_put_a_wave_where_it_is(method):
    position = positions(83, 0.9, 2.5)
    wave = [np.sin(2 * np.pi * where / 16) for where in (np.arange(30), position)]
    assert np.abs(matrix_at(method, 30, position) @ wave[0] - wave[1])[15:-15].max() < 0.03


def test_an_unknown_method_is_refused():
    with pytest.raises(InputError, match="did you mean 'bspline'"):
        matrix_at("bsplin", 4, positions(8, 1.0, 2.0))


def test_the_starts_are_the_b_spline_and_what_is_offered_beside_it():
    begun = starts(Slices(3.0, 3.0), 10, 30, 1.0)
    assert begun.shape == (1 + len(OFFERS), 30, 10)
    assert np.allclose(begun.sum(axis=2), 1, atol=1e-4)
    assert np.array_equal(begun[0], matrix_at("bspline", 10, positions(30, 1.0, 3.0)))
