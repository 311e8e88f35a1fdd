"""What a network paints into the scan's own band is found; what it paints above it is not, as the report says."""

import numpy as np
import pytest
from phantoms import brain

from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.quality.hallucination import EARLY, agreement
from SuperResolutionLib.study.bringing_back import InPlane
from SuperResolutionLib.study.trust import brought_back
from SuperResolutionLib.volume import Volume

PLACE = (40, 64)  # row and column on the fine grid of what is painted


def scan() -> Volume:
    return degrade(brain((128, 128, 3)), "k_space", 2)


def painted(low: Volume, wave: float) -> Volume:
    """The interpolated scan with a blob of 5 fine voxels in the middle slice, under a wave (share of Nyquist)."""
    fine = upsample(low, "sinc", 2)
    y, x = np.meshgrid(np.arange(128) - PLACE[0], np.arange(128) - PLACE[1], indexing="ij")
    blob = 400 * np.exp(-0.5 * (y**2 + x**2) / 5**2) * np.cos(np.pi * wave * x)
    voxels = fine.voxels.copy()
    voxels[1] += blob.astype(np.float32)
    return fine.with_voxels(voxels)


def suspect_places(low: Volume, restored: Volume) -> list[tuple[int, int, int]]:
    """Slice, row and column on the scan's grid of what is called suspect."""
    _, patches = brought_back(InPlane(low, Sampling(factor=2, plane="axial")), restored)
    reach = patches.on_grid(low.voxels.shape)
    return [(int(k), int(i), int(j)) for k, i, j in np.argwhere(reach < EARLY)]


def test_interpolation_contradicts_nothing():
    assert suspect_places(scan(), upsample(scan(), "sinc", 2)) == []


@pytest.mark.parametrize("wave", [0.0, 0.2])
def test_a_blob_inside_the_scans_band_is_found_where_it_is(wave):
    low = scan()
    places = np.array(suspect_places(low, painted(low, wave)))
    assert len(places) > 0
    assert set(places[:, 0]) == {1}
    away = np.hypot(places[:, 1] - PLACE[0] / 2, places[:, 2] - PLACE[1] / 2)
    assert away.min() < 4
    assert away.max() < 20


def test_a_blob_above_the_scans_band_is_not_found():
    low = scan()
    restored = painted(low, 0.8)
    assert np.abs(restored.voxels - upsample(low, "sinc", 2).voxels).max() > 300
    assert suspect_places(low, restored) == []


def test_a_changed_contrast_is_no_contradiction():
    low = scan()
    fine = upsample(low, "sinc", 2)
    assert suspect_places(low, fine.with_voxels(1.2 * fine.voxels)) == []


def test_the_background_is_not_asked():
    low = scan()
    _, patches = brought_back(InPlane(low, Sampling(factor=2, plane="axial")), upsample(low, "sinc", 2))
    assert np.isnan(patches.reach[:, 0, 0]).all()
    assert np.isfinite(patches.reach[:, 6, 6]).all()
    assert patches.share == 0
    assert patches.curve.min() > 0.9


def test_slices_smaller_than_a_patch_are_not_checked():
    small = np.ones((2, 12, 40), np.float32)
    assert agreement(small, small) is None


def test_a_result_without_the_noise_of_its_scan_is_hardly_suspect_where_that_is_known():
    clean = scan().voxels.astype(np.float32)
    noisy = clean + np.random.default_rng(0).normal(0, 60, clean.shape).astype(np.float32)
    turned = clean[:, ::-1, ::-1]
    blind, told = agreement(noisy, clean), agreement(noisy, clean, 60)
    assert blind.share > 0.3
    assert told.share < blind.share / 4
    assert agreement(noisy, turned, 60).share > 0.6
