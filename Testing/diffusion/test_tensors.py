"""Tensors and their maps, against tensors that are known and against DIPY."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from dipy.core.gradients import gradient_table
from dipy.reconst import dti
from known_tensors import directions, head, series

from SuperResolutionLib.diffusion import tensors as module
from SuperResolutionLib.diffusion.tensors import fit_tensors, head_mask
from SuperResolutionLib.header import Header
from SuperResolutionLib.volume import Gradients, Volume

SIX = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def everywhere(volume: Volume) -> np.ndarray:
    return np.ones(volume.voxels.shape[1:], bool)


@pytest.mark.parametrize("method", ["wls", "ols"])
def test_the_tensors_of_a_noise_free_series_are_found(true, method):
    volume = series(true)
    found = fit_tensors(volume, method, everywhere(volume))
    expected = np.stack([true[..., i, j] for i, j in SIX])
    assert found.tensor.voxels.dtype == np.float32
    assert np.abs(found.tensor.voxels - expected).max() < 1e-8
    assert np.allclose(found.tensor.bounds(), volume.bounds())


def test_tensors_keep_the_place_of_the_header_and_drop_what_is_said_of_intensities(true):
    about = Header(shown=(3.0, 4000.0), description="FSL5.0", time_step=2.5, slices=1, thickness=2.0)
    volume = replace(series(true), header=about)
    found = fit_tensors(volume, mask=everywhere(volume)).tensor.header
    assert (found.description, found.slices, found.thickness) == ("FSL5.0", 1, 2.0)
    assert (found.shown, found.time_step) == ((0, 0), None)


def test_the_maps_are_what_the_eigenvalues_say(true):
    volume = series(true)
    found = fit_tensors(volume, mask=everywhere(volume))
    values, vectors = np.linalg.eigh(true)
    small, middle, large = np.moveaxis(values, -1, 0)
    mean = values.mean(-1)
    assert np.allclose(found.md, mean, rtol=1e-4)
    assert np.allclose(found.ad, large, rtol=1e-4)
    assert np.allclose(found.rd, (small + middle) / 2, rtol=1e-4)
    spread = np.sqrt(1.5 * np.square(values - mean[..., None]).sum(-1) / np.square(values).sum(-1))
    assert np.allclose(found.fa, spread, atol=1e-5)
    assert np.abs((found.direction * vectors[..., 2]).sum(-1)).min() > 0.9999
    assert np.allclose(found.colour, np.abs(vectors[..., 2]) * spread[..., None], atol=1e-3)


def test_fitting_slab_by_slab_changes_nothing(true, monkeypatch):
    volume = series(true)
    whole = fit_tensors(volume, mask=everywhere(volume))
    monkeypatch.setattr(module, "SLAB_VALUES", 1)
    assert np.array_equal(fit_tensors(volume, mask=everywhere(volume)).tensor.voxels, whole.tensor.voxels)


@pytest.mark.parametrize("method", ["wls", "ols"])
def test_noisy_tensors_are_those_of_dipy(true, method):
    noise = np.random.default_rng(1).normal(0, 20, (13, 3, 4, 5))
    volume = series(true)
    volume = volume.with_voxels(volume.voxels + noise)
    found = fit_tensors(volume, method, everywhere(volume))
    table = gradient_table(volume.gradients.bvals, bvecs=volume.gradients.bvecs)
    fit = dti.TensorModel(table, fit_method=method.upper()).fit(np.moveaxis(volume.voxels, 0, -1))
    assert np.allclose(found.fa, fit.fa, atol=1e-5)
    assert np.allclose(found.md, fit.md, rtol=1e-4)


@pytest.mark.parametrize("value", [0.0, -50.0])
def test_zero_and_negative_voxels_give_finite_moderate_tensors(true, value):
    volume = series(true)
    voxels = volume.voxels.copy()
    voxels[:, 0] = value  # everything
    voxels[3, 1] = value  # one direction
    voxels[0, 2] = value  # the b0
    found = fit_tensors(volume.with_voxels(voxels), mask=everywhere(volume))
    for part in (found.tensor.voxels, found.fa, found.md, found.ad, found.rd, found.direction):
        assert np.isfinite(part).all()
    assert found.md.max() < 0.01
    assert found.fa.min() >= 0 and found.fa.max() <= 1


def test_outside_the_mask_everything_is_zero(true):
    volume = series(true)
    mask = everywhere(volume)
    mask[:, :, 2:] = False
    found = fit_tensors(volume, mask=mask)
    for part in (found.tensor.voxels[..., 2:], found.fa[..., 2:], found.md[..., 2:], found.direction[:, :, 2:]):
        assert not part.any()
    assert found.md[mask].all()


def test_the_head_is_found_in_the_b0():
    volume, _ = head(40, 8)
    inside = volume.voxels[0] > 100
    assert (head_mask(volume) == inside).mean() > 0.9


def weighted(volume: Volume, bvals: np.ndarray, bvecs: np.ndarray) -> Volume:
    return Volume(volume.voxels, gradients=Gradients(bvals, bvecs))


def test_what_has_no_tensors_is_refused(true, refuses):
    volume = series(true)
    bvals, bvecs = volume.gradients.bvals, volume.gradients.bvecs
    with refuses("single volume", "gradients", ".bval"):
        fit_tensors(Volume(volume.voxels[0]))
    with refuses("13 volumes without gradients"):
        fit_tensors(Volume(volume.voxels))
    with refuses("no b0", "1000"):
        fit_tensors(weighted(volume, np.full(13, 1000.0), np.concatenate([directions(1), directions(12)])))
    with refuses("All 13 volumes", "b0"):
        fit_tensors(weighted(volume, np.zeros(13), np.zeros((13, 3))))
    with refuses("12 diffusion-weighted volumes", "1 directions", "at least 6"):
        fit_tensors(weighted(volume, bvals, np.concatenate([bvecs[:1], np.tile([[1.0, 0, 0]], (12, 1))])))
    with refuses("5 diffusion-weighted volumes", "at least 6"):
        fit_tensors(series(true, count=5))
    flat = np.concatenate([np.zeros((1, 3)), directions(12) * (1, 1, 0)])
    flat[1:] /= np.linalg.norm(flat[1:], axis=1)[:, None]
    with refuses("12 directions", "spread over the sphere"):
        fit_tensors(weighted(volume, bvals, flat))
    with refuses("not unit vectors", "correct"):
        fit_tensors(weighted(volume, bvals, 2 * bvecs))
    with refuses("mask", "(2, 2, 2)", "(5, 4, 3)"):
        fit_tensors(volume, mask=np.ones((2, 2, 2)))
    with refuses("mask is empty"):
        fit_tensors(volume, mask=~everywhere(volume))
    with refuses("'nlls'", "wls, ols"):
        fit_tensors(volume, "nlls")


def test_without_dipy_the_library_itself_is_named(true, refuses, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "dipy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dipy", None)
    with refuses("pip install dipy"):
        fit_tensors(series(true))


def kurtosis(bvals: np.ndarray) -> Volume:
    """Isotropic tissue of MD 0.7e-3 mm2/s and kurtosis 1, as measured at b-values in 12 directions each."""
    every = np.concatenate([[0.0], np.repeat(bvals, 12)])
    exponents = -every * 0.7e-3 + (every * 0.7e-3) ** 2 / 6
    voxels = 900 * np.exp(exponents)[:, None, None, None] * np.ones((1, 2, 3, 4))
    return Volume(
        voxels, gradients=Gradients(every, np.concatenate([np.zeros((1, 3)), *[directions(12)] * len(bvals)]))
    )


@pytest.mark.parametrize("bvals", [(1000, 3000), (1010, 2000, 3000)])
def test_high_b_values_are_left_out_of_the_fit(bvals):
    """Fault D4: of b 0, 1000 and 3000 MD came out as .47e-3 for .70e-3 without a word."""
    volume = kurtosis(np.array(bvals, float))
    found = fit_tensors(volume, mask=everywhere(volume))
    low = fit_tensors(kurtosis(np.array(bvals[:1], float)), mask=everywhere(volume))
    assert np.allclose(found.md, low.md, rtol=1e-5)
    assert found.md.mean() > 0.59e-3
    assert f"13 volumes up to b = 1500 s/mm2; {12 * len(bvals) - 12} of higher" in found.note
    assert low.note == ""


def test_the_largest_b_value_can_be_told():
    """Fault D4: unless told otherwise."""
    volume = kurtosis(np.array([1000.0, 3000.0]))
    found = fit_tensors(volume, mask=everywhere(volume), largest_b=3000)
    assert found.note == ""
    assert found.md.mean() < 0.5e-3


def test_a_series_of_high_b_values_alone_is_fitted_and_the_doubt_is_said():
    """Fault D4."""
    found = fit_tensors(kurtosis(np.array([3000.0])), mask=np.ones((2, 3, 4), bool))
    assert "all b-values up to 3000" in found.note
    assert "MD may be too low" in found.note
