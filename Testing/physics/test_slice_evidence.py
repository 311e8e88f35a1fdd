"""Slices thicker than stated, or interpolated, are found out; true ones of any profile, gap and noise are not."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.physics.interpolating import matrix
from SuperResolutionLib.physics.kernels import apply_through
from SuperResolutionLib.physics.slice_evidence import smoother
from SuperResolutionLib.physics.slice_profile import Slices

PIXELS = (1.0, 1.0)


@pytest.fixture(scope="module")
def tissue() -> np.ndarray:
    """Structure that is equally fine along all axes, of 1 mm voxels, as in a head: much that is coarse, little fine."""
    rng = np.random.default_rng(0)
    white = rng.normal(size=(96, 96, 96))
    layers = [k * gaussian_filter(white, k / 2) * k**0.5 for k in (2, 4, 8, 16)]
    return (1000 + 300 * sum(layers) / np.std(sum(layers))).astype(np.float32)


def sliced(tissue: np.ndarray, slices: Slices, noise: float = 0.0) -> np.ndarray:
    thick = apply_through(slices.matrix(len(tissue), 1.0).astype(np.float32), tissue)
    return thick + np.random.default_rng(1).normal(0, noise, thick.shape).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("noise", [0, 50])
@pytest.mark.parametrize(
    "slices", [Slices(4, 4), Slices(4, 4, "box"), Slices(4, 3, "sinc"), Slices(3, 2.4), Slices(5, 6), Slices(2, 2)]
)
def test_a_true_header_is_believed(tissue, slices, noise, axis):
    assert not smoother(sliced(np.moveaxis(tissue, axis, 0), slices, noise), slices, PIXELS)


@pytest.mark.parametrize("noise", [0, 25])
@pytest.mark.parametrize("spacing", [2, 3, 4])
def test_slices_of_twice_the_stated_thickness_are_found(tissue, spacing, noise):
    thick = sliced(tissue, Slices(spacing, 2 * spacing), noise)
    assert smoother(thick, Slices(spacing, spacing), PIXELS)


@pytest.mark.parametrize("method", ["linear", "bspline", "sinc"])
def test_interpolated_slices_are_found(tissue, method):
    thick = sliced(tissue, Slices(4, 4))
    more = apply_through(matrix(method, len(thick), 2 * len(thick)).astype(np.float32), thick)
    assert smoother(more, Slices(2, 2), PIXELS)
    assert not smoother(thick, Slices(4, 4), PIXELS)


def test_where_too_little_is_in_view_nothing_is_said(tissue):
    twice = sliced(tissue, Slices(4, 8))
    stated = Slices(4, 4)
    assert not smoother(twice[:7], stated, PIXELS)
    assert not smoother(twice[:, :30, :30], stated, PIXELS)
    assert not smoother(twice, stated, (3.0, 3.0))
    assert not smoother(np.zeros_like(twice), stated, PIXELS)
    assert not smoother(np.ones_like(twice), stated, PIXELS)
