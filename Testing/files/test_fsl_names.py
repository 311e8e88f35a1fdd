"""The b-values and directions of FSL's and the HCP's folders, whatever they are called there. Faults D2 and D3."""

import warnings

import numpy as np
import pytest

from SuperResolutionLib.files import ScanWarning, read, write
from SuperResolutionLib.volume import Volume

BVECS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.8, 0], [0.6, 0, 0.8], [0, 0.6, 0.8]])


def rows(vectors):
    return "\n".join(" ".join(str(n) for n in row) for row in np.asarray(vectors).T) + "\n"


@pytest.fixture
def folder(tmp_path, series):
    """data.nii.gz of seven volumes, and bvals and bvecs beside it."""
    write(Volume(series.voxels), tmp_path / "data.nii.gz")
    (tmp_path / "bvals").write_text("5 1000 1000 1000 2000 2000 2000\n")
    (tmp_path / "bvecs").write_text(rows(BVECS))
    return tmp_path


def test_bare_bvals_and_bvecs_are_found(folder):
    """Fault D2: the gradients were lost silently, and the structural model taken."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read(folder / "data.nii.gz").gradients
    assert found.bvals.tolist() == [5, 1000, 1000, 1000, 2000, 2000, 2000]
    assert found.bvecs == pytest.approx(BVECS * (-1, 1, 1))


@pytest.mark.parametrize("extension", [".nii", ".mha", ".nrrd"])
def test_they_are_found_beside_any_format(folder, series, extension):
    write(Volume(series.voxels), folder / f"other{extension}")
    assert read(folder / f"other{extension}").gradients is not None


@pytest.mark.parametrize("names", [("bval", "bvec"), ("bvals", "bvec")])
def test_without_the_s_they_are_found_too(folder, names):
    """Sibling of D2."""
    (folder / "bvals").rename(folder / names[0])
    (folder / "bvecs").rename(folder / names[1])
    assert read(folder / "data.nii.gz").gradients is not None


def test_a_series_of_another_length_is_told_of_them(folder, series):
    """Fault D2: where the counts do not fit, it is said."""
    write(Volume(series.voxels[:4]), folder / "bold.nii.gz")
    with pytest.warns(
        ScanWarning, match="bold.nii.gz has 4 volumes, and bvals beside it 7 b-values; it was read without"
    ):
        assert read(folder / "bold.nii.gz").gradients is None


def test_a_single_volume_beside_them_is_left_in_peace(folder, series):
    write(Volume(series.voxels[0]), folder / "nodif.nii.gz")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(folder / "nodif.nii.gz").gradients is None


def test_a_pair_of_the_image_s_own_name_goes_first(folder):
    (folder / "data.bval").write_text("0 1 1 1 1 1 3000\n")
    (folder / "data.bvec").write_text(rows(BVECS))
    assert read(folder / "data.nii.gz").gradients.bvals[-1] == 3000


@pytest.mark.parametrize("bval", ["0", "5", "50"])
def test_nan_where_b_is_0_is_no_direction(folder, bval):
    """Fault D3: it was refused."""
    (folder / "bvals").write_text(f"{bval} 1000 1000 1000 2000 2000 2000\n")
    vectors = BVECS.copy()
    vectors[0] = np.nan
    (folder / "bvecs").write_text(rows(vectors))
    with pytest.warns(ScanWarning, match="bvecs has NaN for 1 volumes of b = 0; their directions were taken as 0 0 0"):
        found = read(folder / "data.nii.gz").gradients
    assert found.bvecs[0].tolist() == [0, 0, 0]
    assert found.bvecs[1:] == pytest.approx(BVECS[1:] * (-1, 1, 1))


def test_nan_where_b_is_not_0_is_refused(folder, refuses):
    vectors = BVECS.copy()
    vectors[3, 1] = np.nan
    (folder / "bvecs").write_text(rows(vectors))
    with refuses("bvecs has NaN or infinite numbers", "correct it"):
        read(folder / "data.nii.gz")


def test_a_negative_b_value_is_refused(folder, refuses):
    """Sibling of D3."""
    (folder / "bvals").write_text("0 1000 1000 -1000 2000 2000 2000\n")
    with refuses("bvals has a b-value below 0 (-1000 s/mm2)"):
        read(folder / "data.nii.gz")
