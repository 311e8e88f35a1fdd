"""Image files: what comes in keeps its voxels, its type and its place; what cannot be used is refused."""

import gzip
import os
import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import EXTENSIONS, read, read_image, write_image
from SuperResolutionLib.volume import Volume

FLOATS = np.random.default_rng(5).normal(size=(5, 6, 7)).astype(np.float32)
TYPES = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "float32", "float64"]


@given(seed=st.integers(0, 10**6), left=st.booleans(), extension=st.sampled_from(EXTENSIONS))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_grid_comes_back_from_any_format(tmp_path, make, seed, left, extension):
    random = np.random.default_rng(seed)
    voxels = random.integers(0, 99, random.integers(2, 6, 3)).astype(np.int16)
    spacing, origin = random.uniform(0.3, 5, 3), random.uniform(-300, 300, 3)
    given_volume = Volume(voxels, tuple(spacing), tuple(origin), make.rotation(seed, left))
    path = tmp_path / f"grid{extension}"
    write_image(given_volume, path)
    back = read(path)
    tolerance = 1e-4 if ".nii" in extension else 1e-6
    assert np.abs(back.bounds() - given_volume.bounds()).max() < tolerance
    assert np.array_equal(back.voxels, voxels)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("extension", [".nii.gz", ".nrrd", ".mha"])
def test_the_voxel_type_is_kept(tmp_path, volume, extension, dtype):
    path = tmp_path / f"typed{extension}"
    write_image(volume.cast(dtype), path)
    back = read_image(path)
    assert back.voxels.dtype == dtype
    assert np.array_equal(back.voxels, volume.cast(dtype).voxels)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_series_comes_back_with_its_place(tmp_path, series, extension):
    path = tmp_path / f"series{extension}"
    write_image(series, path)
    back = read_image(path)
    assert np.array_equal(back.voxels, series.voxels)
    assert back.voxels.dtype == series.voxels.dtype
    assert np.abs(back.bounds() - series.bounds()).max() < 1e-4


def test_nifti_lies_where_nibabel_says(tmp_path, volume):
    path = tmp_path / "brain.nii.gz"
    write_image(volume, path)
    image = nibabel.load(path)
    ras = np.diag([-1, -1, 1]) @ (volume.direction * volume.spacing)
    assert np.abs(image.affine[:3, :3] - ras).max() < 1e-5
    assert np.array_equal(np.asarray(image.dataobj).T, volume.voxels)
    assert image.header["qform_code"] > 0
    assert image.header["sform_code"] > 0


def test_an_nrrd_series_lies_in_patient_space_for_other_programs(tmp_path, series):
    write_image(series, tmp_path / "dwi.nrrd")
    image = sitk.ReadImage(str(tmp_path / "dwi.nrrd"))
    assert image.GetNumberOfComponentsPerPixel() == series.count
    assert image.GetOrigin() == pytest.approx(series.origin)
    assert np.reshape(image.GetDirection(), (3, 3)) == pytest.approx(series.direction)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
def test_scaled_nifti_becomes_float32_in_either_byte_order(tmp_path, order, extension):
    stored = np.arange(-60, 60, dtype=order + "i2").reshape(4, 5, 6)
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(stored.dtype)
    image = nibabel.Nifti1Image(stored, np.eye(4), header)
    image.header.set_slope_inter(1, 0)
    nibabel.save(image, tmp_path / f"b{extension}")
    assert read(tmp_path / f"b{extension}").voxels.dtype == np.int16
    _set_slope(tmp_path / f"b{extension}", order, 2.5, -3)
    scaled = read(tmp_path / f"b{extension}").voxels
    assert scaled.dtype == np.float32
    assert np.allclose(scaled, stored.T * 2.5 - 3)


def _set_slope(path: Path, order: str, slope: float, intercept: float) -> None:
    content = bytearray(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    struct.pack_into(order + "2f", content, 112, slope, intercept)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("extension", [".nii.gz", ".nrrd", ".mha"])
def test_a_single_picture_becomes_one_slice(tmp_path, extension):
    path = tmp_path / f"slice{extension}"
    sitk.WriteImage(sitk.GetImageFromArray(FLOATS[0]), str(path))
    assert np.array_equal(read(path).voxels, FLOATS[:1])


def test_a_nifti_with_a_fourth_axis_of_one_is_a_volume(tmp_path):
    nibabel.save(nibabel.Nifti1Image(FLOATS[..., None], np.eye(4)), tmp_path / "one.nii.gz")
    assert read(tmp_path / "one.nii.gz").voxels.shape == FLOATS.shape[::-1]


# --- what is refused -------------------------------------------------------------------------------------


def refused(path: Path, *words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(path)
    for word in (path.name, *words):
        assert word in str(caught.value)
    assert str(caught.value).rstrip()[-1] in ".?"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("extension", [".nii", ".nii.gz", ".nrrd", ".mha", ".mhd"])
def test_nan_and_infinity_are_counted_not_zeroed(tmp_path, extension, bad):
    voxels = FLOATS.copy()
    voxels[2, 1:4, 3] = bad
    path = tmp_path / f"nan{extension}"
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path))
    refused(path, "3 NaN or infinite", "replace")


