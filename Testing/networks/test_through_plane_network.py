"""The network for thick slices: begins as the B-spline, answers at any ratio, does not care how it is cut."""

import numpy as np
import pytest
import torch

from SuperResolutionLib.methods.thick_slices import TURNS, restore, restoring_volume
from SuperResolutionLib.networks.through_plane import Scene, Shape, ThroughPlane, folded, series
from SuperResolutionLib.physics.interpolating import matrix_at, positions
from SuperResolutionLib.physics.slice_profile import Slices
from SuperResolutionLib.physics.starts import starts
from SuperResolutionLib.progress import finish

DESIGNS = [{"maps": 1, "terms": 6}, {"maps": 4, "terms": 5}, {"maps": 4, "terms": 5, "offers": 2, "folds": 3}]


def small(seed: int = 0, **arguments: int) -> ThroughPlane:
    torch.manual_seed(seed)
    return ThroughPlane(Shape(features=8, blocks=1, fine=4, **arguments)).eval()


def woken(network: ThroughPlane) -> ThroughPlane:
    """A network whose last layer says something."""
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.05)
    return network


def thick(slices: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((7, slices, 20)).astype(np.float32)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("ratio", [1.2, 2.0, 3.7, 9.6])
def test_an_untrained_network_is_exactly_the_b_spline_at_any_ratio(design, ratio):
    coarse, rows = thick(11), round(11 * ratio)
    restored = restore(small(**design), coarse, rows, Scene(ratio, ratio, 1.0, 1.0, 1.0))
    spline = matrix_at("bspline", 11, positions(rows, 1.0, ratio))
    assert restored.shape == (7, rows, 20)
    assert np.allclose(restored, spline @ coarse, atol=1e-6)


@pytest.mark.parametrize("slices", [1, 2, 3])
@pytest.mark.parametrize("design", DESIGNS)
def test_very_few_slices_can_be_restored(design, slices):
    restored = restore(woken(small(**design)), thick(slices), 4 * slices, Scene(4.0, 3.0, 1.0, 1.0, 1.0))
    assert restored.shape == (7, 4 * slices, 20)
    assert np.isfinite(restored).all()


@pytest.mark.parametrize("design", DESIGNS)
def test_columns_and_reformats_cut_out_are_those_of_the_whole(design):
    network, coarse, scene = woken(small(**design)), thick(12), Scene(3.0, 3.0, 1.0, 1.0, 1.0)
    whole = restore(network, coarse, 36, scene)
    assert np.allclose(restore(network, coarse, 36, scene, slice(2, 5)), whole[2:5], atol=1e-5)
    margin = 3 + 2 * 1 + 2  # convolutions passed
    cut = restore(network, coarse[:, :, :16], 36, scene)
    assert np.allclose(cut[:, :, : 16 - margin], whole[:, :, : 16 - margin], atol=1e-5)


def test_the_unit_of_length_does_not_matter():
    told = [Scene(4.0 * unit, 3.0 * unit, unit, 0.8 * unit, 1.1 * unit).conditions() for unit in (1.0, 0.3)]
    assert np.allclose(*told, atol=1e-6)


def test_the_network_is_told_the_thickness():
    network = woken(small(maps=4, terms=5))
    one, other = (restore(network, thick(8), 32, Scene(4.0, t, 1.0, 1.0, 1.0)) for t in (2.5, 4.0))
    assert not np.allclose(one, other)


# ---------------------------------------------------------------- the series


def test_a_constant_series_is_one_in_every_row():
    waves = series(positions(23, 1.0, 2.3), 10, 4, 2.3).reshape(23, 4, 10)
    assert np.allclose(waves[:, 0].sum(axis=1), 1)


def test_what_is_folded_is_the_mean_difference_from_the_b_spline():
    begun = starts(Slices(4.0, 4.0), 9, 36, 1.0)
    folds = folded(begun, series(positions(36, 1.0, 4.0), 9, 5, 4.0), 3)
    coarse = thick(9)[0]
    means = ((begun[1:] - begun[:1]) @ coarse).reshape(2, 9, 4, 20).mean(axis=2)
    assert folds.shape == (6, 9, 9)
    assert np.allclose((folds @ coarse)[::3], means, atol=1e-5)


def test_whole_ratios_have_as_many_independent_terms_as_rows():
    waves = series(positions(40, 1.0, 4.0), 10, 4, 4.0)
    assert np.linalg.matrix_rank(waves) == 40


def test_a_cosine_is_averaged_over_a_row():
    """Three rows a slice: the mean of cos(pi u) over the first third of the slice."""
    waves = series(positions(3, 1.0, 3.0), 1, 2, 3.0).reshape(3, 2)
    u = (np.arange(1000) + 0.5) / 3000
    assert waves[0, 1] == pytest.approx(np.cos(np.pi * u).mean(), abs=1e-5)
    assert waves[1, 1] == pytest.approx(0, abs=1e-6)


def test_rows_beyond_the_last_slice_belong_to_it():
    waves = series(np.array([-0.9, 2.8]), 3, 1, 2.0)
    assert waves.tolist() == [[1, 0, 0], [0, 0, 1]]


# ---------------------------------------------------------------- whole volumes


def volume_of(network, coarse, scene, turns):
    """What comes of a stack: the mean of the first turns."""
    return finish(restoring_volume(network, coarse, 27, scene, TURNS[:turns]))[0]


def test_the_mean_and_the_deviation_are_those_of_the_eight_turns():
    network, coarse = woken(small(**DESIGNS[2])), thick(9).transpose(1, 0, 2)
    scene = Scene(3.0, 3.0, 1.0, 0.8, 1.2)
    each = [finish(restoring_volume(network, coarse, 27, scene, (turn,)))[0] for turn in TURNS]
    mean, deviation = finish(restoring_volume(network, coarse, 27, scene, TURNS))
    assert len(set(TURNS)) == 8
    assert np.allclose(mean, np.mean(each, axis=0), atol=1e-6)
    assert np.allclose(deviation, np.std(each, axis=0), atol=1e-5)


def test_a_volume_is_the_mean_of_both_orientations():
    network, coarse = woken(small(**DESIGNS[2])), thick(9).transpose(1, 0, 2)
    scene, turned = Scene(3.0, 3.0, 1.0, 0.8, 1.2), Scene(3.0, 3.0, 1.0, 1.2, 0.8)
    one = volume_of(network, coarse, scene, 1)
    other = volume_of(network, coarse.transpose(0, 2, 1), turned, 1).transpose(0, 2, 1)
    assert one.shape == (27, 7, 20)
    assert not np.allclose(one, other)
    assert np.allclose(volume_of(network, coarse, scene, 2), (one + other) / 2, atol=1e-6)
