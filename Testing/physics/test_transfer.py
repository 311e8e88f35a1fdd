"""What a scan shows of each frequency is found from its restoration; the scan is put back, and not its noise."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.physics.acquisition import Acquisition
from SuperResolutionLib.physics.forward_models import Level, rician_noise
from SuperResolutionLib.physics.transfer import Transfer, noise_of

LEVEL = Level(1.0, 1.0)


def head(seed: int = 0, size: int = 96) -> np.ndarray:
    """Four slices of textured discs of range 1 on a black ground."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size - 0.5
    texture = gaussian_filter(rng.standard_normal((4, size, size)), (0, 0.8, 0.8))
    return (np.clip(0.6 + texture, 0.1, 1) * (np.hypot(x, y) < 0.35)).astype(np.float32)


def blurred(truth: np.ndarray) -> np.ndarray:
    """A restoration that lacks some detail everywhere."""
    return gaussian_filter(truth, (0, 0.8, 0.8))


def scanned(model: Acquisition, seed: int = 0) -> np.ndarray:
    return model.slices(head(seed), 2, LEVEL, np.random.default_rng(0))


def far(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.square(one - other).mean()))


MODELS = [
    Acquisition(window="hamming", width=0.7),
    Acquisition(decay=0.8),
    Acquisition(shape="ellipse", window="fermi", width=0.1),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.window} {m.decay:g}")
def test_the_weights_are_those_of_the_scanner(model):
    found = np.fft.fftshift(Transfer.between(head(), scanned(model)).weights)
    given = model.weights(48, 48)
    middle = (slice(6, -6), slice(6, -6))
    assert np.abs(found - given)[middle].mean() < 0.03


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.window} {m.decay:g}")
def test_what_is_put_back_shows_the_scan_again_and_comes_nearer_to_the_truth(model):
    truth, coarse = head(), scanned(model)
    fine = truth + 0.05 * gaussian_filter(np.random.default_rng(1).standard_normal(truth.shape), (0, 1, 1)) * truth
    transfer = Transfer.between(fine, coarse)
    kept = transfer.put_back(fine, coarse)
    assert far(transfer.apply(kept, coarse.shape), coarse) < 0.5 * far(transfer.apply(fine, coarse.shape), coarse)
    assert far(kept, truth) < far(fine, truth)


def test_noise_stays_out_and_comes_back_where_it_is_asked_for():
    truth, clean = head(), scanned(Acquisition())
    noisy = rician_noise(clean, 0.03, np.random.default_rng(0))
    transfer = Transfer.between(truth, noisy)
    assert far(transfer.put_back(truth, noisy), truth) < 0.006
    assert far(replace(transfer, denoise=0.0).put_back(truth, noisy), truth) > 0.01
    halfway = [far(replace(transfer, denoise=share).put_back(truth, noisy), truth) for share in (0.0, 0.5, 1.0)]
    assert halfway == sorted(halfway, reverse=True)


def test_the_noise_is_told_by_the_background():
    clean = scanned(Acquisition())
    noisy = rician_noise(clean, 0.03, np.random.default_rng(0))
    assert noise_of(noisy, clean) == pytest.approx(0.03, rel=0.2)


def test_where_there_is_no_background_all_that_is_left_counts_as_noise():
    shown = np.full((2, 20, 20), 0.5)
    scan = shown + np.random.default_rng(0).normal(0, 0.02, shown.shape)
    assert noise_of(scan, shown) == pytest.approx(0.02, rel=0.1)
    assert noise_of(np.zeros((2, 20, 20)), np.zeros((2, 20, 20))) == 0.0


def test_one_slice_is_put_back_as_in_company():
    truth, coarse = head(), scanned(MODELS[0])
    transfer = Transfer.between(blurred(truth), coarse)
    together = transfer.put_back(blurred(truth), coarse)
    alone = transfer.put_back(blurred(truth)[2:3], coarse[2:3])
    np.testing.assert_allclose(alone[0], together[2], atol=1e-5)
