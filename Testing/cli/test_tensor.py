"""superresolution tensor: a folder of maps, whole or not at all."""

import json
import sys
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from known_tensors import shelled

from SuperResolutionLib import files
from SuperResolutionLib.cli import tensor as module
from SuperResolutionLib.diffusion.tensors import fit_tensors
from SuperResolutionLib.files import vectors
from SuperResolutionLib.volume import Gradients, Volume

NAMES = {
    *(f"{name}.nii.gz" for name in ("FA", "MD", "AD", "RD")),
    *("colour-FA.nrrd", "direction.nrrd", "tensor.nrrd", "tensor.json"),
}


@pytest.fixture
def dwi(tmp_path):
    """A series of a ball with noise, 7 directions, int16."""
    rng = np.random.default_rng(0)
    z, y, x = np.meshgrid(np.linspace(-1, 1, 6), *[np.linspace(-1, 1, 20)] * 2, indexing="ij")
    ball = np.where(x**2 + y**2 < 0.7, 900.0, 5.0) + 0 * z
    bvecs = np.concatenate([np.zeros((1, 3)), rng.normal(size=(7, 3))])
    bvecs[1:] /= np.linalg.norm(bvecs[1:], axis=1)[:, None]
    voxels = np.stack([ball, *(ball * np.exp(-0.9 - 0.4 * v[0] ** 2) for v in bvecs[1:])])
    voxels = np.clip(voxels + rng.normal(0, 8, voxels.shape), 0, None)
    volume = Volume(voxels, (2.0, 2.0, 3.0), gradients=Gradients(np.array([0.0, *[1000.0] * 7]), bvecs))
    path = tmp_path / "dwi.nii.gz"
    files.write(volume.cast(np.int16), path)
    return path


def test_the_maps_are_those_of_the_library(command, dwi, tmp_path):
    out = tmp_path / "out"
    answer = command("tensor", dwi, out)
    assert (answer.code, answer.err) == (0, "")
    assert {path.name for path in out.iterdir()} == NAMES
    fitted = fit_tensors(files.read(dwi))
    for name, expected in {"FA": fitted.fa, "MD": fitted.md, "AD": fitted.ad, "RD": fitted.rd}.items():
        image = nibabel.load(out / f"{name}.nii.gz")
        assert image.get_data_dtype() == np.float32
        assert np.array_equal(np.asarray(image.dataobj).T, expected)
        assert np.allclose(image.affine, nibabel.load(dwi).affine)
    record = json.loads((out / "tensor.json").read_text())
    assert (record["operation"], record["method"], record["input"]) == ("tensor", "wls", "dwi.nii.gz")
    assert record["voxels"] == fitted.mask.sum()
    assert {*record["files"], "tensor.json"} == NAMES
    assert record["use"].startswith("Research use only")


def test_the_method_and_the_mask_can_be_chosen(command, dwi, tmp_path):
    series = files.read(dwi)
    mask = np.zeros(series.voxels.shape[1:], np.uint8)
    mask[2:4, 5:15, 5:15] = 1
    files.write(Volume(mask, series.spacing, series.origin, series.direction), tmp_path / "mask.nii.gz")
    for name, given, where in (("some", tmp_path / "mask.nii.gz", mask > 0), ("all", "none", mask >= 0)):
        assert command("tensor", dwi, tmp_path / name, "--method", "ols", "--mask", given).code == 0
        found = files.read(tmp_path / name / "FA.nii.gz").voxels
        assert np.array_equal(found, fit_tensors(series, "ols", where).fa)


def test_nothing_is_overwritten_unless_allowed(command, refused, dwi, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "MD.nii.gz").write_text("mine")
    (out / "notes.txt").write_text("mine too")
    refused(["tensor", dwi, out], "MD.nii.gz exists already", "--overwrite")
    assert command("tensor", dwi, out, "--overwrite").code == 0
    assert {path.name for path in out.iterdir()} == {*NAMES, "notes.txt"}
    assert (out / "notes.txt").read_text() == "mine too"


@pytest.mark.parametrize("existing", [False, True])
def test_a_full_disk_leaves_nothing(refused, dwi, tmp_path, monkeypatch, existing):
    out = tmp_path / "out"
    if existing:
        out.mkdir()

    def full(*_given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vectors, "write_colours", full)
    refused(["tensor", dwi, out], "could not be written whole", "No space left")
    assert out.exists() == existing


