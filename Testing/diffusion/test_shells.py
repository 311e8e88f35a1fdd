"""The shells of a series are found from its b-values, whatever they are rounded to."""

import itertools

import numpy as np
import pytest
from dipy import data
from dipy.io.gradients import read_bvals_bvecs
from hypothesis import given
from hypothesis import strategies as st
from known_tensors import directions

from SuperResolutionLib.diffusion.shells import Shell, distinct, mean_signals, shells
from SuperResolutionLib.volume import Gradients, Volume


def sampled(b0: list[float], *weighted: tuple[float, int]) -> Gradients:
    """b0 images of these b-values, then so many directions at each b-value."""
    bvals = [*b0, *(b for b, count in weighted for _ in range(count))]
    bvecs = [np.zeros((len(b0), 3)), *(directions(count) for _, count in weighted)]
    return Gradients(np.array(bvals, float), np.concatenate(bvecs))


def grid(radius: int, b: float) -> Gradients:
    """Diffusion spectrum imaging: all points of a Cartesian grid of q within a radius, one half of them."""
    points = [q for q in itertools.product(range(-radius, radius + 1), repeat=3) if np.dot(q, q) <= radius**2]
    q = np.array([point for point in points if point >= (0, 0, 0)], float)
    lengths = np.linalg.norm(q, axis=1)
    return Gradients(b * lengths**2 / radius**2, q / np.maximum(lengths, 1)[:, None])


def facts(found: list[Shell]) -> list[tuple[str, list[int]]]:
    return [(shell.label, shell.volumes.tolist()) for shell in found]


@st.composite
def series(draw: st.DrawFn) -> tuple[Gradients, list[float], np.ndarray]:
    """A series of several shells in any order, as scanners state b-values; the nominal ones, and each volume's."""
    nominal = sorted(draw(st.sets(st.sampled_from([300, 700, 1000, 1500, 2000, 3000, 5000]), min_size=1, max_size=4)))
    counts = [draw(st.integers(6, 20)) for _ in nominal]
    b0 = [draw(st.sampled_from([0.0, 5.0, 50.0])) for _ in range(draw(st.integers(0, 3)))]
    exact = sampled(b0, *zip(nominal, counts, strict=True))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    of = np.concatenate([np.zeros(len(b0)), np.repeat(nominal, counts)])
    stated = np.where(of > 0, of * rng.uniform(0.98, 1.02, len(of)), exact.bvals)
    order = rng.permutation(len(of))
    return Gradients(stated[order], exact.bvecs[order]), list(map(float, nominal)), of[order]


@given(series())
def test_shells_are_found_in_any_order_and_with_any_rounding(given_series):
    gradients, nominal, of = given_series
    found = shells(gradients)
    assert len(found) == len(nominal)
    for shell, b in zip(found, nominal, strict=True):
        assert shell.b == pytest.approx(b, rel=0.02)
        assert shell.volumes.tolist() == np.flatnonzero(of == b).tolist()


@given(series())
def test_shells_do_not_depend_on_the_order_of_volumes(given_series):
    gradients, _, _ = given_series
    backwards = Gradients(gradients.bvals[::-1], gradients.bvecs[::-1])
    last = len(gradients.bvals) - 1
    turned = [(shell.label, sorted(last - shell.volumes)) for shell in shells(backwards)]
    assert turned == facts(shells(gradients))


def test_a_siemens_b0_of_five_is_no_shell_and_rounded_b_values_are_one():
    gradients = sampled([0, 5, 10], (990, 6), (1000, 6), (1005, 6), (1995, 8), (2010, 8))
    assert [(shell.label, len(shell.volumes)) for shell in shells(gradients)] == [("1000", 18), ("2002", 16)]


@pytest.mark.parametrize(("radius", "b"), [(3, 4000), (4, 6000), (5, 8000)])
def test_a_grid_of_b_values_has_no_shells(radius, b):
    assert shells(grid(radius, b)) == []


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (data.get_3shell_gtab, ["1000", "2000", "3500"]),
        (data.get_isbi2013_2shell_gtab, ["1500", "2500"]),
        (data.get_gtab_taiwan_dsi, []),
    ],
)
def test_the_shells_of_schemes_that_were_used_on_scanners_are_found(table, expected):
    scheme = table()
    assert [shell.label for shell in shells(Gradients(scheme.bvals, scheme.bvecs))] == expected


@pytest.mark.parametrize(("name", "expected"), [("small_64D", [("994", 64)]), ("small_101D", [])])
def test_the_shells_of_scans_are_found(name, expected):
    """One of b-values from 987 to 1003, one of a grid with b-values from 310 to 4000, as Siemens wrote them."""
    _, *paths = data.get_fnames(name=name)
    bvals, bvecs = read_bvals_bvecs(*paths)
    found = shells(Gradients(bvals, np.nan_to_num(bvecs)))
    assert [(shell.label, len(shell.volumes)) for shell in found] == expected


def test_b_values_without_gaps_are_no_shell():
    bvals = np.linspace(500, 3000, 60)
    assert shells(Gradients(bvals, directions(60))) == []


def test_a_few_stray_volumes_do_no_harm_and_many_do():
    assert len(shells(sampled([0], (300, 3), (1000, 20), (2000, 20)))) == 2
    assert shells(sampled([0], (300, 5), (1000, 20), (2000, 20))) == []


def test_repetitions_of_a_direction_and_its_opposite_count_once():
    six = directions(6)
    assert distinct(np.concatenate([six, -six, six, np.zeros((3, 3))])) == 6
    three = np.tile(directions(3), (4, 1))
    assert shells(Gradients(np.full(12, 1000.0), three)) == []


def test_b0_images_alone_have_no_shells():
    assert shells(sampled([0, 0, 5])) == []


def test_the_mean_signals_are_those_of_the_mask():
    voxels = np.random.default_rng(0).normal(size=(5, 2, 3, 4)).astype(np.float32)
    mask = voxels[0] > 0
    means = mean_signals(Volume(voxels), [np.array([0]), np.array([1, 3, 4])], mask)
    assert means.shape == (mask.sum(), 2)
    assert np.allclose(means[:, 0], voxels[0][mask])
    assert np.allclose(means[:, 1], voxels[[1, 3, 4]].mean(axis=0)[mask])
