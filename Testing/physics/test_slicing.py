"""Thick slices of a volume: where they lie, how thick they are, what noise comes after."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import brain, grids

from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.physics.degradation import by_name, degrade
from SuperResolutionLib.physics.slice_profile import Slices
from SuperResolutionLib.volume import Volume

few = settings(max_examples=15, deadline=None, derandomize=True, database=None)


def fine(rows: int = 40) -> Volume:
    voxels = np.random.default_rng(0).random((rows, 9, 8)).astype(np.float32)
    return Volume(voxels, spacing=(1.0, 1.0, 0.8))


def test_the_stack_is_the_profile_s_matrix_along_the_slices():
    volume = fine()
    thick = degrade(volume, "slices:spacing=4,thickness=3,profile=box")
    assert thick.size == (8, 9, 8)
    assert thick.spacing == (1.0, 1.0, pytest.approx(4.0))
    expected = np.tensordot(Slices(4.0, 3.0, "box").matrix(40, 0.8), volume.voxels, 1)
    assert np.allclose(thick.voxels, expected, atol=1e-6)
    assert thick.thickness == 3.0


def test_a_spacing_that_does_not_divide_the_field_of_view_gives_way():
    volume = fine()
    thick = degrade(volume, "slices:spacing=4.6")
    assert thick.size[2] == 7
    assert np.abs(thick.bounds() - volume.bounds()).max() < 1e-6
    assert thick.thickness == pytest.approx(32 / 7)


@few
@given(grids(smallest=8, largest=12), st.sampled_from(["axial", "coronal", "sagittal"]), st.floats(1.3, 3.0))
def test_the_field_of_view_stays_whatever_the_grid(volume, plane, factor):
    axis = stacking_axis(volume, plane)
    spacing = factor * volume.spacing[axis]
    thick = degrade(volume, "slices", sampling=Sampling(slice_spacing=spacing, plane=plane))
    assert [thick.size[k] for k in range(3) if k != axis] == [volume.size[k] for k in range(3) if k != axis]
    whole = Sampling(slice_spacing=spacing, plane=plane).cropped(volume)
    assert np.abs(thick.bounds() - whole.bounds()).max() < 1e-6


def test_the_noise_comes_after_slicing_and_has_the_signal_to_noise_ratio_asked_for():
    volume = brain((64, 64, 60))
    clean, noisy = (degrade(volume, f"slices:spacing=20{more}", seed=3) for more in ("", ",snr=25"))
    bright = clean.voxels > 0.5 * clean.voxels.max()
    inside = volume.voxels > 0.05 * np.percentile(volume.voxels, 99.9)
    assert np.std((noisy.voxels - clean.voxels)[bright]) == pytest.approx(volume.voxels[inside].mean() / 25, rel=0.1)


def test_what_cannot_be_is_refused(refuses):
    with refuses("9 mm thick", "4 mm apart", "up to twice the spacing"):
        degrade(fine(), "slices:spacing=4,thickness=9")
    with refuses("leaves the slices as they are", "larger spacing"):
        degrade(fine(), "slices", 2)
    with refuses("0.8 mm", "0.5 mm is asked for, which is finer"):
        degrade(fine(), "slices:spacing=0.5")
    with refuses("slice profile", "triangle", "gaussian"):
        by_name("slices:profile=triangle")
    with refuses("spacing=thick", "above 0"):
        by_name("slices:spacing=thick")
