"""Which files are learnt from: by subject, by fold, and photographs as well as volumes."""

import numpy as np
import pytest
from skimage import io

from SuperResolutionLib.training import split as rooms
from SuperResolutionLib.training.data import training_stacks
from SuperResolutionLib.training.split import fold, read_photograph, stem, training_files, validation_files


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("openms_patient04_T1W", "openms_patient04"),
        ("openms_patient04_FLAIR", "openms_patient04"),
        ("ds002748_sub-01_T1w", "ds002748_sub-01"),
        ("sub-01_ses-2_run-1_T1w", "sub-01"),
        ("scan_001", "scan_001"),
        ("philips_achieva_32dir", "philips_achieva_32dir"),
        ("brain", "brain"),
    ],
)
def test_a_subject_is_told_from_its_files_names(recipe, name, subject):
    assert recipe().subject_of(name) == subject


def test_a_recipe_may_tell_subjects_otherwise(recipe):
    mine = recipe(subject=r"([a-z]+)\d.*")
    assert [mine.subject_of(name) for name in ("anna1_x", "anna2_y", "Bert")] == ["anna", "anna", "Bert"]


def test_a_subject_in_both_splits_is_refused(scans, recipe, refuses):
    folder = scans("p1_T1w", "p1_T2w", "p2_T1w")
    with refuses("'p1' is in both splits", "p1_T1w", "p1_T2w", "subject"):
        training_files(folder, recipe(validation=["*_T2w"]))


def test_each_fold_keeps_a_subjects_files_together_and_all_are_held_once(scans, recipe):
    folder = scans("p1_T1w", "p1_T2w", "p2_T1w", "p3_T1w", "p3_T2w", "out_T1w")
    mine, held = recipe(exclude=["out_*"]), []
    for k in (1, 2):
        part = fold(mine, folder, k, 2)
        assert part.name == f"tiny-fold-{k}-of-2"
        names = {stem(path) for path in validation_files(folder, part)}
        learnt = {stem(path) for path, _ in training_files(folder, part)}
        assert not {mine.subject_of(name) for name in names} & {mine.subject_of(name) for name in learnt}
        held.append(names)
    assert held == [{"p1_T1w", "p1_T2w", "p3_T1w", "p3_T2w"}, {"p2_T1w"}]


@pytest.mark.parametrize(("k", "n"), [(0, 2), (3, 2), (1, 1), (1, 4)])
def test_a_fold_that_cannot_be_is_refused(scans, recipe, refuses, k, n):
    with refuses(f"no fold {k}/{n} of 3 subjects"):
        fold(recipe(), scans("p1_T1w", "p2_T1w", "p3_T1w"), k, n)


def test_a_photograph_is_a_grey_volume_of_one_slice(tmp_path, recipe):
    colours = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    io.imsave(tmp_path / "a.png", colours, check_contrast=False)
    volume = read_photograph(tmp_path / "a.png")
    assert volume.size == (60, 40, 1)
    grey = colours @ [0.2125, 0.7154, 0.0721] / 255
    assert np.allclose(volume.voxels[0], grey, atol=1e-3)
    stacks = training_stacks(tmp_path, recipe(source="photographs", slices=1))
    assert [stack.name for stack in stacks] == ["a"]


def test_a_large_photograph_is_shrunk(tmp_path, monkeypatch):
    monkeypatch.setattr(rooms, "LONGEST", 20)
    io.imsave(tmp_path / "a.png", np.tile(np.uint8([[0, 255], [255, 0]]), (20, 25)), check_contrast=False)
    volume = read_photograph(tmp_path / "a.png")
    assert volume.size == (16, 13, 1)


def test_a_folder_without_photographs_and_a_broken_one_are_refused(tmp_path, recipe, refuses):
    with refuses("has no photographs (PNG, JPEG)", "another folder"):
        training_files(tmp_path, recipe(source="photographs"))
    (tmp_path / "a.png").write_bytes(b"no picture")
    with refuses("a.png is no picture"):
        read_photograph(tmp_path / "a.png")
