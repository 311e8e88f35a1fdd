"""Flips and quarter turns are exact; a method that treats all directions alike is as good in each."""

import numpy as np
import pytest
from phantoms import blobs, brain, middle

from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.forward_models import Area
from SuperResolutionLib.progress import finish
from SuperResolutionLib.study.rotation import square, turned, turning
from SuperResolutionLib.volume import Volume


def one_sided(low: Volume, scale: int) -> Volume:
    """A method that blurs along the rows only."""
    fine = upsample(low, "linear", scale)
    return fine.with_voxels((fine.voxels + np.roll(fine.voxels, 2, axis=-1)) / 2)


METHODS = {"linear": lambda low, s: upsample(low, "linear", s), "one_sided": one_sided}


def stripes() -> np.ndarray:
    """Structure along one axis only."""
    x = np.arange(48)
    return np.broadcast_to(400 + 300 * np.sin(x / 2.0), (3, 48, 48)).astype(np.float32)


def test_quarter_turns_move_voxels_without_changing_them():
    slices = brain((30, 30, 2)).voxels
    assert np.array_equal(turned(slices, 90), np.rot90(slices, 1, (1, 2)))
    assert np.array_equal(turned(slices, 0), slices)


def test_another_angle_turns_about_the_middle():
    empty = Volume(np.zeros((1, 49, 49)))
    slices = blobs(empty, middle(empty), 6)
    there_and_back = turned(turned(slices, 30), -30)
    assert np.abs(there_and_back - slices).max() < 0.02 * slices.max()
    assert np.abs(turned(slices, 30) - slices).max() > 0.1 * slices.max()


def test_slices_are_padded_evenly_to_squares():
    padded = square(np.ones((2, 30, 21)), 4)
    assert padded.shape == (2, 32, 32)
    assert padded.sum() == 2 * 30 * 21
    assert padded[0, 1:31, 5:26].all()


def test_a_method_that_treats_all_directions_alike_is_as_good_in_each_exact_one():
    found = finish(turning(brain((40, 40, 3)).voxels, 600.0, METHODS, Area(), 2, angles=(0, 90)))
    values = [found["angle"][a]["linear"] for a in ("0", "90")] + [row["linear"] for row in found["flip"].values()]
    assert np.ptp(values) < 1e-3


def test_a_method_that_prefers_a_direction_is_exposed():
    found = finish(turning(stripes(), 700.0, METHODS, Area(), 2, angles=(0, 90)))
    assert found["angle"]["90"]["one_sided"] > found["angle"]["0"]["one_sided"] + 3
    assert found["angle"]["0"]["linear"] == pytest.approx(found["angle"]["90"]["linear"], abs=0.01)
