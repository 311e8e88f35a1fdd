"""Directions and colours as NRRD: what the standard says, read back without our own code."""

import numpy as np
import SimpleITK as sitk

from SuperResolutionLib.files.vectors import write_colours, write_vectors
from SuperResolutionLib.volume import Volume

TURN = np.array([[0.6, 0, 0.8], [0, 1, 0], [0.8, 0, -0.6]])  # left-handed


def volume(count: int, dtype: type = np.float32) -> Volume:
    voxels = np.random.default_rng(0).uniform(0, 200, (count, 2, 3, 4)).astype(dtype)
    return Volume(voxels, (1.0, 2.0, 3.0), (5.0, -6.0, 7.0), TURN)


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
