"""Thick slices made thin by a network: field of view, gaps, series, tensors, one slice, the plane as well."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from in_words import EXACT, enhance, enhancing, restored
from phantoms import grids, layers
from tiny_models import store, store_thinning

from SuperResolutionLib.diffusion import log_euclidean
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import catalogue, thin_slices, zoo
from SuperResolutionLib.methods.chain import Chain
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.thin_slices import ThinSlices
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.volume import TENSOR, Gradients, Volume

few = settings(max_examples=10, deadline=None, derandomize=True, database=None)


def stack(slices: int = 9, spacing: float = 4.0, dtype: type = np.float32) -> Volume:
    voxels = 500 * np.random.default_rng(0).random((slices, 10, 12))
    voxels -= voxels.min()
    return Volume(voxels.astype(dtype), spacing=(1.0, 1.0, spacing))


@pytest.fixture
def thinning(shelf):
    """The only installed models: one for thick slices, one for the plane."""
    store_thinning(shelf)
    store(shelf, "mri-x2")
    return shelf


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return zoo.load(str(store_thinning(tmp_path_factory.mktemp("thinning"))))


@few
@given(grids(smallest=5, largest=8), st.floats(1.1, 4.0), st.sampled_from(["axial", "coronal", "sagittal"]))
def test_the_field_of_view_and_the_type_stay_for_any_stack_and_any_ratio(model, volume, factor, plane):
    axis = stacking_axis(volume, plane)
    result = enhance(volume, model, slice_spacing=volume.spacing[axis] / factor, plane=plane, ensemble=False, **EXACT)
    assert np.abs(result.bounds() - volume.bounds()).max() < 1e-6
    assert result.voxels.dtype == volume.voxels.dtype
    assert [result.size[k] for k in range(3) if k != axis] == [volume.size[k] for k in range(3) if k != axis]


def test_a_new_network_is_the_cubic_b_spline(shelf):
    fresh = zoo.load(str(store_thinning(shelf, woken=False)))
    for spacing in (1, 1.3):
        ours = enhance(stack(), fresh, slice_spacing=spacing, **EXACT)
        spline = upsample(stack(), "bspline", sampling=Sampling(slice_spacing=spacing))
        assert np.allclose(ours.voxels, spline.voxels, atol=1e-2)


def test_one_slice_is_that_of_the_whole(model):
    whole = enhance(stack(), model, isotropic=True, **EXACT)
    one = enhance(stack(), model, isotropic=True, only=20, **EXACT)
    assert np.array_equal(one.voxels[0], whole.voxels[20])
    assert one.origin[2] == pytest.approx(whole.origin[2] + 20)


def test_two_slices_are_enough_and_one_is_not(model, refuses):
    assert enhance(stack(2), model, isotropic=True, **EXACT).size == (12, 10, 8)
    with refuses("one slice"):
        enhance(stack(1), model, isotropic=True, **EXACT)


def test_each_volume_of_a_series_is_restored_and_its_gradients_stay(model):
    parts = [stack().voxels, 0.1 * stack().voxels]
    gradients = Gradients(np.array([0.0, 1000]), np.array([[0.0, 0, 0], [1, 0, 0]]))
    series = Volume(np.stack(parts), spacing=(1, 1, 4.0), gradients=gradients)
    result = enhance(series, model, isotropic=True, **EXACT)
    assert result.gradients is gradients
    for voxels, part in zip(result.voxels, parts, strict=True):
        alone = enhance(Volume(part, spacing=(1, 1, 4.0)), model, isotropic=True, **EXACT).voxels
        assert np.allclose(voxels, np.maximum(alone, 0), atol=1e-3)


def test_the_outside_of_an_extracted_brain_stays_empty(model):
    """Sibling of fault K5."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (12, 32, 32)), indexing="ij")
    inside = x**2 + y**2 + z**2 < 0.6
    brain = np.where(inside, 500 + 100 * np.sin(9 * x) * np.cos(7 * y), 0).astype(np.float32)
    result = restored(Volume(brain, spacing=(1, 1, 4.0)), model, isotropic=True, uncertainty=True, **EXACT)
    outside = np.repeat(~inside, 4, axis=0)
    assert (result.volume.voxels[outside] == 0).all()
    assert (result.uncertainty.voxels[outside] == 0).all()
    assert (result.volume.voxels[~outside] != 0).mean() > 0.99


