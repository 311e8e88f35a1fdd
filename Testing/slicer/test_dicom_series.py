"""An enhanced volume goes back to the archive from the panel: real files, the real engine; of Slicer's DICOM database,
which is not here, the one function that is asked.
"""

import numpy as np
import pydicom
import pytest
import scans
import SimpleITK as sitk
import slicer
import slicer.util
from SuperResolutionSlicer import dicom_series, nodes
from SuperResolutionSlicer.jobs import JobError
from SuperResolutionSlicer.logic import SuperResolutionLogic
from test_logic import step_until, temporary_files
from test_widget import click, open_panel, run_to_end, select

import SuperResolutionLib as sr
from SuperResolutionLib.errors import InputError

SAID = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
    "StudyInstanceUID": "1.2.9",
    "SeriesInstanceUID": "1.2.5",
    "FrameOfReferenceUID": "1.2.8",
    "PatientName": "Doe^Jane",
    "PatientID": "secret-7",
    "ScanningSequence": "SE",
    "SequenceVariant": "NONE",
    "Modality": "MR",
    "SeriesNumber": 5,
    "SeriesDescription": "t2 tra",
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [1, 1],
    "SliceThickness": 3,
}


@pytest.fixture
def loaded(session, tmp_path, monkeypatch):
    """A volume as Slicer has it after loading a series, of 20 x 24 x 6 voxels of 1 x 1 x 4 mm."""
    source, voxels, paths = tmp_path / "database", scans.head().astype(np.int16), {}
    source.mkdir()
    for k, pixels in enumerate(voxels):
        path = source / f"{k}.dcm"
        sitk.WriteImage(sitk.GetImageFromArray(pixels[None]), str(path))
        header = pydicom.dcmread(path)
        for tag, value in {**SAID, "InstanceNumber": k + 1, "ImagePositionPatient": [0, 0, 4 * k]}.items():
            setattr(header, tag, value)
        header.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
        header.save_as(path)
        paths[header.SOPInstanceUID] = str(path)
    (source / "another-patient.dcm").write_bytes(b"not of this series")

    class Database:
        def fileForInstance(self, uid: str) -> str:
            return paths.get(uid, "")

        def instanceValue(self, uid: str, tag: str) -> str:
            return ""

    monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
    node = scans.scalar("t2", ijk_to_ras=np.diag([-1.0, -1.0, 4.0, 1.0]))
    node.SetAttribute("DICOM.instanceUIDs", " ".join(paths))
    return node


@pytest.fixture
def logic(session):
    found = SuperResolutionLogic()
    yield found
    found.close()


def made_of(source, factor=2):
    """What enhancing would have put into the scene, without the wait for a network."""
    fine = sr.upsample(nodes.volume_of(source), "linear", factor)
    matrix = scans.grid(source)
    matrix[:3, 3] += matrix[:3, :2].sum(axis=1) * (1 / factor - 1) / 2
    matrix[:3, :2] /= factor
    node = slicer.util.addVolumeFromArray(fine.voxels, ijkToRAS=matrix, name="t2 enhanced x2 (mri-x2)")
    slicer.mrmlScene.RemoveNode(node)
    nodes.add(node, source, {"Model": "mri-x2", "ModelSHA256": "5e" * 32})
    return node


def test_it_is_a_series_in_the_study_of_its_source_with_the_voxels_of_the_node(logic, loaded, tmp_path):
    node = made_of(loaded)
    folder = logic.saveDICOM(node, tmp_path)
    assert folder == tmp_path / "t2-enhanced-x2-mri-x2-dicom"
    headers = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    assert len(headers) == 6
    for header in headers:
        assert (header.PatientID, header.StudyInstanceUID, header.SeriesNumber) == ("secret-7", "1.2.9", 501)
        assert (header.SeriesDescription, header.SliceThickness) == ("t2 tra SR x2", 3)
        assert "5e5e" in header.ContributingEquipmentSequence[1].ContributionDescription
    back = sr.read(folder)
    assert np.array_equal(back.voxels, slicer.util.arrayFromVolume(node))
    assert back.bounds() == pytest.approx(nodes.volume_of(node).bounds(), abs=1e-5)
    assert temporary_files() == []


def test_each_time_it_goes_into_a_folder_of_its_own(logic, loaded, tmp_path):
    node = made_of(loaded)
    (tmp_path / "t2-enhanced-x2-mri-x2-dicom").mkdir()
    (tmp_path / "t2-enhanced-x2-mri-x2-dicom-2.json").write_text("mine")
    assert logic.saveDICOM(node, tmp_path).name == "t2-enhanced-x2-mri-x2-dicom-3"
    assert list((tmp_path / "t2-enhanced-x2-mri-x2-dicom").iterdir()) == []


def test_cancelling_leaves_nothing(logic, loaded, tmp_path):
    job = logic.saveDICOM(made_of(loaded), tmp_path / "database", blocking=False)
    before = sorted((tmp_path / "database").iterdir())
    step_until(job, lambda: job.progress.share is None, seconds=60)
    job.cancel()
    assert sorted((tmp_path / "database").iterdir()) == before
    assert temporary_files() == []


def test_voxels_that_are_no_longer_the_sources_are_refused_by_the_engine(logic, loaded, tmp_path):
    node = made_of(loaded)
    slicer.util.arrayFromVolume(node)[:, :24] = slicer.util.arrayFromVolume(node)[:, 24:].copy()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(JobError, match="another patient"):
        logic.saveDICOM(node, tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_what_cannot_go_back_is_said(logic, loaded, tmp_path):
    node = made_of(loaded)
    with pytest.raises(InputError, match="There is no folder"):
        logic.saveDICOM(node, tmp_path / "gone")
    with pytest.raises(InputError, match="that t2 was made of is not in the scene"):
        logic.saveDICOM(loaded, tmp_path)
    loaded.SetAttribute("DICOM.instanceUIDs", "1.2.3.4.5.6")
    with pytest.raises(InputError, match="DICOM files of t2 are no longer there"):
        logic.saveDICOM(node, tmp_path)
    loaded.RemoveAttribute("DICOM.instanceUIDs")
    with pytest.raises(InputError, match="t2 was not loaded from DICOM"):
        logic.saveDICOM(node, tmp_path)
    tensors = scans.tensors()
    with pytest.raises(InputError, match="dti holds tensors"):
        dicom_series.source_files(tensors)


def test_the_panel_saves_the_newest_result_and_says_where(loaded, session, wait_until, tmp_path):
    panel = open_panel(session)
    select(panel.ui.makeComboBox, "2")
    button = panel.ui.saveDICOMButton
    assert not button.enabled and "no enhanced volume yet" in button.toolTip
    click(panel.ui.enhanceButton)
    run_to_end(panel, wait_until)
    assert button.enabled and "DICOM series" in button.toolTip
    session.file = tmp_path
    click(button)
    run_to_end(panel, wait_until)
    assert panel.job.state == "done", panel.job.error + panel.job.log
    assert panel.ui.statusLabel.text == f"DICOM series: {panel.job.result}"
    found = pydicom.dcmread(panel.job.result / "IM0001.dcm")
    model = panel.enhancement().enhanced.GetAttribute("SuperResolution.ModelSHA256")
    assert model in found.ContributingEquipmentSequence[1].ContributionDescription
    loaded.RemoveAttribute("DICOM.instanceUIDs")
    panel.update()
    assert not button.enabled and "t2 was not loaded from DICOM" in button.toolTip
