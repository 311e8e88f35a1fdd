"""The scans among files and folders, and whose they are."""

from pathlib import Path

import pytest

from SuperResolutionLib.study.subjects import find_scans, held_out
from SuperResolutionLib.training import recipe


@pytest.fixture
def tree(tmp_path):
    """Make empty files."""

    def make(*names: str) -> Path:
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("file", "subject"),
    [
        ("ds002748_sub-28_T1w.nii.gz", "ds002748_sub-28"),
        ("openms_patient01_T2W.nii.gz", "openms_patient01"),
        ("sub-05/anat/t1.nii.gz", "sub-05"),
        ("brain.nrrd", "brain"),
    ],
)
def test_the_subject_is_that_of_bids_or_the_name_up_to_its_last_underscore(tree, file, subject):
    (scan,) = find_scans([tree(file) / file])
    assert scan.subject == subject


def test_several_scans_of_a_patient_are_one_subject(tree):
    folder = tree("p01_T1W.nii.gz", "p01_T2W.nii.gz", "p01_FLAIR.nii.gz", "p02_T1W.nii.gz")
    assert sorted(scan.subject for scan in find_scans([folder])) == ["p01", "p01", "p01", "p02"]


@pytest.mark.parametrize(
    "name", ["scan_1", "scan_2", "anna_T1w", "sub-01_ses-2_run-1_T1w", "brain", "a_b_FLAIR", "x_07"]
)
def test_studies_and_trainings_tell_people_by_one_rule(tree, name):
    """Fault K6: scan_1 and scan_2 were one person for a study, and two for a training."""
    (scan,) = find_scans([tree(f"{name}.nii") / f"{name}.nii"])
    assert scan.subject == recipe.load("mri-x2").subject_of(name)
    assert (scan.subject == name) == (name in ("scan_1", "scan_2", "brain", "x_07"))


def test_a_pattern_finds_the_subject(tree, refuses):
    folder = tree("site3-x7-a.nii", "site3-x8-a.nii")
    assert {scan.subject for scan in find_scans([folder], r"site3-(x\d)")} == {"x7", "x8"}
    with refuses("does not fit", "site3-x7-a.nii"):
        find_scans([folder], r"site4-(x\d)")
    with refuses("has 0 groups"):
        find_scans([folder], "site3")
    with refuses("not a regular expression"):
        find_scans([folder], "(site3")


def test_of_a_bids_folder_the_structural_scans_are_taken(tree):
    folder = tree(
        "dataset_description.json",
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_T1w.json",
        "sub-01/dwi/sub-01_dwi.nii.gz",
        "sub-02/ses-1/anat/sub-02_ses-1_FLAIR.nii.gz",
        "derivatives/fsl/sub-01/anat/sub-01_T1w.nii.gz",
    )
    assert [scan.name for scan in find_scans([folder])] == ["sub-01_T1w", "sub-02_ses-1_FLAIR"]
    assert "sub-01_dwi" in [scan.name for scan in find_scans([folder], series=True)]


def test_a_file_given_twice_is_studied_once_and_two_of_one_name_stay_apart(tree):
    folder = tree("a/brain.nii", "b/brain.nii", ".cache/old.nii")
    scans = find_scans([folder, folder / "a" / "brain.nii"])
    assert [scan.name for scan in scans] == ["brain", "brain-2"]


def test_a_folder_without_scans_is_refused(tree, refuses):
    with refuses("There is no scan in"):
        find_scans([tree("notes.txt")])
    with refuses("There is no file or folder"):
        find_scans([Path("nowhere.nii")])


def test_only_what_lies_under_test_is_held_out_where_there_is_such_a_folder(tree):
    folder = tree("train/a_T1w.nii.gz", "test/b_T1w.nii.gz", "more/test/c_T1w.nii.gz", "untested/d_T1w.nii.gz")
    assert sorted(scan.name for scan in held_out(folder)) == ["b_T1w", "c_T1w"]


def test_in_a_folder_of_ones_own_every_scan_is_held_out(tree):
    assert [scan.name for scan in held_out(tree("test_of_a_scanner/a_T1w.nii.gz"))] == ["a_T1w"]


def test_a_folder_that_is_not_there_holds_out_nothing(tmp_path, refuses):
    with refuses("nowhere does not exist", "--data"):
        held_out(tmp_path / "nowhere")
