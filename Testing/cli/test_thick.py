"""Thick slices on the command line: made thin, deconvolved, simulated, compared."""

import json

import numpy as np
import pytest
from phantoms import layers
from tiny_models import store, store_thinning

from SuperResolutionLib import files
from SuperResolutionLib.physics.degradation import degrade


@pytest.fixture
def models(shelf):
    store_thinning(shelf)
    store(shelf, "mri-x2")


@pytest.fixture
def fine(tmp_path):
    files.write(layers(40).cast(np.int16), tmp_path / "fine.nii.gz")
    return tmp_path / "fine.nii.gz"


@pytest.fixture
def thick(tmp_path):
    files.write(degrade(layers(40), "slices:spacing=4,thickness=3").cast(np.int16), tmp_path / "thick.nii.gz")
    return tmp_path / "thick.nii.gz"


def record(path):
    return json.loads(files.sidecar_path(path).read_text())


@pytest.mark.parametrize(
    ("wish", "size"),
    [
        (["--isotropic"], (24, 24, 40)),
        (["--slice-spacing", "2"], (24, 24, 20)),
        (["--spacing", "1", "1", "1.6"], (24, 24, 25)),
        (["--spacing", "0.5", "0.5", "1"], (48, 48, 40)),
        (["--spacing", "2", "2", "1", "--allow-coarser"], (12, 12, 40)),
    ],
)
def test_slices_are_made_thin_on_the_same_field_of_view(command, models, thick, tmp_path, wish, size):
    answer = command("enhance", thick, tmp_path / "out.nii.gz", *wish, "--device", "cpu")
    assert answer.code == 0, answer.err
    low, result = files.read(thick), files.read(tmp_path / "out.nii.gz")
    assert result.size == size
    assert np.abs(result.bounds() - low.bounds()).max() < 1e-4
    assert record(tmp_path / "out.nii.gz")["model"].endswith("tiny-iso")


def test_the_thickness_that_is_given_is_taken_and_recorded(command, models, thick, tmp_path):
    assert command("enhance", thick, tmp_path / "a.nii.gz", "--isotropic", "--thickness", "3").code == 0
    assert record(tmp_path / "a.nii.gz")["notes"] == ["slices 3 mm thick, 4 mm apart, with gaps of 1 mm"]
    assert command("enhance", thick, tmp_path / "b.nii.gz", "--isotropic").code == 0
    assert "as thick as they are apart" in record(tmp_path / "b.nii.gz")["notes"][0]
    a, b = (files.read(tmp_path / name).voxels for name in ("a.nii.gz", "b.nii.gz"))
    assert not np.array_equal(a, b)


def test_what_was_degraded_is_known_to_be_so_thick(command, models, fine, tmp_path):
    wish = "slices:spacing=4,thickness=3,profile=box"
    assert command("degrade", fine, tmp_path / "thick.nii.gz", "--degradation", wish).code == 0
    volume = files.read(tmp_path / "thick.nii.gz")
    assert (volume.size, volume.thickness) == ((24, 24, 10), 3.0)
    assert "thickness:" in command("info", tmp_path / "thick.nii.gz").out


def test_deconvolution_is_a_method_of_upsample(command, thick, tmp_path):
    out = tmp_path / "out.nii.gz"
    assert command("upsample", thick, out, "--method", "deconvolution", "--slice-spacing", "1").code == 0
    assert files.read(out).size == (24, 24, 40)
    assert record(out)["notes"]


def test_all_classical_methods_and_the_model_are_compared(command, models, fine, tmp_path):
    answer = command(
        "compare",
        fine,
        "--degradation",
        "slices:spacing=4",
        "--figure",
        tmp_path / "a.png",
        "--json",
        tmp_path / "a.json",
    )
    assert answer.code == 0, answer.err
    assert "degraded by slices:spacing=4 1 x 1 x 4" in answer.out
    rows = {row["method"]: row for row in json.loads((tmp_path / "a.json").read_text())["rows"]}
    assert set(rows) == {"nearest", "linear", "bicubic", "bspline", "sinc", "deconvolution", "tiny-iso"}
    assert max(rows.values(), key=lambda row: row["psnr_head"] if row["classical"] else 0)["method"] == "deconvolution"
    assert (tmp_path / "a.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--isotropic", "--thickness", "9"], "9 mm thick"),
        (["--isotropic", "--thickness", "nan"], "from 0.01 to 100 mm"),
        (["--isotropic", "--thickness", "thick"], "--thickness"),
        (["--spacing", "2"], "which is coarser"),
        (["--slice-spacing", "0.1"], "16 times is the most"),
        (["--isotropic", "--model", "mri-x2"], "2 times finer in plane"),
        (["--scale", "2", "--model", "tiny-iso"], "leaves the plane as it is"),
        (["--isotropic", "--spacing", "1"], "not allowed with"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_leaves_no_file(command, models, thick, tmp_path, words, said):
    answer = command("enhance", thick, tmp_path / "out.nii.gz", *words)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "out.nii.gz").exists()


def test_who_refines_the_plane_of_thick_slices_is_told_of_the_other_way(command, models, thick, tmp_path):
    answer = command("enhance", thick, tmp_path / "out.nii.gz", "--device", "cpu")
    assert answer.code == 0
    assert "4 mm apart" in answer.out
    assert "--isotropic" in answer.out
    assert files.read(tmp_path / "out.nii.gz").size == (48, 48, 10)


def test_one_slice_is_refused(command, models, tmp_path):
    files.write(degrade(layers(8), "slices:spacing=8"), tmp_path / "one.nii.gz")
    answer = command("enhance", tmp_path / "one.nii.gz", tmp_path / "out.nii.gz", "--slice-spacing", "1")
    assert answer.code == 2
    assert "one slice" in answer.err
