"""The diffusion weighting beside and inside images: .bval/.bvec and NRRD's own keys."""

import numpy as np
import pytest

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import ScanWarning, read, write
from SuperResolutionLib.volume import Volume


@pytest.mark.parametrize("left_handed", [False, True])
@pytest.mark.parametrize("extension", [".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha"])
def test_gradients_come_back_on_any_grid(tmp_path, make, extension, left_handed):
    series = make.diffusion_series(make.rotation(11, left_handed))
    write(series, tmp_path / f"dwi{extension}")
    back = read(tmp_path / f"dwi{extension}").gradients
    assert np.abs(back.bvals - series.gradients.bvals).max() < 1e-6
    assert np.abs(back.bvecs - series.gradients.bvecs).max() < 1e-6


@pytest.mark.parametrize("left_handed", [False, True])
def test_the_numbers_of_a_bvec_file_survive_a_round_trip(tmp_path, make, left_handed):
    series = make.diffusion_series(make.rotation(12, left_handed))
    write(series, tmp_path / "a.nii.gz")
    numbers = np.round(np.loadtxt(tmp_path / "a.bvec"), 6)
    np.savetxt(tmp_path / "a.bvec", numbers, fmt="%.6f")
    write(read(tmp_path / "a.nii.gz"), tmp_path / "b.nii.gz")
    assert np.abs(np.loadtxt(tmp_path / "b.bvec") - numbers).max() < 1e-6
    assert np.array_equal(np.loadtxt(tmp_path / "b.bval"), np.loadtxt(tmp_path / "a.bval"))


def test_fsl_vectors_are_in_voxel_axes_with_x_reversed_on_right_handed_grids(tmp_path):
    """RAS affine diag(-1, -1, 1) has a positive determinant: LPS identity; FSL reverses its x."""
    series = Volume(np.zeros((2, 2, 2, 2), np.int16))
    write(series, tmp_path / "a.nii.gz")
    (tmp_path / "a.bval").write_text("0 1000\n")
    (tmp_path / "a.bvec").write_text("0 0.6\n0 0.8\n0 0\n")
    assert read(tmp_path / "a.nii.gz").gradients.bvecs[1] == pytest.approx([-0.6, 0.8, 0])
    left = Volume(series.voxels, direction=np.diag([1.0, -1, 1]))
    write(left, tmp_path / "b.nii.gz")
    (tmp_path / "b.bvals").write_text("0 1000")
    (tmp_path / "b.bvecs").write_text("0 0 0\n0.6 0.8 0\n")
    assert read(tmp_path / "b.nii.gz").gradients.bvecs[1] == pytest.approx([0.6, -0.8, 0])


def test_no_files_mean_no_gradients(tmp_path, series):
    write(Volume(series.voxels), tmp_path / "a.nii.gz")
    assert read(tmp_path / "a.nii.gz").gradients is None


@pytest.mark.parametrize(
    ("bval", "bvec", "words"),
    [
        ("0 1000", "0 1\n0 0\n0 0", ["7 volumes", "2 b-values"]),
        ("0 1 2 3 4 5 6", "0 1\n0 0\n0 0", ["7 volumes", "3 x 2"]),
        ("zero", "0 1\n0 0\n0 0", ["a.bval", "not a table of numbers"]),
        ("0 1 2 3 4 5 6", "0 1\n0 0 2\n0 0", ["a.bvec", "not a table of numbers"]),
        ("0 1 2 3 4 5 nan", "0", ["a.bval", "NaN"]),
    ],
)
def test_gradients_that_do_not_fit_are_refused(tmp_path, series, bval, bvec, words):
    write(Volume(series.voxels), tmp_path / "a.nii.gz")
    (tmp_path / "a.bval").write_text(bval)
    (tmp_path / "a.bvec").write_text(bvec)
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a.nii.gz")
    assert all(word in str(caught.value) for word in words)


def test_half_a_pair_is_left_with_a_warning(tmp_path, series):
    write(series, tmp_path / "a.nii.gz")
    (tmp_path / "a.bvec").unlink()
    with pytest.warns(ScanWarning, match=r"no \.bvec"):
        assert read(tmp_path / "a.nii.gz").gradients is None


NRRD = """NRRD0005
type: uchar
dimension: 4
space: right-anterior-superior
sizes: 2 2 2 2
space directions: (1,0,0) (0,1,0) (0,0,1) none
kinds: domain domain domain {kind}
encoding: raw
space origin: (1,2,3)
measurement frame: (0,1,0) (1,0,0) (0,0,1)
{keys}

"""
KEYS = "modality:=DWMRI\nDWMRI_b-value:=2000\nDWMRI_gradient_0000:=0 0 0\nDWMRI_gradient_0001:=0.5 0 0.5"


def test_nrrd_gradients_go_through_the_measurement_frame_and_space(tmp_path):
    (tmp_path / "a.nrrd").write_bytes(NRRD.format(kind="vector", keys=KEYS).encode() + bytes(range(16)))
    volume = read(tmp_path / "a.nrrd")
    assert volume.origin == (-1, -2, 3)
    assert volume.voxels[1].ravel().tolist() == list(range(8, 16))
    assert volume.gradients.bvals == pytest.approx([0, 1000])
    assert volume.gradients.bvecs[1] == pytest.approx([0, -np.sqrt(0.5), np.sqrt(0.5)])


def test_an_nrrd_vector_that_is_no_series_is_refused(tmp_path):
    (tmp_path / "a.nrrd").write_bytes(NRRD.format(kind="vector", keys="a:=b").encode() + bytes(16))
    with pytest.raises(InputError, match="2 components per voxel"):
        read(tmp_path / "a.nrrd")


def test_nrrd_gradients_that_are_not_whole_are_refused(tmp_path):
    (tmp_path / "a.nrrd").write_bytes(NRRD.format(kind="list", keys=KEYS.rpartition("\n")[0]).encode() + bytes(16))
    with pytest.raises(InputError, match="2 volumes, 1 gradients"):
        read(tmp_path / "a.nrrd")
