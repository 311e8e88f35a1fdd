"""A volume from arrays and from the images of nibabel and SimpleITK, and back: exactly, whatever the orientation."""

import subprocess
import sys

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.volume import TENSOR, Gradients, Volume

LPS = np.array([-1.0, -1.0, 1.0])
TYPES = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
MANY = settings(max_examples=40, deadline=None)


def rotation(random, left_handed):
    axes, _ = np.linalg.qr(random.normal(size=(3, 3)))
    axes[:, 0] *= np.sign(np.linalg.det(axes)) * (-1 if left_handed else 1)
    return axes


@st.composite
def volumes(draw):
    """A volume or series of any type on any grid, right- or left-handed."""
    random = np.random.default_rng(draw(st.integers(0, 10**9)))
    count, dtype = draw(st.integers(0, 3)), draw(st.sampled_from(TYPES))
    shape = (*([count + 1] if count else []), *random.integers(1, 6, 3))
    voxels = random.integers(0, 99, shape).astype(dtype)
    spacing, origin = random.uniform(0.2, 6, 3).tolist(), random.uniform(-300, 300, 3).tolist()
    return Volume.from_numpy(voxels, spacing, origin=origin, direction=rotation(random, draw(st.booleans())))


def place(volume, x, y, z):
    """Where a voxel lies, LPS mm, by the definition of the fields."""
    return np.array(volume.origin) + volume.direction @ (np.array(volume.spacing) * (x, y, z))


@MANY
@given(volume=volumes())
def test_nibabel_finds_every_voxel_where_it_is(volume):
    image = volume.to_nibabel()
    index = (2, 1, 3)
    assert (image.affine @ [*index, 1])[:3] == pytest.approx(LPS * place(volume, *index), abs=2e-4)
    assert image.get_data_dtype() == volume.voxels.dtype
    assert np.array_equal(np.asarray(image.dataobj), volume.voxels.T)


@MANY
@given(volume=volumes())
def test_simpleitk_finds_every_voxel_where_it_is(volume):
    image = volume.to_sitk()
    series = volume.voxels.ndim == 4
    assert image.TransformContinuousIndexToPhysicalPoint((2.0, 1.0, 3.0, *[0.0] * series))[:3] == pytest.approx(
        place(volume, 2, 1, 3), abs=1e-9
    )
    assert np.array_equal(sitk.GetArrayFromImage(image), volume.voxels)


def same(one, other, within):
    assert one.voxels.dtype == other.voxels.dtype
    expected = other.voxels[0] if other.voxels.ndim == 4 and len(other.voxels) == 1 else other.voxels
    assert np.array_equal(one.voxels, expected)
    assert one.spacing == pytest.approx(other.spacing, rel=1e-6)
    assert np.abs(one.bounds() - other.bounds()).max() < within


@MANY
@given(volume=volumes())
def test_a_volume_survives_the_way_through_nibabel(volume):
    same(Volume.from_nibabel(volume.to_nibabel()), volume, 5e-4)


@MANY
@given(volume=volumes())
def test_a_volume_survives_the_way_through_simpleitk(volume):
    same(Volume.from_sitk(volume.to_sitk()), volume, 1e-9)


@MANY
@given(seed=st.integers(0, 10**9), left=st.booleans(), kind=st.sampled_from(["Nifti1Image", "Nifti2Image", "MGHImage"]))
def test_an_image_of_nibabel_lies_where_its_affine_says(seed, left, kind):
    random = np.random.default_rng(seed)
    affine = nibabel.affines.from_matvec(
        rotation(random, left) * random.uniform(0.5, 4, 3), random.uniform(-100, 100, 3)
    )
    voxels = random.integers(0, 99, (3, 4, 5)).astype(np.int16)
    volume = Volume.from_nibabel(getattr(nibabel, kind)(voxels, affine))
    assert np.array_equal(volume.voxels, voxels.T)
    assert LPS * place(volume, 1, 2, 3) == pytest.approx((affine @ [1, 2, 3, 1])[:3], abs=1e-3)


def test_a_scaled_image_on_disk_is_scaled_once(tmp_path):
    image = nibabel.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
    image.header.set_slope_inter(2.5, -3)
    nibabel.save(image, tmp_path / "a.nii")
    loaded = nibabel.load(tmp_path / "a.nii")
    found = Volume.from_nibabel(loaded)
    assert found.voxels.dtype == np.float32
    assert found.voxels == pytest.approx(loaded.get_fdata().T)
    assert Volume.from_nibabel(image).voxels.dtype == np.int16


