"""The classical methods are what their names say, on the right grid."""

import numpy as np
import pytest
import torch
from phantoms import blobs, brain, centre_of_mass, middle, shift, stack
from scipy import ndimage
from torch.nn.functional import interpolate

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.volume import Volume

SIZES = [(1, 1), (2, 3), (8, 8), (9, 14), (31, 20)]


@pytest.fixture(params=SIZES, ids=str)
def coarse(request) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 1, request.param).astype(np.float32)


@pytest.fixture(params=[2, 3, 4], ids="x{}".format)
def scale(request) -> int:
    return request.param


def refine(coarse: np.ndarray, method: str, scale: int) -> np.ndarray:
    return upsample(stack(coarse), method, scale).voxels[0]


@pytest.mark.parametrize("method", ["bicubic", "linear", "nearest"])
def test_the_method_is_that_of_image_libraries(coarse, scale, method):
    mode = {"linear": "bilinear"}.get(method, method)
    corners = {} if method == "nearest" else {"align_corners": False}
    expected = interpolate(torch.from_numpy(coarse)[None, None], scale_factor=scale, mode=mode, **corners)
    assert np.abs(refine(coarse, method, scale) - expected[0, 0].numpy()).max() < 1e-5


def test_bspline_is_the_interpolating_cubic_spline_of_scipy(coarse, scale):
    expected = coarse.astype(np.float64)
    for axis in (0, 1):
        factors = [1, 1]
        factors[axis] = scale
        expected = ndimage.zoom(expected, factors, order=3, mode="nearest", grid_mode=True)
    assert np.abs(refine(coarse, "bspline", scale) - expected).max() < 1e-5


def zero_filled(line: np.ndarray, scale: int) -> np.ndarray:
    """Zero-fill k-space along the last axis, Nyquist split evenly, sampled at the fine voxels' centres."""
    n = line.shape[-1]
    k_space = np.fft.fft(line)
    wide = np.zeros((*line.shape[:-1], n * scale), complex)
    half = (n + 1) // 2
    wide[..., :half] = k_space[..., :half]
    wide[..., wide.shape[-1] - (n - half) :] = k_space[..., half:]
    if n % 2 == 0:
        wide[..., n // 2] = wide[..., -(n // 2)] = k_space[..., n // 2] / 2
    k = np.fft.fftfreq(n * scale, 1 / (n * scale))
    ramp = np.exp(2j * np.pi * k * (0.5 / scale - 0.5) / n)
    return np.fft.ifft(wide * ramp).real * scale


def test_sinc_is_zero_filled_k_space_at_the_fine_centres(coarse, scale):
    expected = zero_filled(zero_filled(coarse, scale).T, scale).T
    assert np.abs(refine(coarse, "sinc", scale) - expected).max() < 1e-5


def test_sinc_gives_a_sine_below_nyquist_exactly(scale):
    n = 16
    wave = [np.sin(2 * np.pi * 5 * (np.arange(n * s) + 0.5) / (n * s)) for s in (1, scale)]
    assert np.abs(refine(np.tile(wave[0], (n, 1)), "sinc", scale)[0] - wave[1]).max() < 1e-5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_constant_slice_stays_constant_up_to_its_edges(method, scale, size):
    assert np.abs(refine(np.full(size, 500.0), method, scale) - 500).max() < 1e-2


@pytest.mark.parametrize("method", ["linear", "bicubic", "bspline"])
def test_a_ramp_stays_a_ramp_inside(method, scale):
    fine = refine(np.tile(np.arange(40.0), (3, 1)), method, scale)[0]
    position = (np.arange(40 * scale) + 0.5) / scale - 0.5
    inside = slice(14 * scale, -14 * scale)
    ramp_is_exact = method != "bicubic"  # with a = -0.75 it is not, and that is how libraries have it
    assert np.abs(fine - position)[inside].max() < (1e-3 if ramp_is_exact else 0.1)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_moves(method, scale):
    empty = Volume(np.zeros((3, 30, 36)), (0.9, 0.9, 3.0), (-40.0, 7.0, 90.0))
    about = middle(empty)
    coarse = empty.with_voxels(blobs(empty, about, 6))
    fine = upsample(coarse, method, scale)
    assert shift(fine.voxels[1], blobs(fine, about, 6)[1]) < 0.05
    moved = centre_of_mass(fine) - centre_of_mass(coarse)
    assert np.abs(moved).max() < 0.01


@pytest.mark.parametrize("method", ["linear", "bicubic", "bspline", "sinc"])
def test_a_smooth_scan_is_restored_where_its_voxels_lie(method, scale):
    """Half a voxel off would be an error of more than a tenth of the range."""
    empty = Volume(np.zeros((3, 40, 44)), (1.0, 1.0, 3.0))
    about = middle(empty)
    fine = upsample(empty.with_voxels(blobs(empty, about, 10)), method, scale)
    truth = blobs(fine, about, 10)
    assert np.abs(fine.voxels - truth).max() < 0.03 * truth.max()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_series_is_refined_volume_by_volume(method, plane):
    series = Volume(np.random.default_rng(0).normal(size=(2, 5, 6, 7)).astype(np.float32))
    fine = upsample(series, method, 2, plane)
    for t in range(2):
        alone = upsample(Volume(series.voxels[t]), method, 2, plane)
        assert np.array_equal(fine.voxels[t], alone.voxels)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_each_slice_is_refined_by_itself(plane):
    volume = Volume(np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32))
    axis = {"axial": 0, "coronal": 1, "sagittal": 2}[plane]
    fine = upsample(volume, "sinc", 2, plane)
    for k in range(volume.voxels.shape[axis]):
        assert np.allclose(fine.voxels.take(k, axis), refine(volume.voxels.take(k, axis), "sinc", 2), atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32, np.float64])
def test_the_voxel_type_stays(method, dtype):
    assert upsample(brain((6, 6, 2)).cast(dtype), method, 2).voxels.dtype == dtype


def test_overshoot_is_clipped_to_the_type_and_does_not_wrap():
    step = np.zeros((12, 12), np.uint8)
    step[:, 6:] = 255
    fine = refine(step, "sinc", 2).astype(int)
    assert fine[:, :12].max() < 128
    assert fine[:, 13:23].min() > 128


def test_negative_values_survive():
    assert upsample(stack(np.full((6, 6), -7.0)), "bicubic", 2).voxels.max() < -6.9


def test_an_unknown_method_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'bicubic'"):
        upsample(brain((6, 6, 2)), "bicubik", 2)
