"""A folder as OUTPUT: the enhanced series goes back to the archive that it came from."""

import json

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from phantoms import brain
from tiny_models import store_thinning

import SuperResolutionLib as sr
from SuperResolutionLib import files

QUIET = ("--progress", "none")
NEEDED = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
    "StudyInstanceUID": "1.2.9",
    "FrameOfReferenceUID": "1.2.8",
    "PatientName": "Doe^Jane",
    "PatientID": "secret-7",
    "PatientBirthDate": "19700102",
    "StudyDate": "20250102",
    "ScanningSequence": "SE",
    "SequenceVariant": "NONE",
    "Modality": "MR",
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [1, 1],
    "SliceThickness": 3,
}


def export(folder, number=5, name="t2 tra", **tags):
    """A head of 26 x 28 x 4 voxels as classic slices."""
    folder.mkdir(exist_ok=True)
    for k, pixels in enumerate(brain().voxels):
        path = folder / f"{number}-{k}.dcm"
        sitk.WriteImage(sitk.GetImageFromArray(pixels[None].astype(np.int16)), str(path))
        header = pydicom.dcmread(path)
        header.SeriesInstanceUID, header.SeriesNumber, header.SeriesDescription = f"1.2.{number}", number, name
        header.ImageType, header.InstanceNumber = ["ORIGINAL", "PRIMARY", "M", "ND"], k + 1
        header.ImagePositionPatient = [0, 0, 4 * k]
        for tag, value in {**NEEDED, **tags}.items():
            setattr(header, tag, value)
        header.save_as(path)
    return folder


@pytest.fixture
def dicom(tmp_path):
    return export(tmp_path / "dicom")


def headers(folder):
    return [pydicom.dcmread(path) for path in sorted(folder.iterdir())]


def test_a_dicom_folder_is_enhanced_into_a_folder(command, dicom, model, tmp_path):
    out = tmp_path / "out"
    assert command("enhance", dicom, out, "--model", model, *QUIET).code == 0
    assert files.read(out).size == (52, 56, 4)
    for header in headers(out):
        assert (header.PatientID, header.StudyInstanceUID, header.SeriesNumber) == ("secret-7", "1.2.9", 501)
        assert header.SeriesDescription == "t2 tra SR x2"
    said = json.loads((tmp_path / "out.json").read_text())
    assert said["operation"] == "enhance"
    assert said["model_sha256"] in headers(out)[0].ContributingEquipmentSequence[1].ContributionDescription


def test_it_holds_what_a_file_would_hold(command, dicom, model, tmp_path):
    command("enhance", dicom, tmp_path / "out", "--model", model, *QUIET)
    command("enhance", dicom, tmp_path / "image.nrrd", "--model", model, *QUIET)
    series, image = files.read(tmp_path / "out"), files.read(tmp_path / "image.nrrd")
    assert np.array_equal(series.voxels, image.voxels)
    assert series.bounds() == pytest.approx(image.bounds(), abs=1e-6)


def test_the_sidecar_says_nothing_of_the_patient(command, dicom, model, tmp_path):
    answer = command("enhance", dicom, tmp_path / "out", "--model", model, *QUIET)
    assert answer.code == 0, answer.err
    record = json.loads((tmp_path / "out.json").read_text())
    record.pop("input_sha256")  # any digits may be in it, those of a year too
    assert not any(word in json.dumps(record) for word in ("Doe", "Jane", "secret-7", "1970", "20250102", "1.2.9"))


def test_thick_slices_become_more_slices(command, dicom, tmp_path):
    model = store_thinning(tmp_path / "models")
    answer = command("enhance", dicom, tmp_path / "out", "--slice-spacing", 1, "--model", model, *QUIET)
    assert answer.code == 0, answer.err
    found = headers(tmp_path / "out")
    assert len(found) == 16
    assert {(float(header.SliceThickness), float(header.SpacingBetweenSlices)) for header in found} == {(1, 1)}
    assert [float(header.ImagePositionPatient[2]) for header in found] == pytest.approx(np.arange(16) - 1.5)
    assert found[0].SeriesDescription == "t2 tra SR 1 mm"