def test_a_repetition_time_and_a_code_go_through_nibabel():
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5, 6), np.float32), np.eye(4))
    image.header.set_zooms((1, 1, 1, 2.5))
    image.header.set_sform(np.eye(4), 4)
    header = Volume.from_nibabel(image).to_nibabel().header
    assert header.get_zooms() == (1, 1, 1, 2.5)
    assert header["sform_code"] == 4


def test_an_image_with_a_fourth_axis_of_one_keeps_it():
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5, 1), np.float32), np.eye(4))
    volume = Volume.from_nibabel(image)
    assert volume.voxels.shape == (5, 4, 3)
    assert volume.to_nibabel().shape == (3, 4, 5, 1)


@pytest.mark.parametrize("given_image", [np.zeros((3, 4, 5)), "a.nii", None])
def test_what_is_no_image_is_refused(refuses, given_image):
    for door in (Volume.from_nibabel, Volume.from_sitk):
        with refuses("A volume cannot be made of", "; give a"):
            door(given_image)


def test_analyze_and_colours_and_complex_images_are_refused(refuses):
    with refuses("AnalyzeImage", "Nifti1Image"):
        Volume.from_nibabel(nibabel.AnalyzeImage(np.zeros((3, 4, 5), np.int16), np.eye(4)))
    with refuses("complex"):
        Volume.from_nibabel(nibabel.Nifti1Image(np.zeros((3, 4, 5), np.complex64), np.eye(4)))
    with refuses("3 components per voxel"):
        Volume.from_sitk(sitk.GetImageFromArray(np.zeros((3, 4, 5, 3), np.uint8), isVector=True))
    with refuses("complex"):
        Volume.from_sitk(sitk.Image([3, 4, 5], sitk.sitkComplexFloat32))


def test_tensors_stay_with_us(refuses):
    tensors = Volume(np.zeros((6, 3, 4, 5), np.float32), quantity=TENSOR)
    for door in (tensors.to_nibabel, tensors.to_sitk):
        with refuses("A tensor volume cannot be"):
            door()


def test_nan_voxels_are_refused_as_from_a_file(refuses):
    voxels = np.zeros((3, 4, 5), np.float32)
    voxels[0, 0, 0] = np.nan
    with refuses("The image has 1 NaN or infinite voxels of 60"):
        Volume.from_nibabel(nibabel.Nifti1Image(voxels, np.eye(4)))


def test_gradients_go_through_from_numpy():
    gradients = Gradients(np.array([0.0, 1000]), np.array([[0, 0, 0], [1.0, 0, 0]]))
    assert Volume.from_numpy(np.zeros((2, 3, 4, 5)), (1, 1, 2), gradients=gradients).gradients is gradients


@pytest.mark.parametrize("shape", [(4, 32, 32, 3), (40, 64, 64, 4)])
def test_colours_are_no_series(refuses, shape):
    """Fault G: (4, 32, 32, 3) was taken for a series of four volumes."""
    with refuses(f"{shape} looks like colours", "grey"):
        Volume(np.zeros(shape, np.uint8))
    with refuses("looks like colours"):
        Volume.from_numpy(np.zeros(shape), (1, 2, 3))


def test_without_nibabel_one_sentence_says_so(monkeypatch, refuses):
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with refuses("nibabel", "is not installed here", "pip install nibabel", ".nrrd"):
        Volume(np.zeros((3, 4, 5))).to_nibabel()


ALONE = """
import sys, tempfile, pathlib
import numpy as np
import SuperResolutionLib as sr
volume = sr.Volume.from_numpy(np.zeros((3, 4, 5), np.int16), (1, 1, 2))
repr(volume), volume._repr_html_()
heavy = {"torch", "SimpleITK", "pydicom", "skimage", "nibabel", "matplotlib", "PIL"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
from SuperResolutionLib.files import nrrd, nrrd_header
path = pathlib.Path(tempfile.mkdtemp()) / "a.nhdr"
nrrd.write_nrrd(volume, path)
nrrd.read_scalars(path, *nrrd_header.parsed(path))
sr.write(volume, path.with_suffix(".nrrd"))
assert np.array_equal(sr.read(path.with_suffix(".nrrd")).voxels, volume.voxels)
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""


def test_a_volume_and_nrrd_need_none_of_the_large_libraries():
    """Slicer's engine exchanges NRRD and has no nibabel."""
    run = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_errors_are_input_errors():
    assert issubclass(InputError, ValueError)
