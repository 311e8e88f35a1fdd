"""Guides are weighted sums of a series' volumes: less noise, the same anatomy, and for `fitted` the same contrast."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantoms import brain
from scipy.spatial.transform import Rotation

from SuperResolutionLib.diffusion import guides
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.volume import Gradients, Volume


def directions(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def table(*bvals: float, seed: int = 0) -> Gradients:
    """Random directions, none at b = 0."""
    weighted = np.array(bvals)[:, None] > 0
    return Gradients(np.array(bvals, float), np.where(weighted, directions(len(bvals), seed), 0.0))


def series(gradients: Gradients) -> Volume:
    return Volume(np.ones((len(gradients.bvals), 2, 2, 2)), gradients=gradients)


TWO_SHELLS = table(0, *[1000] * 8, 0, *[2000] * 9)


@pytest.mark.parametrize("name", guides.GUIDES)
@given(free=st.integers(0, 3), low=st.integers(0, 9), high=st.integers(0, 9), seed=st.integers(0, 99))
def test_of_equal_volumes_every_guide_is_that_volume(name, free, low, high, seed):
    if free + low + high == 0:
        return
    gradients = table(*[0] * free, *[700] * low, *[1990, 2010] * high, seed=seed)
    rows = guides.GUIDES[name](gradients)
    constant = rows.sum(axis=1)
    if name == "fitted":  # fewer than six directions need not hold a constant
        constant = constant[gradients.bvals == 0] if min(low or 6, 2 * high or 6) < 6 else constant
    assert np.allclose(constant, 1)


def test_the_mean_b0_is_the_mean_of_the_unweighted_volumes():
    rows = guides.mean_b0(TWO_SHELLS)
    assert all(np.flatnonzero(row).tolist() == [0, 9] and row.max() == 0.5 for row in rows)


def test_the_mean_weighted_volume_is_that_of_the_same_shell():
    rows = guides.mean_weighted(TWO_SHELLS)
    assert np.flatnonzero(rows[3]).tolist() == list(range(1, 9))
    assert np.flatnonzero(rows[12]).tolist() == list(range(10, 19))
    assert np.flatnonzero(rows[9]).tolist() == [*range(1, 9), *range(10, 19)]


def test_a_signal_that_is_a_quadratic_form_of_the_direction_is_fitted_exactly():
    form = np.array([[1.0, 0.2, -0.1], [0.2, 0.5, 0.3], [-0.1, 0.3, 0.7]])
    signal = np.einsum("ti,ij,tj->t", TWO_SHELLS.bvecs, form, TWO_SHELLS.bvecs)
    predicted = guides.fitted(TWO_SHELLS) @ signal
    assert np.allclose(predicted[TWO_SHELLS.bvals > 0], signal[TWO_SHELLS.bvals > 0])


def test_fitting_takes_noise_away_by_six_over_the_number_of_directions():
    rows = guides.fitted(table(0, *[1000] * 30))[1:]
    assert np.square(rows).sum(axis=1).mean() == pytest.approx(6 / 30)


@given(st.integers(0, 99))
def test_turning_the_patient_changes_no_guide(seed):
    turned = Gradients(TWO_SHELLS.bvals, TWO_SHELLS.bvecs @ Rotation.random(rng=seed).as_matrix().T)
    for name, make in guides.GUIDES.items():
        assert np.allclose(make(TWO_SHELLS), make(turned)), name


def test_a_weighted_volume_without_a_direction_is_guided_by_its_shell_s_mean():
    gradients = Gradients(TWO_SHELLS.bvals, np.where(np.arange(19)[:, None] == 4, 0.0, TWO_SHELLS.bvecs))
    assert np.array_equal(guides.fitted(gradients)[4], guides.mean_weighted(gradients)[4])
    assert np.count_nonzero(guides.fitted(gradients)[5]) == 7


def test_where_nothing_or_everything_is_weighted_there_still_are_guides():
    for gradients in (table(0, 0, 0), table(*[1000] * 7)):
        rows = guides.weights(series(gradients), tuple(guides.GUIDES), "A model")
        assert np.isfinite(rows).all()
        assert np.allclose(rows[:, :2].sum(axis=2), 1)


def test_volumes_are_combined_as_the_weights_say():
    volumes = list(np.random.default_rng(0).integers(0, 900, (5, 3, 4, 6), dtype=np.int16))
    row = np.random.default_rng(1).standard_normal((2, 5)).astype(np.float32)
    made = guides.combine(volumes, row)
    assert made.dtype == np.float32
    assert np.allclose(made, np.einsum("gt,tzyx->gzyx", row, np.array(volumes)), rtol=1e-4, atol=1e-2)


def test_a_series_is_diffusion_where_it_has_gradients_whatever_they_are():
    """Fault D5: without b0 images, or with nothing else, it was taken for structural."""
    voxels = np.stack([brain().voxels] * 3)
    assert guides.is_diffusion(Volume(voxels, gradients=table(0, 1000, 1000)))
    assert guides.is_diffusion(Volume(voxels, gradients=table(0, 0, 0)))
    assert guides.has_contrast(Volume(voxels, gradients=table(0, 1000, 1000)))
    assert not guides.has_contrast(Volume(voxels, gradients=table(0, 0, 0)))
    assert not guides.is_diffusion(Volume(voxels))
    assert not guides.is_diffusion(Volume(voxels[0], gradients=table(1000)))


def test_without_gradients_there_are_no_guides_and_a_sentence():
    with pytest.raises(InputError, match=r"'dwi-x2' .* no b-values and directions; put its \.bval"):
        guides.weights(Volume(np.ones((3, 2, 2, 2))), ("mean_b0",), "Model 'dwi-x2'")


def test_a_volume_that_stands_alone_guides_itself():
    assert np.array_equal(guides.weights(brain(), ("mean_b0", "fitted"), "A model"), np.ones((1, 2, 1)))


def test_an_unknown_guide_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="mean_b0"):
        guides.weights(series(TWO_SHELLS), ("mean_b",), "A model")
