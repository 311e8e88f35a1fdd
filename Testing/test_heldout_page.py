"""The page of held-out figures measures how far a result lies off the truth."""

import numpy as np
import pytest
from phantoms import brain

from benchmarks.heldout import shift, shifts
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.physics.interpolating import METHODS


@pytest.mark.parametrize("moved", [0.0, 0.3, -1.2])
def test_slices_that_lie_off_are_found_out(moved):
    frequencies = np.fft.fftfreq(32)
    fine = brain((32, 32, 5)).voxels
    turned = np.fft.fft(fine, axis=2) * np.exp(-2j * np.pi * frequencies * moved)
    assert shift(fine, np.fft.ifft(turned, axis=2).real) == pytest.approx(abs(moved), abs=0.06)


def test_no_method_shifts_a_scan():
    found = shifts(brain((32, 32, 5)), "k_space", 0, 2, zoo.load("mri-x2"))
    assert found.keys() == {*METHODS, "mri-x2"}
    assert max(found.values()) < 0.05
