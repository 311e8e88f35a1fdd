"""Tensors are refined through their logarithms: positive definite, without swelling, and turned as they are turned."""

import numpy as np
import pytest
from hypothesis import given, settings
from in_words import enhance
from phantoms import grids
from scipy.linalg import expm, logm
from scipy.spatial.transform import Rotation
from tiny_models import Plain, card, repeat

import SuperResolutionLib as sr
from SuperResolutionLib.diffusion import log_euclidean, tensor_signals
from SuperResolutionLib.diffusion.components import components, fractional_anisotropy, matrices, turned
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.checks import unusual
from SuperResolutionLib.physics.agreement import consistent
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.quality.metrics import score
from SuperResolutionLib.volume import TENSOR, Volume

TURN = Rotation.from_euler("xyz", [20, -50, 130], degrees=True).as_matrix()


def random_tensors(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Positive definite tensors in mm2/s, eigenvalues of 0.2 to 2 e-3: (6, *shape) float64."""
    rng = np.random.default_rng(seed)
    axes = Rotation.random(int(np.prod(shape)), rng=rng).as_matrix().reshape(*shape, 3, 3)
    values = rng.uniform(0.2e-3, 2e-3, (*shape, 3))
    return components((axes * values[..., None, :]) @ np.swapaxes(axes, -1, -2))


def tensor_volume(voxels: np.ndarray, dtype: type = np.float32) -> Volume:
    return Volume(voxels.astype(dtype), (2.0, 2.0, 5.0), quantity=TENSOR)


def eigenvalues(volume: Volume) -> np.ndarray:
    return np.linalg.eigvalsh(matrices(volume.voxels.astype(np.float64)))


@pytest.fixture
def tissue() -> Volume:
    return tensor_volume(random_tensors((2, 6, 7)))


def with_network(function) -> zoo.Model:
    return zoo.Model(card(slices=1), Plain(function))


def test_logarithm_and_exponential_are_scipys():
    tensors = random_tensors((5,)) / 1e-3
    logs = log_euclidean.logarithm(tensors)
    for k in range(5):
        assert np.allclose(matrices(logs)[k], logm(matrices(tensors)[k]), atol=1e-10)
        assert np.allclose(matrices(log_euclidean.exponential(logs))[k], expm(matrices(logs)[k]), atol=1e-10)


def test_turning_is_the_product_of_matrices():
    tensors = random_tensors((2, 3, 4))
    assert np.allclose(matrices(turned(tensors, TURN)), TURN @ matrices(tensors) @ TURN.T, atol=1e-15)


def test_fractional_anisotropy_is_dipys():
    dti = pytest.importorskip("dipy.reconst.dti")
    tensors = random_tensors((4, 5, 6))
    assert np.allclose(fractional_anisotropy(tensors), dti.fractional_anisotropy(np.linalg.eigvalsh(matrices(tensors))))
    assert fractional_anisotropy(np.zeros((6, 1))) == 0


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_field_stays_itself(method):
    one = random_tensors((1,))[:, :, None, None]
    volume = tensor_volume(np.broadcast_to(one, (6, 2, 5, 6)))
    assert np.allclose(sr.upsample(volume, method).voxels, one, rtol=0, atol=2e-9)


@pytest.mark.parametrize("method", METHODS)
def test_every_tensor_is_positive_definite_even_between_noise(method):
    noise = (
        np.random.default_rng(3).normal(0, 1e-3, (6, 2, 8, 8)) + np.array([1, 0, 0, 1, 0, 1])[:, None, None, None] / 2e3
    )
    refined = sr.upsample(tensor_volume(noise), method)
    assert eigenvalues(tensor_volume(noise)).min() < -1e-3
    assert eigenvalues(refined).min() > 0


@pytest.mark.parametrize("method", METHODS)
def test_turning_all_tensors_turns_the_result(tissue, method):
    volume = tensor_volume(tissue.voxels, np.float64)
    turned_first = sr.upsample(tensor_volume(turned(volume.voxels, TURN), np.float64), method)
    turned_last = turned(sr.upsample(volume, method).voxels, TURN)
    assert np.allclose(turned_first.voxels, turned_last, rtol=0, atol=3e-9)


def test_between_two_tensors_the_determinant_goes_from_one_to_the_other_without_swelling():
    values = np.diag([1.7e-3, 0.3e-3, 0.3e-3])
    turn = Rotation.from_euler("z", 80, degrees=True).as_matrix()
    pair = np.stack([values, 0.7 * turn @ values @ turn.T], 0)
    row = sr.upsample(tensor_volume(components(pair)[:, None, None, :], np.float64), "linear", 8).voxels[:, 0, 0]
    determinants = np.linalg.det(matrices(row))
    assert (np.diff(determinants) <= 1e-5 * determinants[0]).all()  # the logarithms are single precision
    assert determinants[0] == pytest.approx(np.linalg.det(pair[0]), rel=1e-5)
    assert determinants[-1] == pytest.approx(np.linalg.det(pair[1]), rel=1e-5)
    middle = (pair[0] + pair[1]) / 2
    assert np.linalg.det(middle) > 1.1 * determinants[0], "componentwise, it would have swollen"


@pytest.mark.parametrize("factor", [1e-6, 1e3, 1e6])
def test_the_unit_of_the_tensors_does_not_matter(tissue, factor):
    scaled = tissue.with_voxels((tissue.voxels.astype(np.float64) * factor).astype(np.float32))
    assert np.allclose(sr.upsample(scaled).voxels / factor, sr.upsample(tissue).voxels, rtol=0, atol=1e-8)


def test_what_has_no_tensor_stays_without_and_does_not_reach_into_what_has(tissue):
    there = np.ones((2, 6, 7), bool)
    there[:, :, 4:] = there[0] = False
    one = random_tensors((1,))[:, :, None, None]
    volume = tensor_volume(np.where(there, one, 0))
    refined = sr.upsample(volume, "bspline")
    fine = there.repeat(2, 1).repeat(2, 2)
    assert not refined.voxels[:, ~fine].any()
    assert np.allclose(refined.voxels[:, fine], one[:, :, 0, 0], rtol=0, atol=2e-9)


@given(grid=grids())
@settings(max_examples=20, deadline=None)
def test_the_field_of_view_stays(grid):
    shape = grid.voxels.shape
    volume = Volume(random_tensors(shape), grid.spacing, grid.origin, grid.direction, quantity=TENSOR)
    refined = sr.upsample(volume)
    assert np.allclose(refined.bounds(), volume.bounds(), atol=1e-9)
    assert refined.quantity == TENSOR
    assert refined.count == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("plane", ["native", "coronal"])
def test_one_slice_is_that_slice_of_the_whole_result(dtype, plane):
    volume = tensor_volume(random_tensors((4, 6, 7)) * (np.arange(7) > 2), dtype)
    axis = 2 if plane == "native" else 1
    whole, model = sr.upsample(volume, sampling=sr.Sampling(plane=plane)), with_network(repeat)
    part = sr.upsample(volume, sampling=sr.Sampling(plane=plane, only=1))
    assert part.voxels.dtype == dtype
    assert np.allclose(part.voxels.take(0, 3 - axis), whole.voxels.take(1, 3 - axis), rtol=0, atol=1e-9)
    whole, part = (enhance(volume, model, plane=plane, precision="float32", only=k) for k in (None, 1))
    assert np.allclose(part.voxels.take(0, 3 - axis), whole.voxels.take(1, 3 - axis), rtol=0, atol=1e-9)


def test_the_signals_of_tensors_give_the_tensors_back(tissue):
    logs = log_euclidean.logarithms(tissue).series
    seen = tensor_signals.signals(logs).voxels
    assert seen.min() > 0
    assert seen.max() < 1
    assert np.allclose(tensor_signals.logarithms(tensor_signals.signals(logs)).voxels, logs.voxels, atol=1e-4)


def test_the_signals_are_those_of_the_tensor_model(tissue):
    logs = log_euclidean.logarithms(tissue)
    along = np.einsum(
        "ga,zyxab,gb->gzyx", tensor_signals.DIRECTIONS, matrices(tissue.voxels), tensor_signals.DIRECTIONS
    )
    expected = np.exp(-tensor_signals.WEIGHTING * along / logs.unit)
    assert np.allclose(tensor_signals.signals(logs.series).voxels, expected, atol=1e-6)


def test_the_network_is_shown_all_six_signals_with_one_scale(tissue):
    shown = []

    def look(x):
        shown.append(x.clone())
        return repeat(x)

    enhance(tissue, with_network(look), precision="float32")
    expected = tensor_signals.signals(log_euclidean.logarithms(tissue).series).voxels
    assert np.allclose(np.concatenate([x[:, 0].numpy() for x in shown]), expected.reshape(-1, 6, 7), atol=1e-7)


@pytest.mark.parametrize("answer", [-1.0, 0.0, 1e6])
def test_whatever_a_network_answers_the_tensors_are_positive_definite(tissue, answer):
    enhanced = enhance(tissue, with_network(lambda x: 0 * repeat(x) + answer), precision="float32")
    assert np.isfinite(enhanced.voxels).all()
    assert eigenvalues(enhanced).min() > 0


def test_a_network_that_repeats_voxels_gives_the_mean_of_nearest_and_spline(tissue):
    enhanced = enhance(tissue, with_network(repeat), precision="float32")
    logs = [log_euclidean.logarithm(sr.upsample(tissue, m).voxels / 1e-3) for m in ("nearest", "bspline")]
    expected = log_euclidean.exponential((logs[0] + logs[1]) / 2) * 1e-3
    assert np.allclose(enhanced.voxels, expected, rtol=1e-3, atol=1e-7)


def test_tensors_have_no_k_space(tissue, refuses):
    with refuses("no k-space", "put nothing back"):
        enhance(tissue, with_network(repeat), put_back="k_space", precision="float32")
    with refuses("cannot be made consistent", "not intensities"):
        consistent(tissue, sr.upsample(tissue))


def test_tensors_are_never_taken_for_intensities(tissue, refuses):
    with refuses("cannot be degraded", "not intensities"):
        sr.degrade(tissue, "k_space")
    with refuses("cannot be degraded and measured", "not intensities"):
        sr.compare(tissue)
    with refuses("cannot be scored", "not intensities"):
        score(tissue, tissue)
    assert not [sentence for sentence in unusual(tissue, card()) if "negative" in sentence]


def test_no_tensor_at_all_is_refused(refuses):
    with refuses("no tensor of positive diffusivity"):
        sr.upsample(tensor_volume(np.zeros((6, 2, 4, 4))))


@pytest.mark.parametrize(
    ("shape", "dtype"), [((5, 2, 4, 4), np.float32), ((6, 4, 4), np.float32), ((6, 2, 4, 4), np.int16)]
)
def test_what_has_not_six_components_of_floats_is_no_tensor_volume(shape, dtype, refuses):
    with refuses("6 components of floats"):
        Volume(np.zeros(shape, dtype), quantity=TENSOR)


@pytest.mark.parametrize("value", [1e30, -3e38, 1e12])
def test_a_tensor_that_is_no_tensor_is_refused(refuses, value):
    """Sibling of fault I3, found by damaged files: its eigenvalues were a LinAlgError."""
    voxels = random_tensors((2, 3, 4))
    voxels[1, 0, 1, 2] = value
    with refuses("The tensor volume is damaged", "fit the tensors again"):
        log_euclidean.logarithms(tensor_volume(voxels))
