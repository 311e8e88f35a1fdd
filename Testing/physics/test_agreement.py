"""A sharper scan that is put back in agreement gives the scan again, and is not further from the truth."""

import numpy as np
import pytest
from phantoms import blobs, brain, middle, stack

from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.agreement import consistent
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.quality.recoarsening import agreement
from SuperResolutionLib.volume import Volume

SIZES = [(16, 20), (15, 21), (8, 13)]  # coarse: even, odd, mixed


def random_scan(size: tuple[int, int]) -> Volume:
    return stack(np.random.default_rng(2).uniform(50, 100, (2, *size)).astype(np.float32))


def smooth_scan(size: tuple[int, int]) -> Volume:
    empty = stack(np.zeros((2, *size)))
    return empty.with_voxels(blobs(empty, middle(empty), 6).astype(np.float32))


@pytest.mark.parametrize("scan", [random_scan, smooth_scan])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("method", ["nearest", "bicubic", "sinc"])
def test_what_is_put_back_gives_the_scan_when_it_is_truncated_again(scan, size, scale, method):
    low = scan(size)
    repaired = consistent(low, upsample(low, method, scale))
    assert agreement(low, repaired, "k_space") > 60


def test_even_a_sharpening_that_repaints_is_brought_back():
    low = random_scan((16, 20))
    fine = upsample(low, "bicubic", 2)
    repainted = fine.with_voxels(
        fine.voxels + np.random.default_rng(0).normal(0, 5, fine.voxels.shape).astype(np.float32)
    )
    assert agreement(low, repainted, "k_space") < 40
    assert agreement(low, consistent(low, repainted), "k_space") > 60


def test_what_lies_outside_the_measured_k_space_is_left_alone():
    low = random_scan((16, 20))
    fine = upsample(low, "bicubic", 2)
    changed = np.fft.fft2(consistent(low, fine).voxels - fine.voxels)
    outside = np.abs(np.fft.fftfreq(32, 1 / 32)) > 8
    assert np.abs(changed[:, outside]).max() < 1e-4 * np.abs(changed).max()


@pytest.mark.parametrize("size", [(32, 40), (30, 42)], ids=str)
@pytest.mark.parametrize("method", ["nearest", "linear", "bicubic", "bspline", "sinc"])
def test_it_does_not_raise_the_error_where_the_scan_is_a_truncation_of_the_truth(size, method):
    bright = np.random.default_rng(4).uniform(40, 100, (2, *size)).astype(np.float32)
    for truth in (stack(bright), smooth_scan(size)):
        low = degrade(truth, "k_space", 2)
        restored = upsample(low, method, 2)
        before, after = (
            float(np.square(v.voxels.astype(float) - truth.voxels).sum()) for v in (restored, consistent(low, restored))
        )
        assert after <= before * (1 + 1e-4)


def test_it_keeps_the_grid_and_the_voxel_type():
    low = brain((12, 14, 3)).cast(np.int16)
    fine = upsample(low, "bicubic", 2)
    repaired = consistent(low, fine)
    assert repaired.voxels.dtype == np.int16
    assert np.array_equal(repaired.bounds(), fine.bounds())
    assert repaired.spacing == fine.spacing


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_it_works_in_every_plane_and_on_every_volume_of_a_series(plane):
    voxels = np.random.default_rng(0).uniform(50, 100, (2, 8, 9, 10)).astype(np.float32)
    low = Volume(voxels)
    fine = upsample(low, "linear", sampling=Sampling(factor=2, plane=plane))
    assert agreement(low, consistent(low, fine, plane), "k_space") > 60


def test_the_plane_is_that_of_the_scan_even_where_the_sharper_grid_suggests_another():
    low = Volume(np.random.default_rng(0).uniform(50, 100, (8, 8, 8)).astype(np.float32), (1.0, 2.0, 2.0))
    fine = upsample(low, "sinc", 2)
    assert fine.spacing == (1.0, 1.0, 1.0)
    assert agreement(low, fine, "area") > 15


@pytest.mark.parametrize("degradation", ["bicubic", "area", "k_space"])
def test_interpolation_agrees_with_a_smooth_scan(degradation):
    low = smooth_scan((24, 28))
    assert agreement(low, upsample(low, "sinc", 2), degradation) > 30


def test_the_agreement_of_nearest_under_area_is_exact():
    low = random_scan((8, 9))
    assert agreement(low, upsample(low, "nearest", 2), "area") > 110