def test_upsample_writes_dicom_too(command, dicom, tmp_path):
    assert command("upsample", dicom, tmp_path / "out", "--method", "sinc", *QUIET).code == 0
    assert headers(tmp_path / "out")[0].SeriesDescription == "t2 tra sinc x2"


def test_a_converted_image_goes_back_to_the_series_it_was_converted_from(command, dicom, tmp_path):
    """As dcm2niix writes it: the rows from below."""
    volume = files.read(dicom)
    turned = sr.Volume(
        np.ascontiguousarray(volume.voxels[:, ::-1]),
        volume.spacing,
        (0.0, volume.size[1] - 1.0, 0.0),
        np.diag([1.0, -1, 1]),
    )
    files.write(turned, tmp_path / "brain.nii.gz")
    out = tmp_path / "out"
    answer = command("upsample", tmp_path / "brain.nii.gz", out, "--dicom-source", dicom, "--method", "linear", *QUIET)
    assert answer.code == 0, answer.err
    assert np.array_equal(files.read(out).voxels, sr.upsample(volume, "linear", 2).voxels)
    assert headers(out)[0].PatientID == "secret-7"
    assert json.loads((tmp_path / "out.json").read_text())["dicom_source"] == "dicom"


def test_one_of_several_series_is_chosen(command, dicom, tmp_path):
    export(dicom, 8, "t1 sag")
    for wanted in ("8", "t1 sag"):
        out = tmp_path / f"out-{wanted[:2]}"
        assert command("upsample", dicom, out, "--series", wanted, *QUIET).code == 0
        assert {header.SeriesNumber for header in headers(out)} == {801}
    answer = command("upsample", dicom, tmp_path / "none", *QUIET)
    assert (answer.code, (tmp_path / "none").exists()) == (2, False)
    assert "--series" in answer.err


def test_all_series_go_into_a_folder_each_and_what_is_no_scan_is_left_out_and_said(command, dicom, tmp_path):
    export(dicom, 8, "t1 sag")
    export(dicom, 1, "localizer")
    export(dicom, 9, "phase", ImageType=["ORIGINAL", "PRIMARY", "P", "ND"])
    export(dicom, 10, "t2 of no study", StudyInstanceUID="")
    answer = command("upsample", dicom, tmp_path / "out", "--all-series", *QUIET)
    assert answer.code == 0, answer.err
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["series-5", "series-5.json", "series-8", "series-8.json"]
    for words in ("1, localizer", "9, phase", "10 (", "lacks StudyInstanceUID"):
        assert words in answer.err
    assert len({header.SeriesInstanceUID for name in made[::2] for header in headers(tmp_path / "out" / name)}) == 2


def test_a_series_that_is_derived_already_is_accepted_and_said(command, dicom, tmp_path):
    command("upsample", dicom, tmp_path / "once", *QUIET)
    answer = command("upsample", tmp_path / "once", tmp_path / "twice", *QUIET)
    assert answer.code == 0
    assert "once is a derived series itself" in answer.err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["scan.nii.gz", "out", "--dicom"], ["scan.nii.gz is no DICOM", "--dicom-source"]),
        (["dicom", "out", "--dicom-source", "dicom"], ["its own source"]),
        (["dicom", "out.nrrd", "--dicom"], ["out.nrrd names a file"]),
        (["dicom", "dicom/out"], ["lies in the input"]),
        (["dicom", "mine"], ["not empty", "note.txt"]),
        (["dicom", "no/out"], ["does not exist"]),
        (["dicom", "out.nrrd", "--watermark"], ["--watermark", "out.nrrd is none"]),
        (["dicom", "out", "--all-series", "--series", "5"], ["--all-series", "no --series"]),
        (["scan.nii.gz", "out", "--dicom-source", "dicom"], ["field of view"]),
        (["mirrored.nrrd", "out", "--dicom-source", "dicom"], ["another patient"]),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(refused, dicom, scan, tmp_path, monkeypatch, more, words):
    volume = files.read(dicom)
    files.write(volume.with_voxels(np.ascontiguousarray(volume.voxels[:, ::-1, ::-1])), tmp_path / "mirrored.nrrd")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("mine")
    monkeypatch.chdir(tmp_path)
    folders = {path for path in tmp_path.rglob("*") if path.is_dir()}
    refused(["upsample", *more, *QUIET], *words)
    assert {path for path in tmp_path.rglob("*") if path.is_dir()} == folders


