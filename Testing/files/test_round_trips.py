"""A diffusion series means the same in every format: the tensors fitted to it point the same way in the patient."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phantoms import grids
from scipy.spatial.transform import Rotation

from SuperResolutionLib.files import read, write
from SuperResolutionLib.volume import Gradients, Volume

ROUTES = [[".nii.gz"], [".nrrd"], [".nhdr"], [".mha"], [".nii.gz", ".nrrd"], [".nrrd", ".nii.gz", ".nhdr", ".nii"]]
LIMIT = 0.1  # degrees
MANY = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def directions(seed, count):
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1)[:, None]


def tensors(shape, seed):
    """A tensor per voxel, elongated along a random axis: (*shape, 3, 3) in mm2/s, LPS, and the axes (*shape, 3)."""
    turns = Rotation.random(int(np.prod(shape)), random_state=seed).as_matrix()
    whole = turns @ np.diag([1.6e-3, 0.5e-3, 0.2e-3]) @ turns.transpose(0, 2, 1)
    return whole.reshape(*shape, 3, 3), turns[:, :, 0].reshape(*shape, 3)


def phantom(grid, seed, count=12):
    """A series on a grid whose voxels are what its tensors give in random directions, and the axes of the tensors."""
    bvecs, bvals = directions(seed, count), np.where(np.arange(count) % 3, 1000.0, 700.0)
    bvecs[0], bvals[0] = 0, 0
    truth, axes = tensors(grid.voxels.shape, seed)
    weakened = np.einsum("ti,zyxij,tj->tzyx", bvecs, truth, bvecs)
    signal = 1000 * np.exp(-bvals[:, None, None, None] * weakened)
    return replace(grid, voxels=signal.astype(np.float32), gradients=Gradients(bvals, bvecs)), axes


def principal(volume):
    """The principal directions (z, y, x, 3) in LPS of tensors fitted by least squares to the logarithms."""
    x, y, z = volume.gradients.bvecs.T
    weights = np.stack([x * x, y * y, z * z, 2 * x * y, 2 * x * z, 2 * y * z], axis=1)
    design = np.column_stack([-volume.gradients.bvals[:, None] * weights, np.ones(volume.count)])
    logarithms = np.log(volume.voxels.astype(np.float64).reshape(volume.count, -1))
    fitted = np.linalg.lstsq(design, logarithms, rcond=None)[0][[0, 3, 4, 3, 1, 5, 4, 5, 2]]
    return np.linalg.eigh(fitted.T.reshape(*volume.voxels.shape[1:], 3, 3))[1][..., 2]


def angle(one, other):
    """The largest angle between axes, degrees."""
    return float(np.degrees(np.arccos(np.clip(np.abs((one * other).sum(-1)), 0, 1))).max())


@MANY
@given(grid=grids(smallest=2, largest=3), seed=st.integers(0, 999), route=st.sampled_from(ROUTES))
def test_tensors_survive_any_route_through_the_formats(tmp_path_factory, grid, seed, route):
    series, axes = phantom(grid, seed)
    assert angle(principal(series), axes) < 0.01
    folder = tmp_path_factory.mktemp("route")
    volume = series
    for step, extension in enumerate(route):
        write(volume, folder / f"{step}{extension}")
        volume = read(folder / f"{step}{extension}")
    assert angle(principal(volume), axes) < LIMIT
    assert np.abs(volume.bounds() - series.bounds()).max() < 1e-2


def dipy_axes(path):
    """Principal directions in LPS, by nibabel, DIPY and FSL's own description of its convention alone.

    FSL: vectors in voxel axes, x reversed where the affine's determinant is positive.
    https://fsl.fmrib.ox.ac.uk/fsl/docs/#/diffusion/dtifit
    """
    nibabel = pytest.importorskip("nibabel")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gradients = pytest.importorskip("dipy.core.gradients")
        dti = pytest.importorskip("dipy.reconst.dti")
    image = nibabel.load(path)
    stem = path.with_suffix("").with_suffix("")
    vectors = np.loadtxt(stem.with_suffix(".bvec")).T
    vectors[:, 0] *= -1 if np.linalg.det(image.affine[:3, :3]) > 0 else 1
    table = gradients.gradient_table(np.loadtxt(stem.with_suffix(".bval")), bvecs=vectors)
    found = dti.TensorModel(table, fit_method="OLS").fit(image.get_fdata()).evecs[..., 0]
    ras = found @ (image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)).T
    return (ras * (-1, -1, 1)).transpose(2, 1, 0, 3)


@MANY
@given(grid=grids(smallest=2, largest=3), seed=st.integers(0, 999))
def test_nibabel_and_dipy_read_the_same_tensors_from_our_nifti(tmp_path_factory, grid, seed):
    series, axes = phantom(grid, seed)
    path = tmp_path_factory.mktemp("dipy") / "a.nii.gz"
    write(series, path)
    assert angle(dipy_axes(path), axes) < LIMIT


@pytest.mark.parametrize("normal", [1, -1])
@pytest.mark.parametrize("extension", [".nii.gz", ".nrrd"])
def test_tensors_survive_the_way_from_a_mosaic(tmp_path, make, extension, normal):
    """The same phantom as mosaics whose slices run along or against the cross product of their axes."""
    turn = Rotation.from_euler("xyz", [70, -25, 40], degrees=True).as_matrix()
    series, axes = phantom(Volume(np.zeros((5, 3, 4), np.float32), (1.5, 2, 3), (5, 6, 7), turn * (1, 1, normal)), 5)
    whole = np.rint(series.voxels * 30).astype(np.int16)
    make.mosaic(
        tmp_path / "scan", whole, normal * turn[:, 2], turn[:, :2].T.ravel().tolist(), (5, 6, 7), fields(series)
    )
    volume = read(tmp_path / "scan")
    assert volume.bounds().mean(axis=0) == pytest.approx(series.bounds().mean(axis=0), abs=1e-4)
    write(volume, tmp_path / f"a{extension}")
    expected = axes if normal > 0 else axes[::-1]
    assert angle(principal(volume), expected) < 0.3  # voxels are whole numbers
    assert angle(principal(read(tmp_path / f"a{extension}")), principal(volume)) < LIMIT


@pytest.mark.parametrize("extension", [".nii.gz", ".nrrd"])
def test_tensors_survive_the_way_from_an_enhanced_file(tmp_path, make, extension):
    axes = np.array([make.SAGITTAL[:3], make.SAGITTAL[3:]])
    direction = np.vstack([axes, np.cross(*axes)]).T
    series, directions = phantom(Volume(np.zeros((3, 4, 5), np.float32), (1.5, 2, 4), (0, 0, 0), direction), 6)
    whole = np.rint(series.voxels * 30).astype(np.int16)
    path = make.enhanced(tmp_path / "e.dcm", whole, series.gradients.bvals.tolist(), series.gradients.bvecs)
    volume = read(path)
    assert np.abs(volume.bounds() - series.bounds()).max() < 1e-4
    write(replace(volume, voxels=volume.voxels + 1), tmp_path / f"a{extension}")  # the made file's intercept is -1
    assert angle(principal(read(tmp_path / f"a{extension}")), directions) < 0.3


def fields(series):
    """What the CSA header of a mosaic says of each volume."""
    found = []
    for bval, vector in zip(series.gradients.bvals, series.gradients.bvecs, strict=True):
        stated = {"DiffusionGradientDirection": ("FD", [f"{n:.8f}" for n in vector])} if bval else {}
        found.append({"B_value": ("IS", [str(int(bval))]), **stated})
    return found
