"""How much of its matrix a scanner measured is read from the edge of k-space; where none shows, nothing is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import blobs, brain, layers, textured
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.physics.acquisition import Acquisition
from SuperResolutionLib.physics.degradation import MODELS, degrade
from SuperResolutionLib.physics.forward_models import Degradation, rician_noise
from SuperResolutionLib.physics.measured_matrix import measured_shares
from SuperResolutionLib.volume import Volume

SCANNERS = ("k_space", "k_space_hamming", "k_space_tukey", "partial_fourier", "elliptic", "t2_star", "rician")
RESIZED = ("bicubic", "area", "bicubic_blur3", "gauss_bicubic", "noise_down", "thick")
OFF = 0.035  # by how much of the matrix a share may be wrong


def shares_of(volume: Volume, axis: int = 2) -> tuple[float, float]:
    return measured_shares(stacks(volume, axis)[0])


def scanned(fine: Volume, way: str | Degradation, dtype: type = np.int16) -> Volume:
    return degrade(fine, way, 2).cast(dtype)


@given(
    rows=st.one_of(st.just(1.0), st.floats(0.45, 0.8)),
    columns=st.one_of(st.just(1.0), st.floats(0.45, 0.8)),
    snr=st.sampled_from([np.inf, 60.0, 25.0]),
    coils=st.integers(1, 3),
    window=st.sampled_from(["none", "fermi"]),
    size=st.tuples(st.integers(150, 230), st.integers(150, 230)),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_what_was_filled_with_zeros_is_found_to_a_few_hundredths(rows, columns, snr, coils, window, size, seed):
    way = Acquisition(rows=rows, columns=columns, snr=snr, coils=coils, window=window, width=0.03)
    assert shares_of(scanned(textured(seed, *size), way)) == pytest.approx((rows, columns), abs=OFF)


@given(way=st.sampled_from(SCANNERS + RESIZED), snr=st.sampled_from([0, 40, 20]), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_a_scan_that_was_not_interpolated_is_taken_as_it_is(way, snr, seed):
    low = scanned(textured(seed), MODELS[way], np.float32)
    if snr:
        sigma = float(low.voxels[low.voxels > 50].mean()) / snr
        low = low.with_voxels(rician_noise(low.voxels, sigma, np.random.default_rng(seed)))
    assert shares_of(low) == (1, 1)
    assert shares_of(low.cast(np.int16)) == (1, 1)


def test_noise_that_came_after_the_filling_hides_the_edge_and_nothing_is_said():
    low = scanned(textured(0), Acquisition(rows=0.6, columns=0.6), np.float32)
    noisy = rician_noise(low.voxels, 50, np.random.default_rng(0))
    assert shares_of(low.with_voxels(noisy)) == (1, 1)


def test_half_of_partial_fourier_is_no_edge():
    assert shares_of(scanned(textured(0), Acquisition(partial=0.75, snr=50))) == (1, 1)


def test_of_a_tapered_edge_the_place_is_found_where_half_of_the_amplitude_is_left():
    low = scanned(textured(0), Acquisition(rows=0.7, columns=0.7, window="tukey", width=0.3, snr=40))
    assert shares_of(low) == pytest.approx((0.85 * 0.7, 0.85 * 0.7), abs=OFF)


def test_a_scan_of_a_brain_cut_out_after_the_filling_shows_its_edge():
    low = scanned(textured(0), Acquisition(rows=0.6, columns=0.7), np.float32)
    rows, columns = low.voxels.shape[1:]
    kept = brain((columns, rows, 4)).voxels > 0
    kept &= np.hypot(*np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")) < 0.7
    assert shares_of(low.with_voxels(low.voxels * kept)) == pytest.approx((0.6, 0.7), abs=OFF)


def test_one_slice_is_enough():
    low = scanned(textured(0, slices=1), Acquisition(rows=0.6, columns=0.5, snr=40))
    assert shares_of(low) == pytest.approx((0.6, 0.5), abs=OFF)


@pytest.mark.parametrize("plus", [-1000, 0, 5000])
@pytest.mark.parametrize("times", [0.01, 1.0, 300.0])
def test_neither_what_is_added_nor_what_is_multiplied_matters(plus, times):
    low = scanned(textured(0), Acquisition(rows=0.6, columns=0.5), np.float32)
    changed = low.with_voxels(low.voxels * np.float32(times) + np.float32(plus))
    assert shares_of(changed) == pytest.approx((0.6, 0.5), abs=OFF)


U = np.linspace(-1, 1, 96, dtype=np.float32)
V = np.linspace(-1, 1, 80, dtype=np.float32)[:, None]
PHANTOMS = {
    "a blob": np.exp(-((U / 0.3) ** 2) - (V / 0.4) ** 2),
    "a small blob": np.exp(-((U / 0.05) ** 2) - (V / 0.04) ** 2),
    "a wave": 2 + np.sin(60 * U) + np.cos(47 * V),
    "many waves": 3 + sum(np.sin(k * U + k * k) for k in (9, 31, 64)) / 3 + np.cos(71 * V),
    "a ramp": U + V + 2,
    "a box": 1.0 * ((abs(U) < 0.6) & (abs(V) < 0.7)),
    "a disc": 1.0 * (U**2 + V**2 < 0.5),
    "one value": np.ones((80, 96)),
    "nothing": np.zeros((80, 96)),
    "noise": np.random.default_rng(0).uniform(1, 2, (80, 96)),
    "smoothed noise": 5 + gaussian_filter(np.random.default_rng(0).standard_normal((80, 96)), 2),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8])
@pytest.mark.parametrize("name", PHANTOMS)
def test_smooth_and_empty_and_sharp_phantoms_have_no_edge(name, dtype):
    one = (40 * PHANTOMS[name]).astype(dtype)
    assert measured_shares(np.stack([one] * 3)) == (1, 1)
    assert measured_shares(one[None]) == (1, 1)


def test_blobs_and_layers_have_no_edge():
    grid = Volume(np.zeros((8, 70, 90), np.float32))
    assert measured_shares(blobs(grid, np.array([45.0, 35.0, 4.0]), 25)) == (1, 1)
    assert measured_shares(layers().voxels) == (1, 1)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 8, 9), (2, 1, 200), (2, 200, 1), (5, 31, 33)])
def test_nothing_is_told_of_the_smallest_slices(shape):
    voxels = np.random.default_rng(0).uniform(0, 1, shape)
    assert measured_shares(voxels) == (1, 1)