def test_nan_is_found_in_the_other_byte_order(tmp_path):
    voxels = FLOATS.astype(">f8")
    voxels[0, 0, 0] = np.nan
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4), nibabel.Nifti1Header(endianness=">")), tmp_path / "b.nii.gz")
    refused(tmp_path / "b.nii.gz", "1 NaN or infinite")


@pytest.mark.parametrize("keep", [0.03, 0.5, 0.98])
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_file_that_is_cut_short_is_refused(tmp_path, extension, keep):
    path = tmp_path / f"cut{extension}"
    write_image(Volume(np.random.default_rng(0).integers(0, 9999, (20, 30, 40)).astype(np.int16)), path)
    data = path.with_suffix(".raw") if extension in (".nhdr", ".mhd") else path
    os.truncate(data, int(data.stat().st_size * keep))
    refused(path, "cut short or damaged")


def test_a_header_without_its_voxels_is_refused(tmp_path, volume):
    write_image(volume, tmp_path / "b.mhd")
    (tmp_path / "b.raw").unlink()
    refused(tmp_path / "b.mhd")


def test_a_broken_checksum_is_refused(tmp_path, volume):
    path = tmp_path / "b.nii.gz"
    write_image(volume, path)
    content = bytearray(path.read_bytes())
    content[-6] ^= 255
    path.write_bytes(content)
    refused(path, "damaged")


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_an_empty_file_is_refused(tmp_path, extension):
    (tmp_path / f"b{extension}").touch()
    refused(tmp_path / f"b{extension}", "empty (0 bytes)")


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_text_with_an_image_name_is_refused(tmp_path, capfd, extension):
    (tmp_path / f"b{extension}").write_text("this is a shopping list\nmilk\n")
    refused(tmp_path / f"b{extension}", "text starting with 'this is")
    assert capfd.readouterr().err == ""


def test_other_files_are_refused_with_what_they_are(tmp_path):
    (tmp_path / "brain.png").write_bytes(b"\x89PNG....")
    refused(tmp_path / "brain.png", "PNG", ".nrrd")


def test_a_missing_file_is_refused_with_the_nearest_name(tmp_path, volume):
    write_image(volume, tmp_path / "brain.nii.gz")
    refused(tmp_path / "brian.nii.gz", "no file or folder", "did you mean 'brain.nii.gz'?")
    refused(tmp_path / "nowhere" / "x.nii", "folder", "does not exist")


@pytest.mark.parametrize("extension", [".nii.gz", ".nrrd", ".mha"])
def test_colour_and_vectors_are_refused(tmp_path, extension):
    path = tmp_path / f"rgb{extension}"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((4, 5, 6, 3), np.uint8), isVector=True), str(path))
    refused(path, "3 components per voxel", "Convert it to grey first.")


def test_true_rgb_nifti_is_refused(tmp_path):
    rgb = np.zeros((4, 5, 6), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    nibabel.save(nibabel.Nifti1Image(rgb, np.eye(4)), tmp_path / "rgb.nii.gz")
    refused(tmp_path / "rgb.nii.gz", "3 components per voxel (RGB")


def test_complex_images_are_refused(tmp_path):
    nibabel.save(nibabel.Nifti1Image(FLOATS.astype(np.complex64), np.eye(4)), tmp_path / "kspace.nii.gz")
    refused(tmp_path / "kspace.nii.gz", "complex", "magnitude")


@pytest.mark.parametrize("extension", [".nii.gz", ".nrrd", ".mha"])
def test_five_axes_are_refused(tmp_path, extension):
    path = tmp_path / f"five{extension}"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 2, 3, 4, 5), np.float32), isVector=False), str(path))
    refused(path, "5 axes", "Split it")


def test_a_sheared_grid_is_refused(tmp_path):
    affine = np.eye(4)
    affine[0, 1] = 0.2
    nibabel.save(nibabel.Nifti1Image(FLOATS, affine), tmp_path / "sheared.nii.gz")
    refused(tmp_path / "sheared.nii.gz", "right angles", "resample")
    text = "NRRD0004\ntype: uchar\ndimension: 3\nspace: LPS\nsizes: 2 2 2\nencoding: raw\n"
    text += "space directions: (1,0,0) (0.3,1,0) (0,0,1)\nspace origin: (0,0,0)\nkinds: domain domain domain\n\n"
    (tmp_path / "sheared.nrrd").write_bytes(text.encode() + bytes(8))
    refused(tmp_path / "sheared.nrrd", "right angles")


def test_pairs_are_refused_by_name(tmp_path):
    nibabel.save(nibabel.Nifti1Pair(FLOATS, np.eye(4)), tmp_path / "pair.hdr")
    (tmp_path / "pair.hdr").rename(tmp_path / "pair.nii")
    refused(tmp_path / "pair.nii", ".hdr/.img")


def test_series_is_only_for_dicom(tmp_path, volume):
    write_image(volume, tmp_path / "b.nrrd")
    with pytest.raises(InputError, match="not DICOM"):
        read(tmp_path / "b.nrrd", series="1.2")