@pytest.mark.parametrize("uncertainty", [False, True])
def test_air_is_a_spline_and_the_head_is_what_the_whole_slices_give(model, monkeypatch, uncertainty):
    head, air = stack().voxels, np.random.default_rng(1).rayleigh(4.0, (9, 70, 80)).astype(np.float32)
    air[:, 30:40, 34:46] += head
    scan = Volume(air, spacing=(1.0, 1.0, 4.0))
    asked = {"isotropic": True, "uncertainty": uncertainty, **EXACT}
    cut = restored(scan, model, **asked)
    monkeypatch.setattr(thin_slices, "in_view", lambda thick: (slice(0, 70), slice(0, 80)))
    whole = restored(scan, model, **asked)
    inside = (slice(None), slice(30, 40), slice(34, 46))
    np.testing.assert_allclose(cut.volume.voxels[inside], whole.volume.voxels[inside], atol=1e-3)
    spline = upsample(scan, "bspline", sampling=Sampling(isotropic=True))
    np.testing.assert_allclose(cut.volume.voxels[:, :10], spline.voxels[:, :10], atol=1e-3)
    assert not np.allclose(whole.volume.voxels[:, :10], spline.voxels[:, :10], atol=1e-3)
    if uncertainty:
        np.testing.assert_allclose(cut.uncertainty.voxels[inside], whole.uncertainty.voxels[inside], atol=1e-3)
        assert not cut.uncertainty.voxels[:, :10].any()


def test_tensors_stay_positive_definite(model):
    factors = np.random.default_rng(0).normal(size=(5, 6, 6, 3, 3)) * 0.01
    full = factors @ factors.swapaxes(-1, -2) + 1e-4 * np.eye(3)
    components = np.stack([full[..., a, b] for a, b in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))])
    result = enhance(Volume(components, spacing=(1, 1, 4), quantity=TENSOR), model, isotropic=True, **EXACT)
    assert result.size == (6, 6, 20)
    assert log_euclidean.indefinite(result) == 0


def test_the_uncertainty_lies_on_the_grid_of_the_result(model):
    result = restored(stack(), model, isotropic=True, uncertainty=True, **EXACT)
    assert result.uncertainty.voxels.shape == result.volume.voxels.shape
    assert result.uncertainty.voxels.max() > 0
    assert result.record.turns == 8


def test_the_record_says_what_was_done_and_what_the_slices_were_taken_for(model):
    record = restored(stack().with_thickness(3.0), model, isotropic=True, **EXACT).record
    assert record.method == "tiny-iso"
    assert record.notes == ("slices 3 mm thick, 4 mm apart, with gaps of 1 mm",)
    assert record.sampling["spacing"] == [1, 1, 1]
    assert "as thick as they are apart, 4 mm" in restored(stack(), model, isotropic=True, **EXACT).record.notes[0]
    json.dumps(record.as_table())


def test_the_thickness_reaches_the_network(model):
    thin, thick = (enhance(stack().with_thickness(mm), model, isotropic=True, **EXACT) for mm in (2.5, 4.5))
    assert not np.allclose(thin.voxels, thick.voxels, atol=1)


def test_what_the_slices_measured_comes_back_where_it_is_put_back(model):
    thick = degrade(layers(), "slices:spacing=4")
    alone, kept = (enhance(thick, model, isotropic=True, put_back=how, **EXACT) for how in ("none", "slices"))
    away = [np.abs(degrade(v, "slices:spacing=4").voxels - thick.voxels).mean() for v in (alone, kept)]
    assert away[1] < 0.5 * away[0]


def test_progress_counts_every_reformat_and_it_can_be_stopped(model):
    events = list(enhancing(stack(), model, isotropic=True, **EXACT))
    assert events[-1].done == events[-1].total == 22
    work = enhancing(stack(), model, isotropic=True, **EXACT)
    next(work)
    work.close()


