"""The diffusion weighting beside and inside images: .bval/.bvec and NRRD's own keys."""

import os
import warnings
from dataclasses import replace

import numpy as np
import pytest

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import ScanWarning, read, write
from SuperResolutionLib.files.gradients import read_fsl
from SuperResolutionLib.volume import Gradients, Volume


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
    (tmp_path / "b.bvecs").write_text("0 0.6\n0 0.8\n0 0\n")
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


def test_directions_without_b_values_are_left_with_a_warning(tmp_path, series):
    write(series, tmp_path / "a.nii.gz")
    (tmp_path / "a.bval").unlink()
    with pytest.warns(ScanWarning, match=r"no \.bval"):
        assert read(tmp_path / "a.nii.gz").gradients is None


def fsl(folder, series, bval, bvec):
    """An image with these two files beside it."""
    write(Volume(series.voxels), folder / "a.nii.gz")
    (folder / "a.bval").write_text(bval)
    (folder / "a.bvec").write_text(bvec)
    return folder / "a.nii.gz"


SEVEN = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.8, 0], [0.6, 0, 0.8], [0, 0.6, 0.8]])


def table(rows):
    return "\n".join(" ".join(f"{n:.6f}" for n in row) for row in rows) + "\n"


def test_transposed_directions_are_read_as_they_are_meant_with_a_note(tmp_path, series):
    path = fsl(tmp_path, series, "0\n1000\n1000\n1000\n1000\n1000\n1000\n", table(SEVEN))
    with pytest.warns(ScanWarning, match=r"a\.bvec has a direction per line.*read transposed"):
        found = read(path).gradients
    assert found.bvals.tolist() == [0] + [1000] * 6
    assert found.bvecs == pytest.approx(SEVEN * (-1, 1, 1), abs=1e-6)


def test_directions_rounded_to_two_digits_become_unit_vectors_without_a_word(tmp_path, series):
    path = fsl(tmp_path, series, "0" + " 1000" * 6, table(np.round(SEVEN * 0.993, 2).T))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read(path).gradients
    assert np.linalg.norm(found.bvecs, axis=1) == pytest.approx([0, 1, 1, 1, 1, 1, 1])


def test_directions_far_from_unit_length_are_scaled_to_it_with_a_note(tmp_path, series):
    path = fsl(tmp_path, series, "0" + " 1000" * 6, table((SEVEN * [[1], [1], [0.7], [1], [1], [3], [1]]).T))
    with pytest.warns(ScanWarning, match=r"a\.bvec has 2 directions that are not of unit length \(0\.7 to 3\)"):
        found = read(path).gradients
    assert found.bvals.tolist() == [0] + [1000] * 6
    assert found.bvecs == pytest.approx(SEVEN * (-1, 1, 1), abs=1e-6)


def test_the_longest_nrrd_direction_has_the_nominal_b_value(tmp_path):
    """Fault D1: Slicer computes b (|g| / max |g|)^2."""
    (tmp_path / "a.nrrd").write_bytes(NRRD.format(kind="list", keys=KEYS).encode() + bytes(16))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read(tmp_path / "a.nrrd").gradients
    assert found.bvals == pytest.approx([0, 2000])
    assert np.linalg.norm(found.bvecs, axis=1) == pytest.approx([0, 1])


def test_a_direction_at_b_0_is_none(tmp_path, series):
    path = fsl(tmp_path, series, "0" + " 1000" * 6, table(np.vstack([[1, 0, 0], SEVEN[1:]]).T))
    assert read(path).gradients.bvecs[0].tolist() == [0, 0, 0]


def test_a_weighted_volume_without_direction_is_warned_about(tmp_path, series):
    path = fsl(
        tmp_path, series, "0 30 1000 1000 1000 1000 1000", table((SEVEN * [[1], [0], [1], [0], [1], [0], [1]]).T)
    )
    with pytest.warns(ScanWarning, match=r"a\.nii\.gz has weighted volumes without a direction \(2 of 7: 4, 6\)"):
        assert read(path).gradients.bvals[3] == 1000


