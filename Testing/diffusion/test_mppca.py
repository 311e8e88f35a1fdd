"""A series is denoised by DIPY's MP-PCA a slab at a time; what it cannot be done to is refused before any work."""

import sys

import numpy as np
import pytest

from SuperResolutionLib.diffusion import mppca
from SuperResolutionLib.progress import finish
from SuperResolutionLib.volume import TENSOR, Gradients, Volume

pytest.importorskip("dipy")
SIGMA = 20.0


def truth(count: int = 14, size: tuple[int, int, int] = (13, 15, 11), seed: int = 0) -> np.ndarray:
    """Voxels (t, z, y, x) of three tissues, each with a signal of its own in every volume."""
    rng = np.random.default_rng(seed)
    tissues = rng.integers(0, 3, size[::-1])
    return np.moveaxis(rng.uniform(200, 1000, (3, count))[tissues], -1, 0)


def noisy(voxels: np.ndarray) -> np.ndarray:
    return voxels + SIGMA * np.random.default_rng(1).standard_normal(voxels.shape)


def series(voxels: np.ndarray) -> Volume:
    count = len(voxels)
    directions = np.random.default_rng(2).standard_normal((count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    weighted = np.arange(count) > 0
    return Volume(voxels, (2.0, 2.0, 2.0), gradients=Gradients(1000.0 * weighted, directions * weighted[:, None]))


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values).mean()))


@pytest.mark.parametrize("size", [(13, 15, 11), (17, 9, 4), (9, 8, 1)])
def test_slabs_give_what_dipy_makes_of_the_whole_series(monkeypatch, size):
    from dipy.denoise.localpca import mppca as whole

    monkeypatch.setattr(mppca, "WIDEST", 3)
    low = series(noisy(truth(size=size)).astype(np.float32))
    radius = np.array(mppca.window(low))[::-1] // 2
    theirs = whole(np.ascontiguousarray(np.moveaxis(low.voxels - low.voxels.min(), 0, -1)), patch_radius=radius)
    ours = finish(mppca.denoising(low)).volume.voxels
    assert np.allclose(ours, np.moveaxis(theirs, -1, 0) + low.voxels.min(), atol=1e-2)


def test_little_memory_changes_nothing(monkeypatch):
    low = series(noisy(truth()).astype(np.float32))
    before = finish(mppca.denoising(low)).volume.voxels
    monkeypatch.setattr(mppca, "SLAB_VALUES", 1)
    assert np.allclose(finish(mppca.denoising(low)).volume.voxels, before, atol=1e-3)


def test_most_of_the_noise_goes_and_the_record_says_how_strong_it_was():
    import dipy

    true = truth()
    cleared = finish(mppca.denoising(series(noisy(true).astype(np.float32))))
    assert rms(cleared.volume.voxels - true) < 0.6 * SIGMA
    assert cleared.about.pop("sigma") == pytest.approx(SIGMA, rel=0.1)
    assert cleared.about == {"method": "MP-PCA", "dipy": dipy.__version__, "window": [5, 5, 5]}


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float64])
def test_the_voxels_keep_their_type_and_those_below_zero_stay_below(dtype):
    shift = 600 if np.dtype(dtype).kind != "u" else 0
    true = truth() - shift
    low = series(noisy(true).astype(dtype))
    cleared = finish(mppca.denoising(low)).volume
    assert cleared.voxels.dtype == dtype
    assert rms(cleared.voxels - true) < 0.6 * SIGMA
    assert cleared.gradients is low.gradients


def test_a_series_of_one_value_is_left_as_it_is():
    voxels = np.full((8, 6, 7, 6), 7.0, np.float32)
    cleared = finish(mppca.denoising(series(voxels)))
    assert np.array_equal(cleared.volume.voxels, voxels)
    assert cleared.about["sigma"] == 0


def test_windows_that_show_no_noise_are_left_alone_and_spoil_nothing(recwarn):
    """One voxel in masked air: rounding makes eigenvalues below zero, and DIPY takes the mean of none."""
    voxels = noisy(truth(size=(16, 16, 8))).astype(np.float32)
    voxels[:, :, :, 7:] = 0
    voxels[:, 2, 3, 12] = voxels[:, 2, 3, 3]
    cleared = finish(mppca.denoising(series(voxels)))
    assert np.isfinite(cleared.volume.voxels).all()
    assert cleared.about["sigma"] == pytest.approx(SIGMA, rel=0.3)
    assert [str(one.message) for one in recwarn] == []


def test_many_volumes_get_wider_windows():
    voxels = np.zeros((130, 9, 9, 9), np.float32)
    assert mppca.window(series(voxels)) == (7, 7, 7)
    assert mppca.window(series(voxels[:30])) == (5, 5, 5)


def test_progress_rises_to_its_total_and_the_work_ends_where_it_is_closed(monkeypatch):
    monkeypatch.setattr(mppca, "WIDEST", 4)
    low = series(noisy(truth()).astype(np.float32))
    events = []
    finish(mppca.denoising(low), events.append)
    done = [event.done for event in events]
    assert done == sorted(done)
    assert (done[0], done[-1], events[0].total) == (0, mppca.steps(low), mppca.steps(low))
    assert len(done) > 3
    assert "MP-PCA (DIPY" in events[0].message
    work = mppca.denoising(low)
    next(work)
    work.close()


def test_what_is_no_diffusion_series_or_too_short_is_refused(refuses):
    voxels = noisy(truth(count=6)).astype(np.float32)
    short = series(voxels[:5])
    with refuses("single volume"):
        mppca.check(Volume(voxels[0]))
    with refuses("no b-values", ".bval"):
        mppca.check(Volume(voxels, (2.0, 2.0, 2.0)))
    with refuses("5 volumes", "6 or more"):
        mppca.check(short)
    with refuses("Tensors", "series"):
        mppca.check(Volume(voxels, (2.0, 2.0, 2.0), quantity=TENSOR))
    with refuses("3 x 3 x 2 voxels"):
        mppca.check(series(voxels[:, :2, :3, :3]))


def test_without_dipy_it_is_refused(refuses, monkeypatch):
    monkeypatch.setitem(sys.modules, "dipy.denoise.localpca", None)
    with refuses("DIPY", "pip install dipy"):
        mppca.check(series(truth(count=6)))
