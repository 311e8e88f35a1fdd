"""Fault K1: a recipe's patterns matched our own file names only; any folder trains, split by person."""

from dataclasses import replace

import pytest
from named_scans import parts, scans

from SuperResolutionLib.training import recipe as recipes
from SuperResolutionLib.training.adapting import adapted

RECIPE = recipes.load("mri-x2")


def test_scans_of_any_name_are_split_by_person(tmp_path):
    folder = scans(tmp_path, "anna_T1w.nii.gz", "anna_T2w.nii.gz", "ben_T1w.nii.gz", "carla_T1w.nii.gz")
    recipe, said = adapted(RECIPE, folder)
    learnt, held = parts(recipe, folder)
    assert learnt | held == {"anna_T1w", "anna_T2w", "ben_T1w", "carla_T1w"}
    assert not learnt & held
    assert held
    assert len({"anna_T1w", "anna_T2w"} & held) in (0, 2)
    assert "2 people are learnt from" in said
    assert "given by the user" in recipe.trained_on


def test_a_bids_tree_is_split_by_person_whatever_the_session(tmp_path):
    names = [f"sub-{k:02d}/ses-{s}/anat/sub-{k:02d}_ses-{s}_T1w.nii.gz" for k in range(1, 8) for s in (1, 2)]
    folder = scans(tmp_path, *names)
    learnt, held = parts(adapted(RECIPE, folder)[0], folder)
    people = [{name.split("_")[0] for name in part} for part in (learnt, held)]
    assert not people[0] & people[1]
    assert (len(people[0]), len(people[1])) == (6, 1)


def test_another_seed_holds_other_people_back_and_the_same_seed_the_same(tmp_path):
    folder = scans(tmp_path, *(f"p{k}_T1w.nrrd" for k in range(12)))
    chosen = [adapted(replace(RECIPE, seed=seed), folder)[0].validation for seed in (0, 0, 1, 2)]
    assert chosen[0] == chosen[1]
    assert len(set(chosen)) > 1


def test_a_recipe_that_fits_is_left_as_it_is(tmp_path):
    folder = scans(tmp_path, "ds002748_sub-01_T1w.nii.gz", "ds002748_sub-40_T1w.nii.gz")
    assert adapted(RECIPE, folder) == (RECIPE, "")


def test_people_are_held_back_where_a_recipe_learns_from_all(tmp_path):
    folder = scans(tmp_path, "ds002748_sub-01_T1w.nii.gz", "ds002748_sub-02_T1w.nii.gz")
    recipe, said = adapted(RECIPE, folder)
    assert recipe.groups == RECIPE.groups
    assert len(parts(recipe, folder)[1]) == 1
    assert "choose the epoch" in said


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["anna_T1w.nii.gz", "anna_T2w.nii.gz"], ["one person, anna", "two people"]),
        (["anna.nii.gz"], ["one person"]),
        (["sub-01/T1w.nii.gz", "sub-02/T1w.nii.gz"], ["both called T1w", "tell people apart"]),
    ],
)
def test_what_cannot_be_split_is_refused(tmp_path, refuses, names, words):
    folder = scans(tmp_path, *names)
    with refuses(*words):
        adapted(RECIPE, folder)
