"""Training pairs belong together, come from the right scans, and are the same whenever they are drawn again."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from phantoms import stack as stack_of
from small_world import discs

from SuperResolutionLib import files
from SuperResolutionLib.diffusion import guides
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.neighbours import neighbours
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.networks.high_grid import refine
from SuperResolutionLib.physics.degradation import by_name, degrade
from SuperResolutionLib.training.contrast import curve, recolour
from SuperResolutionLib.training.data import (
    Refinement,
    Sampler,
    View,
    coarse_slice,
    recoloured,
    stacks_of,
    training_stacks,
)
from SuperResolutionLib.training.split import volume_files
from SuperResolutionLib.training.validation import cases
from SuperResolutionLib.volume import Gradients


def names(folder, recipe):
    return {stack.name for stack in training_stacks(folder, recipe)}


@pytest.mark.parametrize(("scale", "slices"), [(2, 1), (2, 5), (4, 3)])
def test_the_coarse_patch_is_what_the_fine_patch_degrades_to(scans, recipe, scale, slices):
    mine = recipe(degradation="area", scale=scale, slices=slices, patch=8, batch=16)
    coarse, fine = Sampler(training_stacks(scans("a", "b"), mine), mine).batch(0)
    assert coarse.shape == (16, slices, 8, 8)
    assert fine.shape == (16, 1, 8 * scale, 8 * scale)
    assert coarse.dtype == fine.dtype == np.float32
    means = fine.reshape(16, 8, scale, 8, scale).mean(axis=(2, 4))
    assert np.abs(coarse[:, slices // 2] - means).max() < 1e-5


def test_contrasts_are_changed_before_a_slice_is_degraded(scans, recipe):
    folder = scans("a")
    mine = recipe(degradation="area", slices=3, patch=8, batch=16, contrast=0.5)
    coarse, fine = Sampler(training_stacks(folder, mine), mine).batch(0)
    means = fine.reshape(16, 8, 2, 8, 2).mean(axis=(2, 4))
    assert np.abs(coarse[:, 1] - means).max() < 1e-5
    plain = recipe(degradation="area", slices=3, patch=8, batch=16)
    (stack,) = training_stacks(folder, plain)
    powers = set()
    for seed in range(8):
        changed, k = recoloured(stack, 3, mine, np.random.default_rng(seed))
        assert changed.fine.shape[0] == 3
        assert k == 1
        bright = stack.fine[3] > 0.2
        found = np.log(changed.fine[1][bright]) / np.log(np.where(stack.fine[3] == 1, 0.5, stack.fine[3])[bright])
        powers.add(round(float(np.median(found)), 3))
        assert np.array_equal(changed.fine[2], changed.fine[1])  # beyond the last slice it is repeated
    assert len(powers) == 8
    assert all(np.exp(-0.5) <= power <= np.exp(0.5) for power in powers)


def test_negative_values_stay_negative_in_another_contrast(scans, recipe):
    mine = recipe(slices=1, contrast=0.5)
    (stack,) = training_stacks(scans("a"), mine)
    signed = replace(stack, fine=np.array([[[-0.5, 0.0], [0.5, 1.0]]], np.float32))
    changed, _ = recoloured(signed, 0, mine, np.random.default_rng(0))
    (low, zero), (high, one) = changed.fine[0]
    assert zero == 0
    assert one == 1
    assert low == -high < 0


def test_a_share_of_the_patches_goes_through_a_random_curve(scans, recipe):
    mine = recipe(slices=1, recoloured=1.0)
    (stack,) = training_stacks(scans("a"), mine)
    changed, k = recoloured(stack, 3, mine, np.random.default_rng(0))
    expected = recolour(stack.fine[3:4], *curve(_after_one_draw(np.random.default_rng(0))))
    assert k == 0
    assert (changed.fine == expected).all()


def _after_one_draw(rng):
    rng.random()
    return rng


def test_a_network_that_is_told_of_the_noise_gets_one_more_channel_that_grows_with_it(scans, recipe):
    folder, told = scans("a", "b"), []
    for snr in (100, 10):
        mine = recipe(degradation=f"rician:snr={snr}", slices=3, patch=16, batch=8, told_noise=True)
        coarse, _ = Sampler(training_stacks(folder, mine), mine).batch(0)
        assert coarse.shape == (8, 4, 16, 16)
        assert (coarse[:, 3] == coarse[:, 3, :1, :1]).all()
        told.append(coarse[:, 3, 0, 0].mean())
    assert told[1] > 1.3 * told[0] > 0


def test_no_patch_lies_near_a_blanked_face_where_there_is_room(scans, recipe, tmp_path):
    voxels = discs(1, size=60)
    voxels[:, 40:] = 0
    files.write(stack_of(voxels), tmp_path / "faced.nii.gz")
    mine = recipe(validation=[], groups=[{"margin": 4}], patch=8, batch=32, slices=1)
    (faced,) = training_stacks(tmp_path, mine)
    assert not faced.trusted[:, 36:].any()
    assert faced.trusted[:, :30].mean() > 0.9
    sampler = Sampler([faced], mine)
    rng = np.random.default_rng(0)
    rows = [sampler._patch(faced, 1, rng)[0] for _ in range(50)]
    assert max(2 * row.stop for row in rows) <= 36


def test_the_outer_channels_are_the_neighbouring_slices(scans, recipe):
    mine = recipe(degradation="area", slices=3, patch=8, batch=32)
    (stack,) = training_stacks(scans("a"), mine)
    marked = type(stack)(stack.name, stack.fine.copy(), stack.level, 1.0, np.array([0.0, 1.0, 0.0, 0.0]))
    marked.fine[:] = np.array([1.0, 2.0, 3.0, 4.0], np.float32)[:, None, None]
    coarse, fine = Sampler([marked], mine).batch(0)
    order = {tuple(np.round(2 * pair[:, 0, 0] / truth[0, 0, 0])) for pair, truth in zip(coarse, fine, strict=True)}
    assert order == {(1, 2, 3), (3, 2, 1)}


def test_a_batch_depends_on_seed_step_and_rank_alone(scans, recipe):
    folder, mine = scans("a", "b"), recipe(degradation="clinical")
    sampler = Sampler(training_stacks(folder, mine), mine)
    first = sampler.batch(3, rank=1)
    sampler.batch(9)
    again = Sampler(training_stacks(folder, mine), mine).batch(3, rank=1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    other_seed = recipe(degradation="clinical", seed=1)
    others = (sampler.batch(4, 1), sampler.batch(3, 0), Sampler(sampler.stacks, other_seed).batch(3, 1))
    assert not any(np.array_equal(first[1], other[1]) for other in others)


def test_patches_are_turned_in_all_eight_ways(scans, recipe):
    mine = recipe(degradation="area", slices=1, patch=18, batch=64)
    (stack,) = training_stacks(scans("a"), mine)
    ramp = type(stack)(stack.name, stack.fine.copy(), stack.level, 1.0, stack.slice_chances)
    ramp.fine[:] = 1 + np.arange(36)[:, None] + 100 * np.arange(36)[None, :]
    _, fine = Sampler([ramp], mine).batch(0)
    slopes = [(p[0, 0, 1] - p[0, 0, 0], p[0, 1, 0] - p[0, 0, 0]) for p in fine]
    assert len({(across > 0, down > 0, abs(across) > abs(down)) for across, down in slopes}) == 8


def test_a_patch_larger_than_the_slice_still_is_a_pair(scans, recipe):
    mine = recipe(degradation="area", patch=25, batch=2)
    coarse, fine = Sampler(training_stacks(scans("a"), mine), mine).batch(0)
    assert np.abs(coarse[:, 1] - fine.reshape(2, 25, 2, 25, 2).mean(axis=(2, 4))).max() < 1e-5


def test_patches_are_drawn_where_there_is_something_to_see(scans, recipe):
    mine = recipe(degradation="area", patch=4, batch=64)
    (stack,) = training_stacks(scans("a"), mine)
    dark = type(stack)(stack.name, stack.fine * 0, stack.level, 1.0, stack.slice_chances)
    dark.fine[:, 12:24, 12:24] = 1
    _, fine = Sampler([dark], mine).batch(0)
    assert np.mean(fine.max(axis=(1, 2, 3)) > 0.5) > 0.7


def test_every_scan_is_seen_at_a_range_of_one(scans, recipe):
    for stack in training_stacks(scans("a", "b"), recipe()):
        assert data_range(stack.fine) == pytest.approx(1, rel=1e-5)


# ---------------------------------------------------------------- which scans


def test_validation_and_test_scans_are_never_learnt_from(scans, recipe):
    folder = scans("train/a", "train/val_b", "test/c", "other/d", "train/test/e")
    assert names(folder, recipe()) == {"a"}
    assert {path.name for path in volume_files(folder)} == {"a.nii.gz", "val_b.nii.gz"}


def test_the_epochs_are_judged_by_the_validation_scans_alone(scans, recipe):
    judged = cases(scans("a", "val_b"), recipe(validate_on=["area", "k_space"]))
    assert [case.degradation for case in judged] == ["area", "k_space"]
    assert all(case.coarse.shape == (5, 3, 18, 18) for case in judged)
    assert all(case.truth.voxels.shape == (5, 36, 36) for case in judged)
    assert cases(scans("c"), recipe(validation=[])) == []


def test_validation_scans_are_judged_in_the_first_plane_of_their_group(scans, recipe):
    folder = scans("a", "val_b")
    groups = [{"pattern": "val_*", "planes": ["coronal", "axial"]}, {"pattern": "*"}]
    (case,) = cases(folder, recipe(groups=groups, patch=2))
    assert case.coarse.shape == (5, 3, 2, 18)
    (alike,) = cases(folder, recipe(patch=2))
    assert alike.coarse.shape == (5, 3, 18, 18)


def test_a_folder_without_train_is_taken_whole_but_for_test(scans, recipe):
    assert names(scans("one/a", "two/b", "test/c"), recipe()) == {"a", "b"}


def test_excluded_scans_are_left_out(scans, recipe):
    assert names(scans("a", "bad_b", "c_bad"), recipe(exclude=["bad_*", "*_bad"])) == {"a"}


def test_scans_of_no_group_are_left_out_and_groups_share_their_weight(scans, recipe):
    groups = [{"pattern": "h*", "weight": 0.75}, {"pattern": "d*", "weight": 0.25, "planes": ["native", "coronal"]}]
    stacks = training_stacks(scans("h1", "h2", "d1", "x1"), recipe(groups=groups))
    weights = {name: sum(s.weight for s in stacks if s.name == name) for name in ("h1", "h2", "d1", "x1")}
    assert weights == pytest.approx({"h1": 0.375, "h2": 0.375, "d1": 0.25, "x1": 0})
    assert [len(s.fine) for s in stacks if s.name == "d1"] == [4, 36]


def test_no_scan_at_all_is_refused(tmp_path, scans, recipe, refuses):
    with refuses("has no volumes", "--data"):
        training_stacks(tmp_path, recipe())
    with refuses("No volume under", "check its patterns"):
        training_stacks(scans("a"), recipe(groups=[{"pattern": "nothing_*"}]))


# ---------------------------------------------------------------- diffusion series

GUIDES = ["mean_b0", "mean_weighted", "fitted"]


def test_a_guided_network_is_trained_on_what_the_engine_will_give_it(diffusion, recipe):
    """The guides of a degraded slice are those of the degraded series, as `enhance` makes them."""
    mine = recipe(slices=3, guides=GUIDES, patch=4)
    low = degrade(diffusion, "area", 2)
    (*_, stack) = stacks_of("series", diffusion, mine)
    given = coarse_slice(stack, 1, mine, by_name("area"), np.random.default_rng(0))
    rows = guides.weights(low, GUIDES, "a model")
    made = guides.combine(list(low.voxels), rows[-1])
    wanted = np.concatenate([low.voxels[-1][neighbours(1, 4, 3)], made[:, 1]])
    for mine_, theirs in zip(given, wanted, strict=True):
        factor = (mine_ * theirs).sum() / (theirs**2).sum()
        assert np.allclose(mine_, factor * theirs, atol=1e-5)
        assert factor * data_range(theirs) == pytest.approx(1, rel=0.3)


def test_the_noise_of_a_volume_is_in_its_guides_too(diffusion, recipe):
    alone = replace(
        diffusion,
        voxels=diffusion.voxels[:1],
        gradients=Gradients(diffusion.gradients.bvals[:1], diffusion.gradients.bvecs[:1]),
    )
    mine = recipe(slices=3, guides=["mean_b0"], patch=4)
    (stack,) = stacks_of("series", alone, mine)
    given = coarse_slice(stack, 1, mine, by_name("rician:snr=5"), np.random.default_rng(0))
    assert np.array_equal(given[1], given[3])
    assert np.abs(given[0] - given[1]).max() > 0.01


def test_noise_is_measured_on_the_unweighted_volume(diffusion, recipe):
    mine = recipe(patch=4)
    b0, *weighted = stacks_of("series", diffusion, mine)
    assert all(stack.level == b0.level for stack in weighted)
    assert b0.range == pytest.approx(1)
    for stack, voxels in zip(weighted, diffusion.voxels[1:], strict=True):
        assert stack.range == pytest.approx(data_range(voxels) / data_range(diffusion.voxels[0]))
        assert data_range(stack.fine) == pytest.approx(1)


def test_guides_are_turned_with_their_slices_and_stay_behind_them(diffusion, recipe):
    mine = recipe(slices=3, guides=["mean_b0"], patch=6, batch=32, degradation="area")
    stack = next(iter(stacks_of("series", diffusion, mine)))
    coarse, _ = Sampler([stack], mine).batch(0)
    for patch in coarse:  # of the only b0 volume, the guide is the volume itself, but for its own jitter
        assert np.corrcoef(patch[1].ravel(), patch[3].ravel())[0, 1] > 0.9999
        assert min(np.corrcoef(patch[k].ravel(), patch[3].ravel())[0, 1] for k in (0, 2)) < 0.99


def test_slices_are_learnt_at_coarser_voxels_too(diffusion, recipe):
    whole, *_ = stacks_of("series", diffusion, recipe())
    coarser, *_ = stacks_of("series", diffusion, recipe(), View(voxels=1.5))
    assert whole.fine.shape[1:] == (36, 36)
    assert coarser.fine.shape[1:] == (24, 24)
    assert coarser.fine.mean() / coarser.fine.max() == pytest.approx(whole.fine.mean() / whole.fine.max(), rel=0.2)


def test_unweighted_volumes_get_the_share_they_are_given(diffusion, recipe):
    shares = [stack.weight for stack in stacks_of("series", diffusion, recipe(), View(weight=0.8, b0=0.25))]
    assert shares[0] == pytest.approx(0.2)
    assert sum(shares) == pytest.approx(0.8)
    assert len(set(np.round(shares[1:], 12))) == 1


def test_a_guided_recipe_refuses_a_series_without_gradients(diffusion, recipe, tmp_path):
    files.write(replace(diffusion, gradients=None), tmp_path / "series.nrrd")
    with pytest.raises(InputError, match=r"'tiny' .* no b-values and directions"):
        training_stacks(tmp_path, recipe(guides=["mean_b0"], patch=4))


def test_a_scan_that_stands_alone_guides_itself(scans, recipe):
    mine = recipe(slices=3, guides=["mean_b0"], patch=8)
    stack = training_stacks(scans("a"), mine)[0]
    given = coarse_slice(stack, 1, mine, by_name("area"), np.random.default_rng(0))
    assert np.array_equal(given[1], given[3])


def test_weighted_volumes_are_judged_beside_the_unweighted_one(diffusion, recipe, tmp_path):
    files.write(diffusion, tmp_path / "val_series.nrrd")
    judged = cases(tmp_path, recipe(guides=GUIDES, validate_on=["area"], patch=4))
    assert [case.coarse.shape for case in judged] == [(5, 6, 18, 18)] * 4
    assert len({case.bicubic_psnr for case in judged}) == 4


# ---------------------------------------------------------------- interpolated patches


@pytest.mark.parametrize("architecture", ["srcnn", "circle"])
def test_a_patch_of_an_interpolated_slice_is_what_the_engine_makes_of_the_whole_one(scans, recipe, architecture):
    mine = recipe(architecture=architecture, network={}, skip="none", patch=6, degradation="k_space", slices=1)
    (stack,) = training_stacks(scans("a"), mine)
    refinement, rng = Refinement.of(mine), np.random.default_rng(0)
    whole = coarse_slice(stack, 2, mine, by_name("k_space"), rng)
    fine = refine(torch.from_numpy(whole)[None], 2, refinement.method)[0].numpy()
    for y, x in ((0, 0), (5, 3), (12, 12)):
        patch = refinement.patch(stack, 2, mine, by_name("k_space"), rng, (slice(y, y + 6), slice(x, x + 6)))
        assert np.allclose(patch, fine[:, 2 * y : 2 * y + 12, 2 * x : 2 * x + 12], atol=1e-5)
    coarse, truth = Sampler([stack], mine).batch(0)
    assert coarse.shape == truth.shape == (4, 1, 12, 12)
