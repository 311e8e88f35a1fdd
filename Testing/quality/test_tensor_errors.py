"""What restoring loses of a series, where the loss is known."""

import numpy as np
import pytest
from known_tensors import head

from SuperResolutionLib.quality.tensor_errors import (
    TensorErrors,
    angles,
    best_of,
    ratio_changes,
    reference,
    tensor_errors,
)
from SuperResolutionLib.volume import Volume


@pytest.fixture(scope="module")
def given():
    return reference(head()[0])


def changed(given, factors) -> Volume:
    """The truth with each volume multiplied by a factor."""
    return given.truth.with_voxels(given.truth.voxels * np.reshape(factors, (-1, 1, 1, 1)))


def test_the_truth_itself_has_no_errors(given):
    errors, _ = tensor_errors(given, given.truth)
    assert errors.psnr == pytest.approx(120)
    assert errors.ssim == pytest.approx(1)
    assert (errors.fa, errors.fa_white, errors.md, errors.md_white, errors.signal_ratio) == (0, 0, 0, 0, 0)
    assert errors.angle < 0.1
    assert errors.fa_fluid == given.fa_fluid < 1e-3


def test_brighter_images_have_the_same_tensors(given):
    errors, _ = tensor_errors(given, changed(given, np.full(13, 1.5)))
    assert errors.psnr < 20
    assert errors.fa == pytest.approx(0, abs=1e-5)
    assert errors.md == pytest.approx(0, abs=1e-3)
    assert errors.signal_ratio == pytest.approx(0, abs=1e-9)


def test_psnr_is_of_all_volumes_in_the_mask_by_the_range_of_the_first_b0(given):
    offset = given.truth.with_voxels(given.truth.voxels + 10 * ~given.tensors.mask + 3.0)
    errors, _ = tensor_errors(given, offset)
    r = np.percentile(given.truth.voxels[0], 99.9)
    assert errors.psnr == pytest.approx(20 * np.log10(r / 3), abs=1e-4)


def test_psnr_of_the_weighted_volumes_does_not_look_at_the_others(given):
    errors, _ = tensor_errors(given, changed(given, [2.0, *[1.0] * 12]))
    assert errors.psnr_weighted == pytest.approx(120)
    assert errors.psnr < 30
    both, _ = tensor_errors(given, given.truth.with_voxels(given.truth.voxels + 3.0))
    assert both.psnr_weighted == pytest.approx(both.psnr, abs=1e-6)


def test_the_bias_of_fa_has_a_sign(given):
    """Directions that are less apart than in truth lower it, directions further apart raise it."""
    weighted = given.truth.voxels[1:]
    for share, sign in ((0.5, -1), (1.5, 1)):
        apart = weighted.mean(axis=0) + share * (weighted - weighted.mean(axis=0))
        errors, _ = tensor_errors(
            given, given.truth.with_voxels(np.concatenate([given.truth.voxels[:1], np.maximum(apart, 1.0)]))
        )
        assert np.sign(errors.fa_white_bias) == sign
        assert abs(errors.fa_white_bias) <= errors.fa_white


def test_the_bias_of_fa_is_told_for_each_tissue(given):
    """Directions set apart where the truth has none raise FA in grey matter and in fluid, not in white matter."""
    factors = np.where(np.arange(13) % 2, 1.1, 0.9)
    factors[0] = 1.0
    voxels = np.where(given.white, given.truth.voxels, given.truth.voxels * factors[:, None, None, None])
    errors, _ = tensor_errors(given, given.truth.with_voxels(voxels))
    assert errors.fa_white_bias == pytest.approx(0, abs=1e-6)
    assert errors.fa_grey_bias > 0.02
    assert errors.fa_fluid_bias > 0.005
    assert given.grey.any() and not (given.grey & (given.white | given.fluid)).any()


def test_the_change_of_the_signal_ratio_has_a_sign(given):
    for factor in (0.9, 1.1):
        errors, _ = tensor_errors(given, changed(given, [1.0, *[factor] * 12]))
        assert errors.signal_ratio_bias == pytest.approx(factor - 1, abs=1e-6)


def test_weighted_images_that_are_too_bright_lower_md_by_the_logarithm(given):
    errors, _ = tensor_errors(given, changed(given, [1.0, *[1.1] * 12]))
    assert errors.signal_ratio == pytest.approx(0.1, abs=1e-6)
    assert errors.md == pytest.approx(1e3 * np.log(1.1) / 1000, rel=0.02)


def test_the_ratio_of_one_wrong_volume_is_seen(given):
    factors = np.ones(13)
    factors[4] = 0.95
    found = ratio_changes(given, changed(given, factors))
    assert len(found) == 12
    assert found[3] == pytest.approx(-0.05, abs=1e-6)
    assert max(abs(change) for k, change in enumerate(found) if k != 3) < 1e-9


def test_regions_are_where_the_head_has_them(given):
    _, true = head()
    white = true[..., 0, 0] != true[..., 1, 1]
    assert not (given.white & ~white).any()
    assert given.white.sum() > 0.9 * white.sum()
    assert np.array_equal(given.white, given.directed)
    assert given.fluid.any()
    assert not (given.fluid & (true[..., 0, 0] < 2e-3)).any()
    assert 0.2 < given.calm.sum() / given.tensors.mask.sum() < 0.3


def test_fa_in_fluid_rises_where_it_is_made_to_ring(given):
    ringing = given.truth.voxels.copy()
    ringing[1:7, given.fluid] *= 2
    errors, _ = tensor_errors(given, given.truth.with_voxels(ringing))
    assert errors.fa_fluid > given.fa_fluid + 0.05


def test_an_axis_and_its_opposite_are_one():
    one = np.array([[1.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]])
    other = np.array([[-1.0, 0, 0], [0, 0, 1.0], [0, np.sqrt(0.5), np.sqrt(0.5)]])
    assert np.allclose(angles(one, other), [0, 90, 45])


def test_the_best_of_several_is_taken_for_each_measure_separately():
    one = TensorErrors(30.0, 0.9, 0.05, 0.07, 0.2, 0.1, 5.0, 0.01, None, 33.0, -0.02)
    two = TensorErrors(31.0, 0.8, 0.06, 0.06, 0.3, 0.1, 4.0, 0.02, None, 32.0, 0.01)
    assert best_of([one, two]) == TensorErrors(31.0, 0.9, 0.05, 0.06, 0.2, 0.1, 4.0, 0.01, None, 33.0, 0.01)


def test_the_gradients_are_those_of_the_truth(given):
    bare = Volume(given.truth.voxels, given.truth.spacing)
    assert tensor_errors(given, bare)[0].fa == 0


def test_what_cannot_be_measured_is_refused(given, refuses):
    with refuses("differ in size"):
        tensor_errors(given, given.truth.with_voxels(given.truth.voxels[:, :2]))
    broken = given.truth.voxels.copy()
    broken[0, 0, 0, 0] = np.nan
    with refuses("NaN"):
        tensor_errors(given, given.truth.with_voxels(broken))
