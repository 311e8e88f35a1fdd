"""Gradients in NRRD headers: as Slicer reads them, however their keys are written. Fault D1."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from SuperResolutionLib.files import ScanWarning, read, write
from SuperResolutionLib.volume import Gradients, Volume

SIX = [(0, 0, 0), (1, 0, 1), (-1, 0, 1), (0, 1, 1), (0, 1, -1), (1, 1, 0), (-1, 1, 0)]


def dwi(path, vectors=SIX, bval="1000", key="DWMRI_gradient_{:04d}", changes=()):
    """A series of 2 x 2 x 2 voxels, each volume of one value, with these gradients."""
    lines = [
        "NRRD0005",
        "type: short",
        "dimension: 4",
        "space: left-posterior-superior",
        f"sizes: 2 2 2 {len(vectors)}",
        "space directions: (2,0,0) (0,2,0) (0,0,3) none",
        "kinds: space space space list",
        "endian: little",
        "encoding: raw",
        "space origin: (1,2,3)",
        "measurement frame: (1,0,0) (0,1,0) (0,0,1)",
        "modality:=DWMRI",
        f"DWMRI_b-value:={bval}",
        *(f"{key.format(k)}:={' '.join(map(str, v))}" for k, v in enumerate(vectors)),
    ]
    text = "\n".join(lines) + "\n\n"
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_bytes(text.encode() + np.repeat(np.arange(len(vectors), dtype="<i2"), 8).tobytes())
    return path


def test_vectors_of_any_length_share_the_nominal_b_value(tmp_path):
    """Fault D1: b was read as 2000, and the diffusivity halved."""
    found = read(dwi(tmp_path / "a.nrrd")).gradients
    assert found.bvals == pytest.approx([0] + [1000] * 6)
    assert np.linalg.norm(found.bvecs[1:], axis=1) == pytest.approx(1)


def test_a_shorter_vector_has_the_square_of_its_share(tmp_path):
    found = read(dwi(tmp_path / "a.nrrd", [(0, 0, 0), (2, 0, 0), (0, 1, 0)])).gradients
    assert found.bvals == pytest.approx([0, 1000, 250])


def test_keys_without_zeros_are_sorted_as_numbers(tmp_path):
    """Fault D1: gradient_10 came before gradient_2."""
    vectors = [(0, 0, 0), *((np.cos(k), np.sin(k), 0.0) for k in range(1, 13))]
    found = read(dwi(tmp_path / "a.nrrd", vectors, key="DWMRI_gradient_{:d}")).gradients
    assert found.bvecs == pytest.approx(np.array(vectors, dtype=float))


CAPITALS = [
    [("space:", "SPACE:"), ("sizes:", "Sizes:"), ("space origin:", "Space Origin:")],
    [("measurement frame:", "Measurement Frame:"), ("space directions:", "Space Directions:")],
    [("modality:=DWMRI", "Modality:=dwmri"), ("DWMRI_b-value", "dwmri_B-Value")],
    [("DWMRI_gradient", "DWMRI_Gradient")],
    [("type: short", "Type: Signed Short"), ("encoding: raw", "Encoding: RAW"), ("endian: little", "Endian: Little")],
    [("kinds: space space space list", "Kinds: Space Space Space List")],
    [("space: left-posterior-superior", "space: Left-Posterior-Superior")],
    [("space: left-posterior-superior", "space: LPS")],
    [("kinds: space space space list", "kinds: space space space vector")],
    [("(0,0,3) none", "(0,0,3) NONE")],
    [("(2,0,0) (0,2,0)", "( 2, 0, 0 )  (0,2,0)")],
]


@pytest.mark.parametrize("changes", CAPITALS)
def test_capitals_make_no_difference(tmp_path, changes):
    """Fault D1: field names in capitals were not known."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain, other = read(dwi(tmp_path / "a.nrrd")), read(dwi(tmp_path / "b.nrrd", changes=changes))
    assert np.array_equal(other.voxels, plain.voxels)
    assert other.bounds() == pytest.approx(plain.bounds())
    assert other.gradients.bvals == pytest.approx(plain.gradients.bvals)
    assert other.gradients.bvecs == pytest.approx(plain.gradients.bvecs)


@pytest.mark.parametrize(
    ("vectors", "bval", "words"),
    [
        (SIX, "nan", ["b-value nan"]),
        (SIX, "-1000", ["b-value -1000"]),
        (SIX, "many", ["cannot be read"]),
        ([*SIX[:6], (1, 0)], "1000", ["cannot be read"]),
        ([*SIX[:6], ("inf", 0, 0)], "1000", ["NaN or infinite"]),
    ],
)
def test_gradients_that_are_not_whole_are_refused(tmp_path, refuses, vectors, bval, words):
    with refuses("a.nrrd says it is diffusion", *words, "Convert it again"):
        read(dwi(tmp_path / "a.nrrd", vectors, bval))


def test_two_keys_of_one_number_are_refused(tmp_path, refuses):
    changes = [("DWMRI_gradient_0006:=", "DWMRI_gradient_7:=1 0 0\nDWMRI_gradient_007:=")]
    with refuses("7 volumes, 8 gradients"):
        read(dwi(tmp_path / "a.nrrd", changes=changes))


def test_weighted_volumes_without_a_direction_are_never_written_as_b0(tmp_path):
    """Sibling of D1: in NRRD a b-value is a length; trace images of b 1000 became b 0, others 1000 for 700."""
    bvals = np.array([0.0, 700, 700, 1000, 700, 700, 700, 700])
    bvecs = np.random.default_rng(0).normal(size=(8, 3))
    bvecs /= np.linalg.norm(bvecs, axis=1)[:, None]
    bvecs[[0, 3]] = 0
    series = Volume(np.zeros((8, 2, 2, 2), np.int16), (2, 2, 3), gradients=Gradients(bvals, bvecs))
    with pytest.warns(ScanWarning, match=r"cannot state b-values without a direction.* a\.bval and a\.bvec only"):
        write(series, tmp_path / "a.nrrd")
    with pytest.warns(ScanWarning, match="without a direction"):
        found = read(tmp_path / "a.nrrd").gradients
    assert found.bvals == pytest.approx(bvals)
    assert found.bvecs == pytest.approx(bvecs, abs=1e-9)


def test_what_was_read_from_any_lengths_is_written_so_that_it_reads_the_same(tmp_path):
    volume = read(
        dwi(tmp_path / "a.nrrd", [(0, 0, 0), (2, 0, 0), (0, 1, 0), (0, 0, 3), (1, 1, 1), (1, 0, 0), (2, 2, 2)])
    )
    write(replace(volume, voxels=volume.voxels + 1), tmp_path / "b.nrrd")
    back = read(tmp_path / "b.nrrd").gradients
    assert back.bvals == pytest.approx(volume.gradients.bvals)
    assert back.bvecs == pytest.approx(volume.gradients.bvecs)
