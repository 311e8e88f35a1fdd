"""Tracts of tensor fields whose fibres are known."""

import numpy as np
import pytest
from in_words import compare
from known_tensors import head, series

from SuperResolutionLib.diffusion.tensors import Tensors, fit_tensors
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.quality.streamlines import TractErrors, Tracts, tract_errors, tracts
from SuperResolutionLib.volume import Volume

SHAPE = (8, 10, 12)  # z, y, x


def fibres(directions: np.ndarray, axes: np.ndarray | None = None, fa: float = 0.7) -> Tensors:
    """A field of unit directions (z, y, x, 3) in LPS on 2 mm voxels. axes: of the grid, its columns in LPS."""
    shape = directions.shape[:3]
    grid = Volume(np.zeros((6, *shape), np.float32), (2.0, 2.0, 2.0), direction=np.eye(3) if axes is None else axes)
    flat = np.full(shape, fa, np.float32)
    return Tensors(grid, np.ones(shape, bool), flat, flat, flat, flat, directions.astype(np.float32))


def along(vector: tuple[float, float, float]) -> np.ndarray:
    return np.broadcast_to(np.asarray(vector) / np.linalg.norm(vector), (*SHAPE, 3))


def seed(z: int, y: int, x: int) -> np.ndarray:
    seeds = np.zeros(SHAPE, bool)
    seeds[z, y, x] = True
    return seeds


@pytest.mark.parametrize(("vector", "row"), [((1, 0, 0), np.s_[3, 4, :]), ((0, 1, 0), np.s_[3, :, 5])])
def test_a_straight_fibre_is_followed_to_both_ends(vector, row):
    found = tracts(fibres(along(vector)), seed(3, 4, 5))
    expected = np.zeros(SHAPE, bool)
    expected[row] = True
    assert found.count == 1
    assert not (found.passed & ~expected).any()
    assert found.passed.sum() >= expected.sum() - 2  # a step may not reach into the last voxel


def test_directions_in_patient_space_are_followed_on_a_turned_grid():
    """A fibre along the patient's first axis runs along y where the grid's y axis lies there."""
    axes = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
    found = tracts(fibres(along((1, 0, 0)), axes), seed(3, 4, 5))
    assert found.passed[3, :, 5].sum() >= SHAPE[1] - 2
    assert found.passed.sum() == found.passed[3, :, 5].sum()


def test_streamlines_end_where_fa_is_low_and_short_ones_are_left_out():
    field = fibres(along((1, 0, 0)))
    field.fa[:, :, 8:] = 0.05
    assert not tracts(field, seed(3, 4, 5)).passed[:, :, 9:].any()
    field.fa[:, :, 4:] = 0.05
    assert tracts(field, seed(3, 4, 2)).count == 0  # four voxels of 2 mm are less than 10 mm


def test_a_sharp_turn_ends_a_streamline():
    directions = along((1, 0, 0)).copy()
    directions[:, :, 8:] = (0, 1, 0)
    assert not tracts(fibres(directions), seed(3, 4, 5)).passed[:, :, 10:].any()


def test_tracts_of_a_fitted_series_agree_with_those_of_its_own_tensors():
    true = np.broadcast_to(np.diag([1.5e-3, 0.3e-3, 0.3e-3]), (*SHAPE, 3, 3))
    fitted = fit_tensors(series(true), mask=np.ones(SHAPE, bool))
    found = tracts(fitted, fitted.fa > 0.3)
    assert found.passed.size / 2 < found.count < found.passed.size  # from corners of the oblique grid they are short
    again = tracts(fitted, fitted.fa > 0.3)
    assert tract_errors(again, found) == TractErrors(1.0, found.count, found.count)


def test_dice_counts_voxels_that_both_pass():
    one, other = (np.zeros((1, 1, 8), bool) for _ in range(2))
    one[..., :4], other[..., 2:8] = True, True
    errors = tract_errors(Tracts(5, one), Tracts(7, other))
    assert errors == TractErrors(pytest.approx(2 * 2 / 10), 7, 5)
    nothing = Tracts(0, np.zeros((1, 1, 8), bool))
    assert tract_errors(nothing, nothing).dice is None


def test_a_comparison_follows_streamlines_where_they_are_asked_for():
    """The truth itself agrees with itself; what loses every contrast between directions does not."""
    truth, _ = head()

    def flat(low: Volume, wish: Sampling) -> Volume:
        mean = truth.voxels[1:].mean(axis=0, keepdims=True)
        return truth.with_voxels(np.concatenate([truth.voxels[:1], np.repeat(mean, 12, axis=0)]))

    methods = {"perfect": lambda low, wish: truth, "flat": flat}
    rows = {row.method: row for row in compare(truth, methods=methods, with_streamlines=True).rows}
    perfect, lost = rows["perfect"].tracts, rows["flat"].tracts
    assert perfect.true_count == lost.true_count > 0
    assert perfect == TractErrors(1.0, perfect.true_count, perfect.true_count)
    assert (lost.count, lost.dice) == (0, 0.0)
    table = str(compare(truth, methods=["linear"], with_streamlines=True))
    assert "streamlines" in table and str(perfect.true_count) in table
    assert "streamlines" not in str(compare(truth, methods=["linear"]))


def test_streamlines_need_a_series_with_gradients():
    with pytest.raises(InputError, match="tensors need a diffusion series"):
        compare(Volume(np.ones((4, 24, 24))), methods=["linear"], with_streamlines=True)
