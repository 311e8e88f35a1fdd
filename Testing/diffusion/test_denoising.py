"""What a few signals do not explain is noise, and is taken out; the signals stay."""

import numpy as np
import pytest

from SuperResolutionLib.diffusion.denoising import Denoiser

SIGMA = 0.05


def few_signals(volumes: int = 20, shape=(6, 12, 11), seed: int = 0) -> np.ndarray:
    """A series (t, n, h, w) of three tissues, each with a signal of its own."""
    rng = np.random.default_rng(seed)
    tissues = rng.integers(0, 3, shape)
    return np.moveaxis(rng.uniform(0.2, 1, (3, volumes))[tissues], -1, 0)


def noisy(series: np.ndarray, seed: int = 1) -> np.ndarray:
    return series + SIGMA * np.random.default_rng(seed).standard_normal(series.shape)


def cleared(series: np.ndarray, **options: int) -> np.ndarray:
    denoiser = Denoiser(list(series), **options)
    return np.stack([denoiser.slice(k) for k in range(series.shape[1])], axis=1)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values).mean()))


@pytest.mark.filterwarnings("ignore:Number of samples")
@pytest.mark.parametrize("volumes", [20, 130])
def test_it_is_the_published_method(volumes):
    """DIPY counts the components of noise once more, by their variance: in a few windows that is one more or fewer."""
    localpca = pytest.importorskip("dipy.denoise.localpca")
    series = noisy(few_signals(volumes))
    theirs = localpca.mppca(np.ascontiguousarray(np.moveaxis(series, 0, -1)), patch_radius=2)
    apart = np.abs(cleared(series, step=1) - np.moveaxis(theirs, -1, 0))
    assert np.mean(apart < 1e-5) > 0.5
    assert rms(apart) < 0.02 * SIGMA


def test_most_of_the_noise_goes_and_fewer_windows_leave_hardly_more_of_it():
    truth = few_signals()
    left = {step: rms(cleared(noisy(truth), step=step) - truth) for step in (1, 2)}
    assert left[2] < 0.5 * SIGMA
    assert left[2] < 1.15 * left[1]


def test_signals_without_noise_stay():
    truth = few_signals()
    assert np.allclose(cleared(truth), truth, atol=1e-5)


@pytest.mark.parametrize(
    ("volumes", "shape"), [(7, (1, 9, 8)), (30, (2, 4, 3)), (140, (5, 6, 5))], ids=["one slice", "tiny", "many volumes"]
)
def test_any_size_is_taken(volumes, shape):
    truth = few_signals(volumes, shape)
    result = cleared(noisy(truth))
    assert result.shape == truth.shape
    assert rms(result - truth) <= SIGMA


def test_one_slice_alone_is_the_same_as_in_the_whole():
    series = noisy(few_signals(shape=(9, 8, 10)))
    whole = cleared(series)
    for k in (0, 4, 8):
        assert np.array_equal(Denoiser(list(series)).slice(k), whole[:, k])


def test_a_series_of_one_value_is_left_as_it_is():
    assert np.array_equal(cleared(np.full((8, 3, 6, 6), 7.0)), np.full((8, 3, 6, 6), 7.0, np.float32))
