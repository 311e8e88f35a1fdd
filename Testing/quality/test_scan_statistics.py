"""A scan that is noisier, softer or flatter than the training scans is said to be, in words."""

from dataclasses import fields

import numpy as np
import pytest
from phantoms import brain
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.quality.scan_statistics import Look, look, unlike

SCAN = gaussian_filter(brain((80, 84, 3)).voxels, (0, 1.5, 1.5))


def noisy(level: float) -> np.ndarray:
    return SCAN + np.random.default_rng(0).normal(0, level, SCAN.shape)


def test_noise_raises_noise_and_blur_lowers_sharpness():
    assert look(noisy(40)).noise > look(noisy(20)).noise > look(SCAN).noise
    assert look(gaussian_filter(SCAN, (0, 2, 2))).sharpness < look(SCAN).sharpness


def test_the_noise_of_a_flat_scan_is_its_standard_deviation():
    flat = 500 + np.random.default_rng(0).normal(0, 10, (3, 90, 90))
    r = np.percentile(flat, 99.9)
    assert look(flat).noise == pytest.approx(10 / r, rel=0.05)


def test_units_do_not_matter():
    one, other = look(SCAN), look(1000 * SCAN)
    assert (other.contrast, other.noise, other.sharpness) == pytest.approx(
        (one.contrast, one.noise, one.sharpness), rel=1e-4
    )


def test_what_lies_outside_is_told_in_words_and_what_lies_inside_is_not():
    ranges = {"contrast": (0.5, 1.0), "noise": (0.01, 0.02), "sharpness": (0.02, 0.2)}
    assert unlike(Look(0.7, 0.015, 0.1), ranges) == []
    flat, noisy_one, soft = unlike(Look(0.4, 0.05, 0.01), ranges)
    assert flat.startswith("it is flatter than the training scans: contrast 0.4, there 0.5 to 1")
    assert noisy_one.startswith("it is noisier")
    assert soft.startswith("it is softer")


def test_a_scan_without_a_head_is_refused():
    with pytest.raises(InputError, match="no head"):
        look(np.zeros((2, 20, 20)))


def test_the_models_for_any_scan_say_what_they_were_trained_on():
    """Fault K3: the ranges were held by scale, and every model of a scale claimed them."""
    cards = zoo.cards()
    for name in ("mri-x2", "mri-x4"):
        assert cards[name].looks.keys() == set(zoo.LOOKS) == {field.name for field in fields(Look)}
    assert cards["A-natural-image"].looks == {}
