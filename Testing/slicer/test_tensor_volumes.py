"""Slicer itself loads what `superresolution tensor` writes, as what it is and where it is."""

from dataclasses import replace

import known_tensors
import numpy as np
import pytest
import scans
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from SuperResolutionLib.diffusion.components import components, fractional_anisotropy, matrices
from SuperResolutionLib.files import read, write_image
from SuperResolutionLib.files.vectors import write_colours, write_vectors
from SuperResolutionLib.volume import TENSOR, Volume

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


def grid(voxels: np.ndarray, handed: int) -> Volume:
    """Components (c, 3, 4, 5) on an oblique grid, right- or left-handed."""
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    direction = turn * (handed * np.sign(np.linalg.det(turn)), 1, 1)
    return Volume(voxels, (1.0, 2.0, 3.0), (10.0, -20.0, 5.0), direction)


def load(path):
    logic = slicer.vtkSlicerVolumesLogic()
    logic.SetMRMLScene(slicer.mrmlScene)
    return logic.AddArchetypeVolume(str(path), "loaded", 0)


def places(volume: Volume) -> np.ndarray:
    """Where the voxels of a volume lie, RAS: (z, y, x, 3)."""
    z, y, x = np.meshgrid(*(np.arange(n) for n in volume.voxels.shape[1:]), indexing="ij")
    lps = volume.origin + (np.stack([x, y, z], -1) * volume.spacing) @ volume.direction.T
    return lps @ LPS_TO_RAS


def index_of(node, ras: np.ndarray) -> np.ndarray:
    """The voxels of a node at places: (..., 3) integers z, y, x."""
    inverse = np.linalg.inv(scans.grid(node))
    ijk = ras @ inverse[:3, :3].T + inverse[:3, 3]
    assert np.abs(ijk - np.rint(ijk)).max() < 1e-3
    return np.rint(ijk).astype(int)[..., ::-1]


@pytest.mark.parametrize("handed", [1, -1])
def test_slicer_loads_the_tensors_as_a_diffusion_tensor_volume(session, tmp_path, handed):
    roots = np.random.default_rng(0).normal(0, 0.02, (3, 4, 5, 3, 3))
    true = np.einsum("...ij,...kj->...ik", roots, roots)
    six = np.stack([true[..., i, j] for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))])
    volume = replace(grid(six.astype(np.float32), handed), quantity=TENSOR)
    write_image(volume, tmp_path / "tensor.nrrd")
    node = load(tmp_path / "tensor.nrrd")
    assert node.IsA("vtkMRMLDiffusionTensorVolumeNode")
    frame = vtk.vtkMatrix4x4()
    node.GetMeasurementFrameMatrix(frame)
    frame = slicer.util.arrayFromVTKMatrix(frame)[:3, :3]
    stored = vtk_to_numpy(node.GetImageData().GetPointData().GetTensors()).reshape(3, 4, 5, 3, 3)
    z, y, x = np.moveaxis(index_of(node, places(volume)), -1, 0)
    assert np.allclose(frame @ stored[z, y, x] @ frame.T, LPS_TO_RAS @ true @ LPS_TO_RAS, atol=1e-8)


def slicer_mean(node, measure: str) -> float:
    """The mean over the voxels of a measure, computed by Slicer's own filter as its display does."""
    filtered = slicer.vtkDiffusionTensorMathematics()
    filtered.SetInputData(node.GetImageData())
    getattr(filtered, f"SetOperationTo{measure}")()
    frame = vtk.vtkMatrix4x4()
    node.GetMeasurementFrameMatrix(frame)
    filtered.SetTensorRotationMatrix(frame)
    filtered.Update()
    return float(vtk_to_numpy(filtered.GetOutput().GetPointData().GetScalars()).mean())


SHAPES = [(1.5, 1.5, 3.0), (3.0, 3.0, 4.5), (2.0, 2.0, 2.0), (0.9, 1.3, 5.0)]


@pytest.mark.parametrize("spacing", SHAPES)
@pytest.mark.parametrize("turn", ["straight", "oblique", "left-handed"])
@pytest.mark.parametrize("extension", [".nrrd", ".nhdr"])
def test_slicer_computes_our_anisotropy_for_any_voxel_shape(session, tmp_path, spacing, turn, extension):
    """Fault J9: of six components Slicer's FA was .565 for .311 (1.5 x 1.5 x 3 mm), .454 for .314 (3 x 3 x 4.5)."""
    six = components(known_tensors.tensors((3, 4, 5))).astype(np.float32)
    oblique = grid(six, -1 if turn == "left-handed" else 1).direction
    direction = np.eye(3) if turn == "straight" else oblique
    volume = Volume(six, spacing, (10.0, -20.0, 5.0), direction, quantity=TENSOR)
    write_image(volume, tmp_path / f"t{extension}")
    node = load(tmp_path / f"t{extension}")
    assert node.IsA("vtkMRMLDiffusionTensorVolumeNode")
    assert slicer_mean(node, "FractionalAnisotropy") == pytest.approx(fractional_anisotropy(six).mean(), abs=1e-3)
    trace = (six[0] + six[3] + six[5]).mean()
    assert slicer_mean(node, "Trace") == pytest.approx(trace, rel=1e-4)
    again = read(tmp_path / f"t{extension}")
    assert np.array_equal(again.voxels, six)


def test_what_slicer_saves_is_read_as_the_same_tensors(session, tmp_path):
    """Fault J9, the way back: Slicer writes full matrices in its own frame."""
    node = scans.tensors(frame=np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]))
    storage = node.CreateDefaultStorageNode()
    storage.SetFileName(str(tmp_path / "t.nrrd"))
    assert storage.WriteData(node)
    found = read(tmp_path / "t.nrrd")
    true = scans.tensors_in_ras(node)
    assert np.allclose(matrices(found.voxels), LPS_TO_RAS @ true @ LPS_TO_RAS, atol=1e-9)


@pytest.mark.parametrize("write", [write_vectors, write_colours])
def test_slicer_loads_directions_and_colours_in_their_place(session, tmp_path, write):
    dtype = np.uint8 if write is write_colours else np.float32
    volume = grid(np.arange(180).reshape(3, 3, 4, 5).astype(dtype), -1)
    write(volume, tmp_path / "v.nrrd")
    node = load(tmp_path / "v.nrrd")
    assert node.IsA("vtkMRMLVectorVolumeNode")
    z, y, x = np.moveaxis(index_of(node, places(volume)), -1, 0)
    assert np.array_equal(np.moveaxis(slicer.util.arrayFromVolume(node)[z, y, x], -1, 0), volume.voxels)
