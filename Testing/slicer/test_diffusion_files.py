"""Slicer's own reader finds in our NRRD files the voxels, the grid and the gradients that we wrote."""

from dataclasses import replace

import numpy as np
import pytest
import scans
import slicer
import slicer.util
import vtk

import SuperResolutionLib as sr
from SuperResolutionLib import files
from SuperResolutionLib.volume import Gradients, Volume

pytestmark = pytest.mark.usefixtures("session")

RAS = np.array([-1, -1, 1])


def series(count, left_handed=False):
    """A series on an oblique grid, b = 0 first, two shells."""
    rng = np.random.default_rng(count)
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    axes[:, 0] *= np.sign(np.linalg.det(axes)) * (-1 if left_handed else 1)
    bvecs = rng.normal(size=(count, 3))
    bvecs /= np.linalg.norm(bvecs, axis=1, keepdims=True)
    bvals = np.where(np.arange(count) % 2, 1000.0, 2500.0)
    bvecs[0], bvals[0] = 0, 0
    voxels = rng.integers(0, 900, (count, 4, 5, 6)).astype(np.int16)
    return Volume(voxels, (1.5, 2, 3.3), (-12, 30.5, 7), axes, Gradients(bvals, bvecs))


def load(path):
    return slicer.modules.volumes.logic().AddArchetypeVolume(str(path), "loaded")


def in_patient_space(node, count):
    """The node's directions in LPS: Slicer keeps them in the measurement frame of RAS."""
    frame = vtk.vtkMatrix4x4()
    node.GetMeasurementFrameMatrix(frame)
    turn = slicer.util.arrayFromVTKMatrix(frame)[:3, :3]
    return np.array([turn @ node.GetDiffusionGradient(k) for k in range(count)]) * RAS


@pytest.mark.parametrize("left_handed", [False, True])
@pytest.mark.parametrize("extension", [".nrrd", ".nhdr"])
def test_slicer_reads_our_diffusion_series(tmp_path, extension, left_handed):
    written = series(8, left_handed)
    files.write(written, tmp_path / f"dwi{extension}")
    node = load(tmp_path / f"dwi{extension}")
    assert node.GetClassName() == "vtkMRMLDiffusionWeightedVolumeNode"
    assert np.array_equal(np.moveaxis(slicer.util.arrayFromVolume(node), -1, 0), written.voxels)
    assert scans.grid(node)[:3, :3] == pytest.approx(RAS[:, None] * written.direction * written.spacing)
    assert scans.grid(node)[:3, 3] == pytest.approx(RAS * written.origin)
    assert [node.GetBValue(k) for k in range(8)] == pytest.approx(written.gradients.bvals.tolist())
    found = in_patient_space(node, 8)
    aligned = (found * written.gradients.bvecs).sum(axis=1)[1:] / np.linalg.norm(found[1:], axis=1)
    assert np.degrees(np.arccos(np.clip(aligned, -1, 1))).max() < 0.1


def test_slicer_reads_the_same_gradients_from_a_series_that_went_through_nifti(tmp_path):
    written = series(9, left_handed=True)
    files.write(written, tmp_path / "dwi.nii.gz")
    files.write(sr.read(tmp_path / "dwi.nii.gz"), tmp_path / "again.nrrd")
    found = in_patient_space(load(tmp_path / "again.nrrd"), 9)
    assert found == pytest.approx(written.gradients.bvecs, abs=1e-3)


def test_we_read_the_gradients_that_slicer_writes_in_a_turned_measurement_frame(tmp_path):
    node = scans.diffusion(count=7, frame=np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]))
    storage = node.CreateDefaultStorageNode()
    storage.SetFileName(str(tmp_path / "dwi.nrrd"))
    assert storage.WriteData(node)
    volume = sr.read(tmp_path / "dwi.nrrd")
    assert volume.gradients.bvecs == pytest.approx(in_patient_space(node, 7), abs=1e-6)
    assert volume.gradients.bvals == pytest.approx([node.GetBValue(k) for k in range(7)])
    assert np.array_equal(volume.voxels, np.moveaxis(slicer.util.arrayFromVolume(node), -1, 0))


SIX = [(0, 0, 0), (1, 0, 1), (-1, 0, 1), (0, 1, 1), (0, 1, -1), (1, 1, 0), (-1, 1, 0)]
MIXED = [(0, 0, 0), (2, 0, 0), (0, 1, 0), (0, 0, 0.5), (1, 1, 1), (0.3, 0, 0), (0, -2, 0)]


@pytest.mark.parametrize("vectors", [SIX, MIXED])
def test_we_read_the_b_values_that_slicer_reads(tmp_path, vectors):
    """Fault D1: unnormalised vectors; we read 2000 where Slicer reads 1000."""
    unit = Gradients(np.full(7, 1000.0), np.tile([1.0, 0, 0], (7, 1)))
    files.write(replace(series(7), gradients=unit), tmp_path / "dwi.nhdr")
    text = (tmp_path / "dwi.nhdr").read_text()
    for k, numbers in enumerate(vectors):
        assert f"DWMRI_gradient_{k:04d}:=1 0 0\n" in text
        text = text.replace(f"gradient_{k:04d}:=1 0 0\n", f"gradient_{k:04d}:={' '.join(map(str, numbers))}\n")
    (tmp_path / "dwi.nhdr").write_text(text)
    node, volume = load(tmp_path / "dwi.nhdr"), sr.read(tmp_path / "dwi.nhdr")
    assert volume.gradients.bvals == pytest.approx([node.GetBValue(k) for k in range(7)], abs=1e-6)
    assert volume.gradients.bvals.max() == pytest.approx(1000)


@pytest.mark.parametrize("count", [2, 6])
def test_slicer_reads_a_short_series_of_ours_with_its_gradients(tmp_path, count):
    written = series(count)
    with pytest.warns(files.ScanWarning, match="fewer than 7"):
        files.write(written, tmp_path / "dwi.nrrd")
    node = load(tmp_path / "dwi.nrrd")
    assert node.GetClassName() == "vtkMRMLDiffusionWeightedVolumeNode"
    found = in_patient_space(node, count)
    aligned = (found * written.gradients.bvecs).sum(axis=1)[1:] / np.linalg.norm(found[1:], axis=1)
    assert np.degrees(np.arccos(np.clip(aligned, -1, 1))).max() < 0.1


@pytest.mark.parametrize(("count", "kept"), [(6, False), (7, True)])
def test_slicer_saves_gradients_that_came_from_no_file_only_of_seven_volumes_on(tmp_path, count, kept):
    """Why short series get a .bval and a .bvec beside the NRRD, and a warning."""
    storage = (node := scans.diffusion(count=count)).CreateDefaultStorageNode()
    storage.SetFileName(str(tmp_path / "dwi.nrrd"))
    assert storage.WriteData(node)
    assert (b"DWMRI_gradient" in (tmp_path / "dwi.nrrd").read_bytes()) is kept