def test_the_caller_s_model_and_threads_stay(model):
    before = [p.clone() for p in model.network.parameters()], torch.get_num_threads()
    enhance(stack(), model, isotropic=True, threads=1, **EXACT)
    assert all(torch.equal(a, b) for a, b in zip(before[0], model.network.parameters(), strict=True))
    assert torch.get_num_threads() == before[1]


# ---------------------------------------------------------------- which model is meant


def test_a_grid_between_slices_takes_the_model_for_thick_slices(thinning):
    assert isinstance(catalogue.network(stack(), None, Sampling(isotropic=True)), ThinSlices)
    assert isinstance(catalogue.network(stack(), None, Sampling(slice_spacing=1.7)), ThinSlices)


def test_a_finer_plane_is_made_before_the_slices(thinning):
    method = catalogue.network(stack(), None, Sampling(spacing=(0.5, 0.5, 1.0)))
    assert isinstance(method, Chain)
    assert method.name == "mri-x2 + tiny-iso"
    assert catalogue.network(stack(), None, Sampling(spacing=0.7)).name == "bspline + tiny-iso"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_both_keep_the_field_of_view_whichever_axis_the_slices_have(thinning, order):
    spacing = tuple(np.array([1.0, 1.0, 4.0])[list(order)])
    volume = Volume(stack().voxels[:8, :8, :8], spacing=spacing)
    result = restored(volume, None, spacing=0.5, **EXACT)
    assert np.abs(result.volume.bounds() - volume.bounds()).max() < 1e-6
    assert result.record.method == "mri-x2 + tiny-iso"
    assert result.record.sampling["spacing"] == [0.5, 0.5, 0.5]
    only = restored(volume, None, spacing=0.5, only=3, **EXACT).volume
    axis = stacking_axis(volume)
    assert np.allclose(only.voxels, np.take(result.volume.voxels, [3], axis=2 - axis), atol=1e-4)


def test_an_axis_becomes_coarser_only_where_that_is_allowed(thinning, refuses):
    with refuses("1 mm", "1.5 mm is asked for, which is coarser"):
        enhance(stack(), None, spacing=1.5, **EXACT)
    result = enhance(stack(), None, spacing=1.5, allow_coarser=True, **EXACT)
    assert np.abs(result.bounds() - stack().bounds()).max() < 1e-6
    assert result.size == (8, 7, 24)


def test_what_no_model_can_make_is_refused(thinning, refuses):
    cubic = Volume(np.ones((8, 8, 8), np.float32))
    with refuses("has these voxels already"):
        enhance(cubic, None, isotropic=True)
    with refuses("tiny-iso", "leaves the plane as it is"):
        enhance(stack(), "tiny-iso", scale=2)
    with refuses("uncertainty map", "not of both at once"):
        enhance(stack(), None, spacing=0.5, uncertainty=True)
    with refuses("way to put back what thick slices measured"):
        enhance(stack(), None, isotropic=True, put_back="series")
    with refuses("16 times is the most"):
        enhance(stack(), None, slice_spacing=0.1)
    with refuses("9 mm thick", "4 mm apart"):
        enhance(stack().with_thickness(9.0), None, isotropic=True)


def test_without_a_model_for_thick_slices_the_classical_one_is_named(shelf, refuses):
    store(shelf, "mri-x2")
    with refuses("No installed model", "deconvolution"):
        enhance(stack(), None, isotropic=True)


def test_what_is_unusual_of_a_stack_is_said(model):
    def said(volume):
        return " ".join(catalogue.network(volume, model).unusual(volume, Sampling()))

    smooth = np.broadcast_to(np.linspace(1, 2, 12)[:, None, None], (12, 16, 16)).astype(np.float32)
    assert said(Volume(smooth, spacing=(1, 1, 4.0))) == ""
    assert "9 mm apart" in said(Volume(smooth, spacing=(1, 1, 9.0)))
    assert "0.25 times as thick" in said(Volume(smooth, spacing=(1, 1, 4.0)).with_thickness(1.0))
    assert "3 slices" in said(Volume(smooth[:3], spacing=(1, 1, 4.0)))
    striped = smooth * np.where(np.arange(12) % 2, 1.1, 1)[:, None, None].astype(np.float32)
    assert "every second slice" in said(replace(Volume(smooth, spacing=(1, 1, 4.0)), voxels=striped))
