"""What is restored at which frequency: a wave ends up in its ring, and right and wrong are told apart."""

import numpy as np
import pytest

from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.quality.spectrum import RINGS, centres, spectrum, spectrum_through
from SuperResolutionLib.volume import Volume


def wave(frequency: float, phase: float = 0.0, size: int = 96) -> np.ndarray:
    """A wave along the rows; frequency as a share of Nyquist."""
    return np.broadcast_to(np.cos(np.pi * frequency * np.arange(size) + phase), (2, size, size))


def texture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (3, 96, 96)).astype(np.float32)


@pytest.mark.parametrize("frequency", [0.1, 0.42, 0.8])
def test_a_wave_lies_in_its_ring(frequency):
    found = spectrum(wave(frequency), wave(frequency))
    assert centres()[np.argmax(found.truth)] == pytest.approx(frequency, abs=1 / RINGS)


def test_a_perfect_copy_correlates_everywhere_and_nothing_is_wrong():
    found = spectrum(texture(0), texture(0))
    assert np.allclose(found.correlation, 1)
    assert found.error.sum() == 0
    assert found.band(0.5) == pytest.approx((1, 0), abs=1e-9)


def test_what_is_dimmed_is_right_but_less():
    right, wrong = spectrum(texture(0), 0.5 * texture(0)).band(0.5)
    assert (right, wrong) == (pytest.approx(0.25), pytest.approx(0, abs=1e-9))


def test_what_is_invented_is_wrong():
    right, wrong = spectrum(texture(0), texture(1)).band(0.5)
    assert right < 0.02
    assert wrong == pytest.approx(1, abs=0.1)


def test_a_shift_is_seen_at_high_frequencies_first():
    found = spectrum(texture(0), np.roll(texture(0), 1, axis=2))
    assert found.correlation[1] > 0.9
    assert found.correlation[-6:].mean() < 0.4
    assert found.band(0.5)[1] > 0.5


def test_zero_filling_restores_nothing_beyond_the_coarse_nyquist_frequency():
    truth = Volume(100 + 20 * texture(0), (1.0, 1.0, 4.0))
    restored = upsample(degrade(truth, "k_space", 2), "sinc", 2)
    found = spectrum(truth.voxels, restored.voxels)
    right, wrong = found.band(0.75)
    assert right + wrong < 0.02
    assert found.correlation[2:16].min() > 0.9


@pytest.mark.parametrize("frequency", [0.1, 0.42, 0.8])
@pytest.mark.parametrize("size", [30, 96])
def test_a_wave_along_the_slices_lies_at_its_frequency_and_one_within_them_at_none(frequency, size):
    along = np.moveaxis(wave(frequency), 2, 0)[:size]
    found = spectrum_through(along, 0.5 * along)
    assert centres()[np.argmax(found.truth)] == pytest.approx(frequency, abs=1 / RINGS)
    assert (found.truth > 0).all()
    assert found.band(0.05) == (pytest.approx(0.25), pytest.approx(0, abs=1e-9))
    within = np.broadcast_to(wave(frequency)[0], (size, 96, 96))
    assert np.argmax(spectrum_through(within, within).truth) == 0
