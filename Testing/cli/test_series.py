"""--series: what a DICOM folder holds is listed, and one is chosen by number, name or UID."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from SuperResolutionLib import files
from SuperResolutionLib.study.examine import read_single


@pytest.fixture
def folder(tmp_path):
    """Two echoes of series 5, and series 8, as ITK writes slices."""
    (tmp_path / "dicom").mkdir()
    for number, name, echo in ((5, "t2 tra", 20.0), (5, "t2 tra", 80.0), (8, "t1 sag", 4.0)):
        for k in range(3):
            path = tmp_path / "dicom" / f"{number}-{echo:.0f}-{k}.dcm"
            sitk.WriteImage(sitk.GetImageFromArray(np.full((1, 20, 18), int(echo) + k, np.int16)), str(path))
            dataset = pydicom.dcmread(path)
            dataset.SeriesInstanceUID, dataset.SeriesNumber, dataset.SeriesDescription = f"1.2.{number}", number, name
            dataset.StudyInstanceUID, dataset.Modality, dataset.EchoTime = "1.2", "MR", echo
            dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, 4 * k], [1, 0, 0, 0, 1, 0]
            dataset.PixelSpacing = [1, 1]
            dataset.save_as(path)
    return tmp_path / "dicom"


def test_info_lists_the_series_of_a_folder(command, folder):
    """Fault E: several candidates are offered by number and description in `info`."""
    answer = command("info", folder)
    assert answer.code == 0
    for words in ("3 DICOM series", "--series", "5a", "t2 tra, TE 20 ms", "5b", "TE 80 ms", "8", "t1 sag", "3 images"):
        assert words in answer.out


@pytest.mark.parametrize(("wanted", "value"), [("5b", 80), ("te 20", 20), ("t1 sag", 4), ("8", 4), ("1.2.8", 4)])
def test_a_series_is_chosen_by_number_name_or_uid(command, folder, tmp_path, wanted, value):
    """Fault E: --series 5, --series "t2 tra", a UID."""
    assert command("upsample", folder, tmp_path / "a.nrrd", "--series", wanted, "--method", "nearest").code == 0
    assert files.read(tmp_path / "a.nrrd").voxels.min() == value


@pytest.mark.parametrize("more", [[], ["--series", "5"], ["--series", "t2 tra"], ["--series", "flair"]])
def test_what_is_not_clear_is_refused_with_the_candidates(command, folder, tmp_path, more):
    """Fault E: ambiguous names are refused with the candidates, by every command that reads."""
    for arguments in (["upsample", folder, tmp_path / "a.nrrd"], ["tensor", folder, tmp_path / "out"]):
        answer = command(*arguments, *more)
        assert answer.code == 2
        assert "--series" in answer.err
        assert "t2 tra, TE 80 ms" in answer.err
        assert not (tmp_path / "a.nrrd").exists()
    if more:
        assert command("info", folder, *more).code == 2


def test_a_study_says_that_it_takes_one_series_from_a_folder(command, folder, tmp_path):
    """Fault E: the study has no --series."""
    answer = command("study", folder, "--out", tmp_path / "study")
    assert answer.code == 2
    assert "a folder of its own" in answer.out + answer.err
    assert "t1 sag" in answer.out + answer.err


def test_a_study_takes_the_series_that_is_named(command, folder, model, tmp_path):
    """Fault E: --series chooses among the series of a DICOM folder in a study too."""
    chosen = ["study", folder, "--out", tmp_path / "study", "--models", model, "--progress", "none"]
    assert "t1 sag" in command(*chosen).err
    answer = command(*chosen, "--series", "te 20")
    assert answer.code == 2
    assert "t1 sag" not in answer.err
    assert read_single(folder, as_intensities=True, series="te 20").voxels.min() == 20