@pytest.mark.parametrize("extension", [".nii.gz", ".nrrd"])
def test_a_series_without_any_weighting_is_read_with_a_warning(tmp_path, series, extension):
    unweighted = Gradients(np.array([0, 0, 5, 0, 0, 0, 0.0]), np.zeros((7, 3)))
    write(replace(series, gradients=unweighted), tmp_path / f"a{extension}")
    with pytest.warns(ScanWarning, match="no diffusion weighting: none of its 7 b-values is above 50"):
        assert read(tmp_path / f"a{extension}").count == 7


def test_a_single_b0_is_read_without_a_warning(tmp_path, series):
    write(Volume(series.voxels[0], gradients=Gradients(np.zeros(1), np.zeros((1, 3)))), tmp_path / "a.nii.gz")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(tmp_path / "a.nii.gz")


@pytest.mark.parametrize("extension", [".nrrd", ".nhdr"])
@pytest.mark.parametrize("count", [2, 6])
def test_a_short_series_in_nrrd_keeps_its_gradients_beside_it_too(tmp_path, make, extension, count):
    short = make.diffusion_series(make.rotation(5), count)
    with pytest.warns(
        ScanWarning, match=rf"only {count} volumes: Slicer may save .* fewer than 7 .* a\.bval and a\.bvec"
    ):
        write(short, tmp_path / f"a{extension}")
    assert np.abs(read(tmp_path / f"a{extension}").gradients.bvecs - short.gradients.bvecs).max() < 1e-6
    beside = read_fsl(tmp_path / "a.nii.gz", count, short.direction)
    assert np.abs(beside.bvecs - short.gradients.bvecs).max() < 1e-6


def test_a_series_of_seven_in_nrrd_has_nothing_beside_it(tmp_path, series):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write(series, tmp_path / "a.nrrd")
    assert [p.name for p in tmp_path.iterdir()] == ["a.nrrd"]


@pytest.mark.parametrize("extension", [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha"])
def test_a_series_that_ends_within_its_last_volume_is_refused(tmp_path, series, refuses, extension):
    write(series, tmp_path / f"a{extension}")
    cut = tmp_path / ("a.raw" if extension == ".nhdr" else f"a{extension}")
    os.truncate(cut, cut.stat().st_size - 40)
    with refuses(f"a{extension}", "cut short or damaged", "again"):
        read(tmp_path / f"a{extension}")


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
    assert volume.gradients.bvals == pytest.approx([0, 2000])
    assert volume.gradients.bvecs[1] == pytest.approx([0, -np.sqrt(0.5), np.sqrt(0.5)])


def test_an_nrrd_vector_that_is_no_series_is_refused(tmp_path):
    (tmp_path / "a.nrrd").write_bytes(NRRD.format(kind="vector", keys="a:=b").encode() + bytes(16))
    with pytest.raises(InputError, match="2 components per voxel"):
        read(tmp_path / "a.nrrd")


def test_nrrd_gradients_that_are_not_numbers_are_refused(tmp_path, refuses):
    (tmp_path / "a.nrrd").write_bytes(
        NRRD.format(kind="list", keys=KEYS.replace("0.5 0 0.5", "nan 0 1")).encode() + bytes(16)
    )
    with refuses("a.nrrd says it is diffusion", "NaN"):
        read(tmp_path / "a.nrrd")


def test_nrrd_gradients_that_are_not_whole_are_refused(tmp_path):
    (tmp_path / "a.nrrd").write_bytes(NRRD.format(kind="list", keys=KEYS.rpartition("\n")[0]).encode() + bytes(16))
    with pytest.raises(InputError, match="2 volumes, 1 gradients"):
        read(tmp_path / "a.nrrd")