def test_an_uncertainty_map_has_no_place_in_a_series(refused, dicom, model, tmp_path):
    asked = ["enhance", dicom, tmp_path / "out", "--model", model, "--uncertainty", tmp_path / "u.nrrd", *QUIET]
    refused(asked, "--uncertainty", "name a file")
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore:No corner")
def test_a_watermark_is_drawn_where_it_is_asked_for_alone(command, dicom, tmp_path):
    for name, more in (("plain", []), ("marked", ["--watermark"])):
        answer = command("upsample", dicom, tmp_path / name, *more, *QUIET)
        assert answer.code == 0, answer.err
    plain, marked = headers(tmp_path / "plain"), headers(tmp_path / "marked")
    assert {header.BurnedInAnnotation for header in plain} == {"NO"}
    assert {header.BurnedInAnnotation for header in marked} == {"YES"}
    assert all(a.PixelData != b.PixelData for a, b in zip(plain, marked, strict=True))
    assert "watermark" not in json.loads((tmp_path / "plain.json").read_text())
    assert json.loads((tmp_path / "marked.json").read_text())["watermark"]["text"] == "RESEARCH USE ONLY - SR"


def test_what_was_enhanced_into_a_file_goes_back_later_with_the_model_that_made_it(command, dicom, model, tmp_path):
    for words in ([tmp_path / "sr.nrrd"], [tmp_path / "at-once"]):
        assert command("enhance", dicom, *words, "--model", model, *QUIET).code == 0
    answer = command("archive", tmp_path / "sr.nrrd", tmp_path / "later", "--dicom-source", dicom, *QUIET)
    assert answer.code == 0, answer.err
    later, at_once = headers(tmp_path / "later"), headers(tmp_path / "at-once")
    assert np.array_equal(files.read(tmp_path / "later").voxels, files.read(tmp_path / "at-once").voxels)
    for keyword in ("PatientID", "StudyInstanceUID", "SeriesDescription", "DerivationDescription"):
        assert {header[keyword].value for header in later} == {header[keyword].value for header in at_once}, keyword
    assert later[0].ContributingEquipmentSequence[1] == at_once[0].ContributingEquipmentSequence[1]
    assert json.loads((tmp_path / "later.json").read_text())["model"] == "tiny-x2"


def test_an_image_of_which_nobody_says_what_made_it_goes_back_without_a_model(command, dicom, tmp_path):
    files.write(sr.upsample(dicom, "linear"), tmp_path / "plain.nrrd")
    answer = command("archive", tmp_path / "plain.nrrd", tmp_path / "out", "--dicom-source", dicom, *QUIET)
    assert answer.code == 0, answer.err
    found = headers(tmp_path / "out")[0]
    assert found.SeriesDescription == "t2 tra SuperResolution x2"
    assert "no weights" in found.ContributingEquipmentSequence[1].ContributionDescription


def test_an_image_of_something_else_does_not_go_back(refused, dicom, scan, tmp_path):
    refused(["archive", scan, tmp_path / "out", "--dicom-source", dicom, *QUIET], "field of view")
    refused(["archive", dicom, tmp_path / "out", "--dicom-source", dicom, *QUIET], "its own source")


def test_a_restoration_is_written_by_one_call(dicom, model, tmp_path):
    result = sr.restore(dicom, str(model))
    sr.write_dicom(result, sorted(dicom.iterdir()), tmp_path / "out")
    found = headers(tmp_path / "out")
    assert np.array_equal(sr.read(tmp_path / "out").voxels, result.volume.voxels)
    assert found[0].SeriesDescription == "t2 tra SR x2"
    assert result.record.model_sha256 in found[0].ContributingEquipmentSequence[1].ContributionDescription
    assert not (tmp_path / "out.json").exists()


def test_so_is_a_volume(dicom, tmp_path):
    sr.write_dicom(sr.upsample(dicom, "linear"), dicom, tmp_path / "out", method="linear", record={"a": 1})
    assert headers(tmp_path / "out")[0].SeriesDescription == "t2 tra linear x2"
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": 1}


def test_no_files_are_no_source(dicom, tmp_path, refuses):
    with refuses("no DICOM files"):
        sr.write_dicom(sr.read(dicom), [], tmp_path / "out")
