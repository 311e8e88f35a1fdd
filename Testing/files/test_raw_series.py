"""A diffusion series that its files show to be raw is known as such; silence, derivatives and other scans are not."""

import json
from dataclasses import replace

import numpy as np
import pytest
from known_tensors import series, tensors
from phantoms import brain

from SuperResolutionLib import files
from SuperResolutionLib.files.raw_series import original
from SuperResolutionLib.header import Header
from SuperResolutionLib.volume import Volume

CONVERTED = {"ConversionSoftware": "dcm2niix", "ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]}


def dwi(description: str = "") -> Volume:
    scan = series(tensors((2, 6, 5))).cast(np.int16)
    return replace(scan, header=Header(description=description))


def shown(path, volume: Volume, table: dict[str, object] | None = None) -> str:
    """What the file of a volume shows, with a JSON beside it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(volume, path, overwrite=True)
    files.sidecar_path(path).unlink(missing_ok=True)
    if table is not None:
        files.sidecar_path(path).write_text(json.dumps(table))
    header = files.read(path).header
    return "" if header is None else header.raw


@pytest.mark.parametrize("name", ["sub-01_desc-denoised_dwi", "dwi_mppca", "dwi_denoise", "dwi_MP-PCA"])
def test_a_name_tells_that_noise_was_taken_out(tmp_path, name):
    assert shown(tmp_path / f"{name}.nii.gz", dwi(), CONVERTED) == ""
    header = files.read(tmp_path / f"{name}.nii.gz").header
    assert header is not None and name in header.denoised


def test_other_names_and_single_volumes_tell_nothing_of_denoising(tmp_path):
    others = ("dwi", "dwi_undenoised", "nondenoised_dwi", "dwi_to_denoising")
    for name, volume in (*((name, dwi()) for name in others), ("t1_denoised", brain().cast(np.int16))):
        files.write(volume, tmp_path / f"{name}.nii.gz")
        header = files.read(tmp_path / f"{name}.nii.gz").header
        assert header is None or header.denoised == ""


@pytest.mark.parametrize("extension", [".nii.gz", ".nrrd", ".mha"])
def test_the_json_of_a_converter_tells_of_it(tmp_path, extension):
    assert "scan.json says that dcm2niix converted it" in shown(tmp_path / f"scan{extension}", dwi(), CONVERTED)


@pytest.mark.parametrize(
    "description", ["TE=68;Time=121119.758;phase=0;mb=3", "TE=1e+02;Time=104410.475;phase=1", "dcm2niix v1.0.20230411"]
)
def test_the_description_of_a_converter_tells_of_it(tmp_path, description):
    assert description in shown(tmp_path / "scan.nii.gz", dwi(description))


@pytest.mark.parametrize("place", ["sub-01/dwi/sub-01_dwi.nii.gz", "sub-01/ses-a/dwi/sub-01_ses-a_dir-AP_dwi.nii.gz"])
def test_its_place_in_a_data_set_tells_of_it(tmp_path, place):
    assert place.rpartition("/")[0] in shown(tmp_path / "data" / place, dwi())


@pytest.mark.parametrize("description", ["", "FSL5.0", "6.0.5:9e026117", "MRtrix version: 3.0.4", "nothing known"])
def test_silence_and_other_programs_tell_of_nothing(tmp_path, description):
    """FSL and MRtrix leave their names in files that they only converted, and in files that they corrected."""
    assert shown(tmp_path / "scan.nii.gz", dwi(description)) == ""
    assert shown(tmp_path / "scan.nii.gz", dwi(description), {"RepetitionTime": 3.5}) == ""


@pytest.mark.parametrize(
    "name",
    [
        "data/derivatives/qsiprep/sub-01/dwi/sub-01_dwi.nii.gz",
        "sub-01/dwi/sub-01_desc-preproc_dwi.nii.gz",
        "sub-01/dwi/sub-01_space-T1w_dwi.nii.gz",
        "dwi_denoised.nii.gz",
        "dwi_eddy.nii.gz",
        "dwi_corrected.nii.gz",
        "dwi_unringed.nii.gz",
    ],
)
def test_a_name_or_folder_that_tells_of_processing_outweighs_all_else(tmp_path, name):
    assert shown(tmp_path / name, dwi("TE=68;Time=121119.758"), CONVERTED) == ""


@pytest.mark.parametrize("key", ["Sources", "GeneratedBy", "operation"])
def test_a_json_that_tells_of_processing_outweighs_all_else(tmp_path, key):
    assert shown(tmp_path / "sub-01/dwi/sub-01_dwi.nii.gz", dwi(), {**CONVERTED, key: ["x"]}) == ""


def test_a_data_set_of_derivatives_is_none_of_raw_data(tmp_path):
    (tmp_path / "dataset_description.json").write_text('{"DatasetType": "derivative"}')
    assert shown(tmp_path / "sub-01/dwi/sub-01_dwi.nii.gz", dwi()) == ""


def test_what_the_scanner_derived_is_not_called_converted_from_original_images(tmp_path):
    derived = {**CONVERTED, "ImageType": ["DERIVED", "PRIMARY", "DIFFUSION"]}
    assert shown(tmp_path / "scan.nii.gz", dwi(), derived) == ""


def test_other_scans_are_never_called_raw(tmp_path):
    single = replace(brain(), header=Header(description="TE=68;Time=121119.758"))
    assert shown(tmp_path / "sub-01/dwi/sub-01_dwi.nii.gz", single, CONVERTED) == ""
    unweighted = dwi("TE=68;Time=121119.758")
    unweighted = replace(unweighted, gradients=None)
    assert shown(tmp_path / "sub-01/func/sub-01_bold.nii.gz", unweighted, CONVERTED) == ""


def test_the_types_of_dicom_images(tmp_path):
    assert original(["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE", "ND"])
    assert not original(["DERIVED", "PRIMARY", "DIFFUSION", "TRACEW"])
    assert not original(["ORIGINAL", "PRIMARY", "M", "ND", "MOCO"])
    assert not original([])


@pytest.mark.parametrize(("kind", "raw"), [("ORIGINAL", True), ("DERIVED", False)])
def test_a_dicom_series_is_raw_where_its_images_are_original(tmp_path, make, kind, raw):
    voxels = np.random.default_rng(3).integers(0, 99, (3, 4, 5, 6))
    vectors = np.array([[0, 0, 0], [0.6, 0, 0.8], [0, 1, 0]])
    path = make.enhanced(tmp_path / "e.dcm", voxels, [0, 1000, 1000], vectors)
    dataset = make.dcmread(path)
    dataset.ImageType = [kind, "PRIMARY", "DIFFUSION", "NONE"]
    dataset.save_as(path)
    assert ("ORIGINAL" in files.read(path).header.raw) is raw


def test_a_dicom_scan_that_is_no_diffusion_series_is_never_called_raw(tmp_path, make):
    make.classic(tmp_path / "scan", np.random.default_rng(8).integers(0, 99, (6, 4, 5)).astype(np.int16))
    assert files.read(tmp_path / "scan").header.raw == ""