def test_what_has_no_tensors_is_refused(refused, scan, dwi, tmp_path, monkeypatch):
    out = tmp_path / "out"
    refused(["tensor", scan, out], "single volume", "gradients")
    refused(["tensor", dwi, scan], "is a file", "folder")
    refused(["tensor", dwi, tmp_path / "no" / "out"], "does not exist")
    refused(["tensor", dwi, out, "--mask", scan], "mask", "own grid")
    refused(["tensor", dwi, out, "--mask", tmp_path / "no.nii.gz"], "There is no file")
    for name in [name for name in sys.modules if name.partition(".")[0] == "dipy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dipy", None)
    refused(["tensor", dwi, out], "pip install dipy")


def test_compare_of_a_series_measures_its_tensors(command, dwi, tmp_path):
    figure, table = tmp_path / "c.png", tmp_path / "c.json"
    chosen = ["--methods", "nearest", "sinc", "--figure", figure, "--json", table]
    answer = command("compare", dwi, *chosen)
    assert answer.code == 0, answer.err
    assert "in the head mask" in answer.out
    assert "best classical of each" in answer.out
    rows = json.loads(table.read_text())["rows"]
    assert all(row["tensors"]["fa"] > 0 and row["tensors"]["psnr"] > 10 for row in rows)
    assert figure.stat().st_size > 10_000
    assert (tmp_path / "c-tensors.png").stat().st_size > 10_000


def test_compare_of_several_shells_measures_them_and_of_one_shell_does_not(command, dwi, tmp_path):
    table, several = tmp_path / "c.json", tmp_path / "several.nii.gz"
    answer = command("compare", dwi, "--methods", "nearest", "sinc")
    assert "over the shells" not in answer.out and "Shells" not in answer.out
    files.write(shelled().cast(np.int16), several)
    answer = command("compare", several, "--methods", "nearest", "sinc", "--json", table)
    assert answer.code == 0, answer.err
    assert "over the shells         b 1000  b 2500     MSK   white  rising" in answer.out
    for row in json.loads(table.read_text())["rows"]:
        assert set(row["shells"]) == {"harmonics", "msk", "msk_white", "not_falling", "not_falling_truth"}
        assert 0 < row["shells"]["harmonics"]["2500"] < row["shells"]["harmonics"]["1000"] < 1


def test_compare_without_dipy_says_so_in_one_line(command, dwi, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "dipy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dipy", None)
    answer = command("compare", dwi, "--methods", "nearest", "sinc")
    assert answer.code == 0
    (line,) = [line for line in answer.out.splitlines() if line.startswith("No tensor errors")]
    assert "pip install dipy" in line
    assert "sinc" in answer.out and "in the head mask" not in answer.out


def test_compare_of_a_volume_says_nothing_of_tensors(command, scan):
    answer = command("compare", scan, "--methods", "nearest")
    assert "ensor" not in answer.out


def test_every_file_has_a_meaning():
    assert {*(f"{name}.nii.gz" for name in module.UNITS), *module.MEANINGS, "tensor.json"} == NAMES


def test_which_b_values_were_fitted_is_said_and_can_be_chosen(command, dwi, tmp_path):
    """Fault D4."""
    given = files.read(dwi)
    bvals, bvecs = given.gradients.bvals, given.gradients.bvecs
    both = Gradients(np.concatenate([bvals, 3 * bvals[1:]]), np.concatenate([bvecs, bvecs[1:]]))
    voxels = np.concatenate([given.voxels, given.voxels[1:] // 2])
    files.write(replace(given, voxels=voxels, gradients=both), tmp_path / "both.nii.gz")
    done = command("tensor", tmp_path / "both.nii.gz", tmp_path / "low", "--mask", "none")
    assert "8 volumes up to b = 1500" in done.out
    assert "8 volumes" in json.loads((tmp_path / "low" / "tensor.json").read_text())["note"]
    done = command("tensor", tmp_path / "both.nii.gz", tmp_path / "all", "--mask", "none", "--largest-b", "3000")
    assert "up to b" not in done.out
    assert json.loads((tmp_path / "all" / "tensor.json").read_text())["largest_b"] == 3000


def test_compare_measures_streamlines_of_a_series(command, dwi, tmp_path):
    out = tmp_path / "table.json"
    answer = command("compare", dwi, "--methods", "linear", "--streamlines", "--json", out, "--progress", "none")
    assert (answer.code, answer.err) == (0, "")
    assert "streamlines" in answer.out
    (row,) = json.loads(out.read_text())["rows"]
    assert 0 <= row["tracts"]["dice"] <= 1


def test_streamlines_of_a_single_volume_are_refused(command, dwi, tmp_path):
    single = tmp_path / "t1.nii.gz"
    files.write(Volume(files.read(dwi).voxels[0], (2.0, 2.0, 3.0)), single)
    answer = command("compare", single, "--methods", "linear", "--streamlines", "--json", tmp_path / "table.json")
    assert answer.code == 2
    assert "diffusion series" in answer.err
    assert not (tmp_path / "table.json").exists()
