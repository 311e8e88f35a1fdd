"""Training pairs belong together, come from the right scans, and are the same whenever they are drawn again."""

import numpy as np
import pytest

from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.training.data import Sampler, training_stacks, volume_files
from SuperResolutionLib.training.validation import cases


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
