"""Tensors, directions and colours as NRRD: what the standard says, read back without our own code."""

import gzip
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from SuperResolutionLib.files.nrrd import read_header
from SuperResolutionLib.files.tensor_nrrd import write_colours, write_tensors, write_vectors
from SuperResolutionLib.volume import Volume

TURN = np.array([[0.6, 0, 0.8], [0, 1, 0], [0.8, 0, -0.6]])  # left-handed


def volume(count: int, dtype: type = np.float32) -> Volume:
    voxels = np.random.default_rng(0).uniform(0, 200, (count, 2, 3, 4)).astype(dtype)
    return Volume(voxels, (1.0, 2.0, 3.0), (5.0, -6.0, 7.0), TURN)


def content(path: Path) -> np.ndarray:
    """The floats after the header."""
    return np.frombuffer(gzip.decompress(path.read_bytes().partition(b"\n\n")[2]), "<f4")


def test_a_tensor_has_its_confidence_and_its_upper_half_in_the_standards_order(tmp_path):
    tensor = volume(6)
    mask = np.arange(24).reshape(2, 3, 4) % 2
    write_tensors(tensor, tmp_path / "t.nrrd", mask)
    header = read_header(tmp_path / "t.nrrd")
    assert header["kinds"] == "3D-masked-symmetric-matrix domain domain domain"
    assert (header["sizes"], header["type"], header["space"]) == ("7 4 3 2", "float", "left-posterior-superior")
    assert header["measurement frame"] == "(1,0,0) (0,1,0) (0,0,1)"
    assert header["space directions"].startswith("none (")
    stored = content(tmp_path / "t.nrrd").reshape(2, 3, 4, 7)
    assert np.array_equal(stored[..., 0], mask)
    assert np.array_equal(np.moveaxis(stored[..., 1:], -1, 0), tensor.voxels)


def test_without_a_mask_every_tensor_holds(tmp_path):
    write_tensors(volume(6), tmp_path / "t.nrrd")
    assert (content(tmp_path / "t.nrrd").reshape(-1, 7)[:, 0] == 1).all()


def test_itk_reads_directions_in_their_place(tmp_path):
    vectors = volume(3)
    write_vectors(vectors, tmp_path / "v.nrrd")
    image = sitk.ReadImage(str(tmp_path / "v.nrrd"))
    assert np.array_equal(np.moveaxis(sitk.GetArrayFromImage(image), -1, 0), vectors.voxels)
    assert np.allclose(np.reshape(image.GetDirection(), (3, 3)), TURN)
    assert np.allclose(image.GetSpacing(), vectors.spacing)
    assert np.allclose(image.GetOrigin(), vectors.origin)


def test_itk_reads_colours(tmp_path):
    colours = volume(3, np.uint8)
    write_colours(colours, tmp_path / "c.nrrd")
    image = sitk.ReadImage(str(tmp_path / "c.nrrd"))
    assert image.GetPixelIDTypeAsString() == "vector of 8-bit unsigned integer"
    assert np.array_equal(np.moveaxis(sitk.GetArrayFromImage(image), -1, 0), colours.voxels)


def test_another_number_of_components_is_no_tensor(tmp_path, refuses):
    with refuses("6 components", "has 9"):
        write_tensors(volume(9), tmp_path / "t.nrrd")
    with refuses("6 components", "has 1"):
        write_tensors(Volume(np.zeros((2, 3, 4))), tmp_path / "t.nrrd")
    assert not list(tmp_path.iterdir())
