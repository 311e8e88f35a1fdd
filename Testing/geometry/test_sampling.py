"""The grid that is wanted: any factor along any axes, the field of view exactly kept, every wish checked once."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from phantoms import centres, grids, orientation

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import PLANES, stacking_axis
from SuperResolutionLib.geometry.sampling import MOST, Sampling
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.acquisition import Acquisition
from SuperResolutionLib.physics.degradation import MODELS, degrade
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.physics.mixtures import Mixture
from SuperResolutionLib.volume import Volume

few = settings(max_examples=10, deadline=None, derandomize=True, database=None)
many = settings(max_examples=60, deadline=None, derandomize=True, database=None)
IN_PLANE = [name for name in MODELS if name != "slices"]
ANY_AXES = [name for name, model in MODELS.items() if not isinstance(model, (Acquisition, Mixture))]
any_plane = st.sampled_from(PLANES)
scales = st.sampled_from([2, 3, 4])
any_factor = st.floats(1, 6, allow_nan=False)
three_factors = st.tuples(any_factor, any_factor, any_factor)


# ---------------------------------------------------------------- the field of view


@few
@given(grids(), any_plane, scales)
def test_every_interpolation_keeps_the_field_of_view(volume, plane, scale):
    for method in METHODS:
        refined = upsample(volume, method, sampling=Sampling(factor=scale, plane=plane))
        assert np.abs(refined.bounds() - volume.bounds()).max() < 1e-6
        assert np.array_equal(refined.direction, volume.direction)


@few
@given(grids(), any_plane, scales)
def test_every_degradation_keeps_the_field_of_view_of_what_it_was_given(volume, plane, scale):
    whole = Sampling(factor=scale, plane=plane).cropped(volume)
    for model in IN_PLANE:
        coarse = degrade(volume, model, sampling=Sampling(factor=scale, plane=plane))
        assert np.abs(coarse.bounds() - whole.bounds()).max() < 1e-6


@few
@given(grids(), any_plane, scales)
def test_only_the_axes_in_the_plane_are_refined(volume, plane, scale):
    axis = stacking_axis(volume, plane)
    refined = upsample(volume, "nearest", sampling=Sampling(factor=scale, plane=plane))
    for k in range(3):
        factor = 1 if k == axis else scale
        assert refined.size[k] == volume.size[k] * factor
        assert refined.spacing[k] == pytest.approx(volume.spacing[k] / factor)


@few
@given(grids(), scales)
def test_the_first_voxel_moves_outwards_by_half_the_difference_of_the_spacings(volume, scale):
    refined = Sampling(factors=(scale,) * 3).finer(volume).wanted
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


# ---------------------------------------------------------------- cropping


@few
@given(grids(), any_plane, scales)
def test_cropping_moves_no_voxel(volume, plane, scale):
    axis = stacking_axis(volume, plane)
    cropped = Sampling(factor=scale, plane=plane).cropped(volume)
    z, y, x = cropped.voxels.shape
    assert np.array_equal(cropped.voxels, volume.voxels[:z, :y, :x])
    assert np.array_equal(centres(cropped), centres(volume)[:z, :y, :x])
    for k in range(3):
        if k == axis:
            assert cropped.size[k] == volume.size[k]
        else:
            assert cropped.size[k] % scale == 0
            assert 0 <= volume.size[k] - cropped.size[k] < scale


def test_an_axis_smaller_than_the_scale_cannot_be_made_coarser(refuses):
    with refuses("3 voxels cannot be made coarser by 4"):
        Sampling(factor=4).coarser(Volume(np.zeros((9, 9, 3))))


def test_the_stack_itself_may_be_smaller_than_the_scale():
    assert Sampling(factor=4).cropped(Volume(np.zeros((1, 9, 9)))).size == (8, 8, 1)


# ---------------------------------------------------------------- any factor


@many
@given(grids(), three_factors)
def test_any_factors_keep_the_field_of_view(volume, factors):
    grids = Sampling(factors=factors).finer(volume)
    fine = grids.empty(volume)
    assert np.abs(fine.bounds() - volume.bounds()).max() < 1e-6
    assert fine.size == grids.wanted.size
    assert np.allclose(fine.size, np.multiply(volume.size, factors), atol=0.5 + 1e-9)
    assert all(fine >= given for fine, given in zip(fine.size, volume.size, strict=True))


@many
@given(grids(), three_factors)
def test_coarsening_by_any_factors_keeps_the_field_of_view_of_what_is_left(volume, factors):
    assume(all(n >= f for n, f in zip(volume.size, factors, strict=True)))
    wish = Sampling(factors=factors)
    cropped = wish.cropped(volume)
    assert np.abs(wish.coarser(cropped).empty(cropped).bounds() - cropped.bounds()).max() < 1e-6


@many
@given(grids(), st.floats(0.3, 1.0))
def test_a_spacing_that_divides_the_field_of_view_is_exactly_had(volume, share):
    mm = min(volume.spacing) * share
    assume(max(volume.spacing) / mm <= MOST)
    grids = Sampling(spacing=mm).finer(volume)
    for size, old, new in zip(volume.size, volume.spacing, grids.wanted.spacing, strict=True):
        voxels = size * old / mm
        assert new == pytest.approx(mm, abs=1e-9) or abs(voxels - round(voxels)) > 1e-9
        assert new == pytest.approx(size * old / max(size, round(voxels)), abs=1e-9)
    adjusted = np.abs(np.array(grids.wanted.spacing) - mm).max() > 1e-6
    assert ("adjusted" in grids.record()) == adjusted


@many
@given(grids(), three_factors)
def test_back_from_the_finer_grid_lies_the_first_one(volume, factors):
    fine = Sampling(factors=factors).finer(volume)
    back = Sampling(factors=tuple(fine.factors)).coarser(fine.empty(volume))
    assert back.wanted.size == volume.size
    assert np.allclose(back.wanted.spacing, volume.spacing, atol=1e-9)
    assert np.allclose(back.wanted.origin, volume.origin, atol=1e-9)


def test_the_voxels_of_207_rows_at_0_8_mm_give_way_by_as_little_as_they_must():
    grids = Sampling(spacing=0.8).finer(Volume(np.zeros((5, 207, 10)), (0.8, 1.0, 0.8)))
    assert grids.wanted.size == (10, 259, 5)
    assert grids.wanted.spacing == (0.8, pytest.approx(207 / 259), 0.8)
    assert "0.799228" in grids.record()["adjusted"]


def test_isotropic_is_as_fine_as_the_finest_axis_and_coarsening_as_coarse_as_the_coarsest():
    volume = Volume(np.zeros((10, 20, 20)), (0.5, 0.5, 4.0))
    assert Sampling(isotropic=True).finer(volume).wanted.size == (20, 20, 80)
    assert Sampling(isotropic=True).coarser(volume).wanted.size == (2, 2, 10)


def test_refining_and_coarsening_give_the_grid_back():
    volume = Volume(np.zeros((4, 6, 8)), (0.5, 0.7, 4.0), (1.0, -2.0, 3.0), orientation("P", "I", "L"))
    fine = Sampling(factors=(2, 2, 1)).finer(volume).empty(volume)
    back = Sampling(factors=(2, 2, 1)).coarser(fine).wanted
    assert np.allclose(back.origin, volume.origin)
    assert np.allclose(back.spacing, volume.spacing)


@few
@given(grids(), three_factors, st.sampled_from(sorted(METHODS)))
def test_every_classical_method_refines_by_any_factors(volume, factors, method):
    fine = upsample(volume, method, sampling=Sampling(factors=factors))
    assert np.abs(fine.bounds() - volume.bounds()).max() < 1e-6
    flat = upsample(volume.with_voxels(np.full(volume.voxels.shape, 7.0)), method, sampling=Sampling(factors=factors))
    assert np.allclose(flat.voxels, 7, atol=1e-4)


@pytest.mark.parametrize("method", ["linear", "bicubic", "bspline", "sinc"])
@pytest.mark.parametrize("factor", [1.5, 2.7, 3.0])
def test_a_wave_stays_in_its_place_whatever_the_factor(method, factor):
    """Against the wave itself, not against another method: a shift would show."""
    x = np.arange(40) + 0.5
    low = Volume(np.broadcast_to(np.sin(2 * np.pi * x / 40), (3, 40, 40)).astype(np.float32).copy())
    fine = upsample(low, method, factor).voxels[1, 20]
    places = (np.arange(len(fine)) + 0.5) * 40 / len(fine)
    inside = slice(4, -4)  # sinc wraps around, the others repeat the edge
    assert np.abs(fine - np.sin(2 * np.pi * places / 40))[inside].max() < 0.008


@few
@given(grids(), st.floats(1.1, 3), st.sampled_from(ANY_AXES))
def test_every_forward_model_coarsens_by_any_factor_along_any_axes(volume, factor, model):
    assume(min(volume.size) >= factor)
    flat = volume.with_voxels(np.full(volume.voxels.shape, 100.0, np.float32))
    coarse = degrade(flat, model, sampling=Sampling(factors=(factor,) * 3))
    assert np.abs(coarse.voxels.mean() - 100) < 12  # noise of 2 % of R and Rician noise at SNR 20 in few voxels
    whole = Sampling(factors=(factor,) * 3).cropped(volume)
    assert np.abs(coarse.bounds() - whole.bounds()).max() < 1e-6


# ---------------------------------------------------------------- one slice


@few
@given(grids(), three_factors, any_plane, st.data())
def test_one_slice_of_the_whole_is_the_slice_alone(volume, factors, plane, data):
    whole = upsample(volume, "bspline", sampling=Sampling(factors=factors, plane=plane))
    axis = stacking_axis(volume, plane)
    k = data.draw(st.integers(0, whole.size[axis] - 1))
    alone = upsample(volume, "bspline", sampling=Sampling(factors=factors, plane=plane, only=k))
    assert np.allclose(alone.voxels, whole.voxels.take([k], 2 - axis), atol=1e-6)
    assert np.abs(centres(alone) - centres(whole).take([k], 2 - axis)).max() < 1e-9


# ---------------------------------------------------------------- what cannot be meant


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"factor": 0}, ["factor of 0", "from 1 to 16"]),
        ({"factor": -2}, ["factor of -2"]),
        ({"factor": "2"}, ["factor of '2'"]),
        ({"factor": True}, ["factor of True"]),
        ({"factor": float("nan")}, ["factor of nan"]),
        ({"factor": 100000}, ["factor of 100000"]),
        ({"factors": (2, 2)}, ["not three numbers"]),
        ({"spacing": 0}, ["spacing of 0"]),
        ({"spacing": (1, float("inf"), 1)}, ["spacing of inf"]),
        ({"factor": 2, "spacing": 1.0}, ["by factor and by spacing", "one of them"]),
        ({"isotropic": True, "factors": (1, 1, 2)}, ["by factors and by isotropic"]),
        ({"plane": "axail"}, ["plane", "did you mean 'axial'"]),
        ({"only": 1.5}, ["no slice 1.5"]),
        ({"only": True}, ["no slice True"]),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence_before_any_work(refuses, wish, words):
    with refuses(*words):
        Sampling(**wish)


def test_an_axis_is_not_made_coarser_on_the_way_to_a_finer_grid(refuses):
    with refuses("x axis has voxels of 0.5 mm", "1 mm is asked for", "coarser"):
        Sampling(spacing=1.0).finer(Volume(np.zeros((5, 5, 5)), (0.5, 0.5, 4.0)))


def test_more_than_sixteen_times_is_refused(refuses):
    with refuses("z axis", "20 times as finer", "16 times is the most"):
        Sampling(isotropic=True).finer(Volume(np.zeros((5, 5, 5)), (0.25, 0.25, 5.0)))


@pytest.mark.parametrize("k", [-1, 4, 99])
def test_a_slice_of_the_result_that_is_not_there_is_refused(refuses, k):
    with refuses(f"no slice {k}", "from 0 to 3"):
        Sampling(factor=2, only=k).finer(Volume(np.zeros((4, 8, 8)), (1, 1, 4)))


def test_a_scale_and_a_sampling_at_once_are_refused():
    with pytest.raises(InputError, match="leave the scale out"):
        Sampling.of(2, Sampling(factor=2))


def test_a_wish_is_recorded_as_it_was_said():
    assert Sampling(factor=2).finer(Volume(np.zeros((4, 8, 8)))).record()["asked"] == {"factor": 2}
    thick = Volume(np.zeros((4, 8, 8)), spacing=(1, 1, 4))
    assert Sampling(slice_spacing=2).finer(thick).record()["asked"] == {"slice_spacing": 2}
    said = {"factor", "factors", "spacing", "slice_spacing", "isotropic"}
    assert {f.name for f in fields(Sampling)} == {*said, "plane", "only", "allow_coarser"}
