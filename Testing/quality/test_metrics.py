"""Numbers are measured as the protocol says, here written down a second time."""

import numpy as np
import pytest
from phantoms import brain, stack
from skimage.metrics import structural_similarity

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.quality.metrics import Score, difference, psnr_head_slices, score
from SuperResolutionLib.volume import Volume


def by_the_protocol(truth: np.ndarray, restored: np.ndarray) -> Score:
    """The rules, for slices along the first array axis."""
    truth, restored = truth.astype(float), restored.astype(float)
    r = np.percentile(truth, 99.9)
    head = truth > 0.05 * r
    square = (truth - restored) ** 2
    ssim = [
        structural_similarity(t, p, data_range=r, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
        for t, p, h in zip(truth, restored, head, strict=True)
        if h.mean() > 0.05
    ]
    return Score(
        psnr=10 * np.log10(r**2 / square.mean()),
        psnr_head=10 * np.log10(r**2 / square[head].mean()),
        ssim=float(np.mean(ssim)),
        nmse=square.sum() / (truth**2).sum(),
    )


def noisy(truth: Volume, level: float, seed: int = 1) -> Volume:
    noise = np.random.default_rng(seed).normal(0, level, truth.voxels.shape)
    return truth.with_voxels((truth.voxels + noise).astype(np.float32))


def assert_same(one: Score, other: Score) -> None:
    for name in ("psnr", "psnr_head", "ssim", "nmse"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-5), name


@pytest.mark.parametrize("level", [1, 30, 300])
def test_a_score_follows_the_protocol(level):
    truth = brain((30, 24, 6))
    truth.voxels[4] = 0  # a slice that shows nothing has no SSIM
    truth.voxels[5, :2, :3] = 700  # nor has one that shows almost nothing
    truth.voxels[5, 2:] = 0
    restored = noisy(truth, level)
    assert_same(score(truth, restored), by_the_protocol(truth.voxels, restored.voxels))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_for_ssim_run_along_the_axis_asked_for(axis):
    truth = Volume(np.random.default_rng(0).uniform(10, 90, (14, 16, 18)).astype(np.float32))
    restored = noisy(truth, 5)
    turned = [np.moveaxis(v.voxels, 2 - axis, 0) for v in (truth, restored)]
    assert_same(score(truth, restored, axis), by_the_protocol(*turned))


def test_slices_for_ssim_are_those_of_the_acquisition_plane():
    voxels = np.random.default_rng(0).uniform(10, 90, (14, 16, 18)).astype(np.float32)
    sagittal = Volume(voxels, (4.0, 0.5, 0.5))
    assert score(sagittal, noisy(sagittal, 5)) == score(sagittal, noisy(sagittal, 5), axis=0)
    assert score(sagittal, noisy(sagittal, 5)) != score(sagittal, noisy(sagittal, 5), axis=2)


def test_an_exact_copy_scores_120_decibels():
    exact = score(brain(), brain())
    assert exact.psnr == pytest.approx(120)
    assert exact.psnr_head == pytest.approx(120)
    assert exact.ssim == pytest.approx(1)
    assert exact.nmse == 0


def test_nothing_is_clipped():
    truth = brain()
    bright = truth.with_voxels(truth.voxels + np.float32(1e4))
    assert score(truth, bright).psnr < -20


def test_empty_background_helps_the_whole_and_not_the_head():
    truth = brain()
    head = truth.voxels > 0.05 * np.percentile(truth.voxels, 99.9)
    restored = truth.with_voxels(np.where(head, truth.voxels + 20, truth.voxels))
    result = score(truth, restored)
    assert result.psnr - result.psnr_head == pytest.approx(-10 * np.log10(head.mean()), abs=1e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_restored_volume_with_nan_or_infinite_voxels_is_refused(bad):
    broken = brain().voxels.copy()
    broken[0, 0, 0] = bad
    with pytest.raises(InputError, match="NaN or infinite"):
        score(brain(), stack(broken))


def test_an_empty_truth_is_refused():
    empty = stack(np.zeros((2, 16, 16)))
    with pytest.raises(InputError, match="nothing to score"):
        score(empty, empty)


def test_volumes_of_different_sizes_are_not_compared():
    with pytest.raises(InputError, match="differ in size"):
        score(brain((26, 28, 4)), brain((26, 26, 4)))


def test_slices_smaller_than_the_window_have_no_ssim():
    assert score(brain((10, 20, 4)), noisy(brain((10, 20, 4)), 9)).ssim is None
    assert score(brain((11, 20, 4)), noisy(brain((11, 20, 4)), 9)).ssim is not None


def test_ssim_can_be_left_out():
    result = score(brain(), noisy(brain(), 9), with_ssim=False)
    assert result.ssim is None
    assert result.psnr == score(brain(), noisy(brain(), 9)).psnr


def test_a_series_is_scored_volume_by_volume_and_averaged():
    truths = [brain(seed=s) for s in range(3)]
    truths[1] = truths[1].with_voxels(truths[1].voxels / 10)  # each has a range of its own
    restored = [noisy(t, 12, seed) for seed, t in enumerate(truths)]
    whole = score(*(Volume(np.stack([v.voxels for v in part]), truths[0].spacing) for part in (truths, restored)))
    alone = [score(t, p) for t, p in zip(truths, restored, strict=True)]
    mean = Score(*(float(np.mean([getattr(s, n) for s in alone])) for n in ("psnr", "psnr_head", "ssim", "nmse")))
    assert_same(whole, mean)


def test_integer_volumes_are_scored_without_wrapping_around():
    truth = stack(np.full((2, 16, 16), 200, np.uint8))
    restored = truth.with_voxels(np.full((2, 16, 16), 210, np.uint8))
    assert score(truth, restored).psnr == pytest.approx(20 * np.log10(200 / 10))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_head_of_each_slice_is_measured_with_the_range_of_the_whole_volume(axis):
    truth = brain()
    truth.voxels[1] /= 3
    restored = noisy(truth, 7)
    r = np.percentile(truth.voxels, 99.9)
    rows = psnr_head_slices(truth, restored, axis)
    t, p = (np.moveaxis(v.voxels.astype(float), 2 - axis, 0) for v in (truth, restored))
    assert len(rows) == truth.size[axis]
    for found, one, other in zip(rows, t, p, strict=True):
        head = one > 0.05 * r
        expected = 10 * np.log10(r**2 / np.square(one - other)[head].mean()) if head.any() else None
        assert found == (None if expected is None else pytest.approx(expected, rel=1e-6))


def test_a_slice_without_head_has_no_number():
    truth = brain()
    truth.voxels[2] = 0
    rows = psnr_head_slices(truth, noisy(truth, 7), 2)
    assert [row is None for row in rows] == [False, False, True, False]


def test_the_slices_of_a_series_are_averaged_over_the_volumes_that_have_head_there():
    volumes = [brain(seed=seed) for seed in (1, 2)]
    volumes[1].voxels[3] = 0
    restored = [noisy(volume, level) for volume, level in zip(volumes, (5, 20), strict=True)]
    series, other = (v[0].with_voxels(np.stack([one.voxels for one in v])) for v in (volumes, restored))
    (a, b, c, only), (d, e, f, none) = (psnr_head_slices(t, p, 2) for t, p in zip(volumes, restored, strict=True))
    assert none is None
    expected = [(a + d) / 2, (b + e) / 2, (c + f) / 2, only]
    assert psnr_head_slices(series, other, 2) == pytest.approx(expected)


def test_the_difference_of_two_restorations_is_in_percent_of_the_range():
    one = np.zeros((2, 3, 3), np.float32)
    assert difference(one, one + 4, 200) == pytest.approx(2)
    assert difference(one, one, 200) == 0
