"""The other commands: upsample, degrade, compare, models, info, train."""

import json

import numpy as np
import pytest
from tiny_models import store

from SuperResolutionLib import files, zoo
from SuperResolutionLib.degradation import degrade
from SuperResolutionLib.interpolation import METHODS, upsample
from SuperResolutionLib.volume import Gradients, Volume

RECIPE = """
architecture = "edsr"
scale = 2
slices = 1
network = { features = 16, blocks = 1 }
degradation = "area"
patch = 8
batch = 2
steps = 4
epoch = 2
warm_up = 2
precision = "float32"
trained_on = "one phantom"
licence = "CC0"
"""


@pytest.mark.parametrize("method", sorted(METHODS))
def test_upsample_writes_what_the_library_computes(command, scan, tmp_path, method):
    out = tmp_path / "out.nii.gz"
    assert command("upsample", scan, out, "--method", method, "--scale", 3).code == 0
    low, result = files.read(scan), files.read(out)
    assert np.array_equal(result.voxels, upsample(low, method, 3).voxels)
    assert np.abs(result.bounds() - low.bounds()).max() < 1e-4
    record = json.loads((tmp_path / "out.json").read_text())
    assert (record["operation"], record["method"], record["scale"]) == ("upsample", method, 3)
    assert record["use"].startswith("Research use only")


def test_upsample_works_in_the_plane_that_is_asked_for(command, scan, tmp_path):
    assert command("upsample", scan, tmp_path / "out.nrrd", "--method", "linear", "--plane", "coronal").code == 0
    assert files.read(tmp_path / "out.nrrd").size == (52, 28, 8)
    assert json.loads((tmp_path / "out.json").read_text())["plane"] == "coronal"


def test_degrade_writes_what_the_library_computes(command, scan, tmp_path):
    chosen = ["--degradation", "rician:snr=15", "--seed", 3]
    answer = command("degrade", scan, tmp_path / "out.nrrd", *chosen)
    assert (answer.code, answer.out) == (0, f"{tmp_path / 'out.nrrd'} written.\n")
    expected = degrade(files.read(scan), "rician:snr=15", 2, seed=3)
    assert np.array_equal(files.read(tmp_path / "out.nrrd").voxels, expected.voxels)
    record = json.loads((tmp_path / "out.json").read_text())
    assert (record["degradation"], record["seed"], record["scale"]) == ("rician:snr=15", 3, 2)


def test_the_same_seed_gives_the_same_voxels_and_another_others(command, scan, tmp_path):
    voxels = []
    for k, seed in enumerate((1, 1, 2)):
        chosen = ["--degradation", "noise_down", "--seed", seed]
        assert command("degrade", scan, tmp_path / f"{k}.nrrd", *chosen).code == 0
        voxels.append(files.read(tmp_path / f"{k}.nrrd").voxels)
    assert np.array_equal(voxels[0], voxels[1])
    assert not np.array_equal(voxels[0], voxels[2])


def test_compare_prints_a_table_and_writes_json_and_a_figure(command, scan, model, tmp_path):
    methods = ["--methods", "nearest", "bicubic", "sinc", model]
    chosen = ["--degradation", "area", "--json", tmp_path / "t.json", "--figure", tmp_path / "f.png"]
    answer = command("compare", scan, *methods, *chosen)
    assert answer.code == 0
    assert answer.out.startswith("scan.nii.gz, degraded by area x2\n")
    table = json.loads((tmp_path / "t.json").read_text())
    assert (table["input"], table["degradation"], table["scale"]) == ("scan.nii.gz", "area", 2)
    assert {row["method"] for row in table["rows"]} == {"nearest", "bicubic", "sinc", str(model)}
    psnrs = [row["psnr_head"] for row in table["rows"]]
    assert psnrs == sorted(psnrs, reverse=True)
    best = next(row for row in table["rows"] if row["classical"])
    assert table["best_classical"] == best["method"]
    assert best["gain_db"] == 0
    assert f"{best['method']:<22}" in answer.out
    assert answer.out.count("best cl.") == 1
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")


def test_compare_takes_all_classical_methods_and_the_blind_model_by_default(command, scan, shelf, tmp_path):
    store(shelf, "mri-x2")
    assert command("compare", scan, "--json", tmp_path / "t.json").code == 0
    rows = json.loads((tmp_path / "t.json").read_text())["rows"]
    assert {row["method"] for row in rows} == {*METHODS, "mri-x2"}
    assert {row["method"] for row in rows if row["classical"]} == set(METHODS)


def test_models_lists_what_is_installed(command, shelf):
    assert command("models").out == "No model is installed.\n"
    path = store(shelf, "mri-x2", held_out={"gain over the best classical method, dB": 2.9})
    out = command("models").out
    assert "mri-x2: x2, edsr" in out
    for word in ("3 slices in", "trained on   nothing", "data licence CC0", "dB: 2.9", "Research use only"):
        assert word in out
    (card,) = json.loads(command("models", "--json").out)
    assert card == json.loads(path.with_suffix(".json").read_text())


def test_info_tells_what_was_read_and_whether_models_know_such_scans(command, scan, shelf):
    store(shelf, "mri-x2")
    store(shelf, "fine-x2", spacing=(0.1, 0.2))
    answer = command("info", scan)
    assert answer.code == 0
    lines = dict(re_split(line) for line in answer.out.splitlines())
    assert lines["size"] == "26 x 28 x 4"
    assert lines["spacing"] == "1 x 1 x 4 mm"
    assert lines["voxel type"] == "int16"
    assert lines["slices"] == "along z, 4 of them, axial"
    assert lines["for mri-x2"] == "inside what it was trained on"
    assert "fine-x2 was trained on 0.1 to 0.2 mm" in lines["for fine-x2"]


def test_info_counts_the_shells_of_a_series(command, shelf, tmp_path):
    gradients = Gradients(np.array([0.0, 1000, 1000]), np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float))
    voxels = np.random.default_rng(0).integers(1, 99, (3, 4, 5, 6)).astype(np.int16)
    files.write(Volume(voxels, gradients=gradients), tmp_path / "dwi.nii.gz")
    out = command("info", tmp_path / "dwi.nii.gz").out
    assert "6 x 5 x 4, 3 volumes" in out
    assert "1 of b 0, 2 of b 1000 s/mm2" in out


def re_split(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip()


def test_train_makes_a_model_that_enhance_takes(command, scan, tmp_path):
    (tmp_path / "mine.toml").write_text(RECIPE)
    (tmp_path / "data").mkdir()
    scan.rename(tmp_path / "data" / scan.name)
    run = ["train", tmp_path / "mine.toml", "--data", tmp_path / "data", "--out", tmp_path / "run", "--device", "cpu"]
    answer = command(*run)
    assert answer.code == 0
    assert "step 4/4" in answer.out
    assert (tmp_path / "run" / "curves.csv").is_file()
    model = tmp_path / "run" / "mine.safetensors"
    assert f"model written to {model}" in answer.out
    assert zoo.read_card(model).trained_on == "one phantom"
    enhanced = ["enhance", tmp_path / "data" / scan.name, tmp_path / "out.nrrd", "--model", model]
    assert command(*enhanced, "--device", "cpu").code == 0
    again = command(*run)
    assert again.code == 2
    assert "already holds a training; give --resume" in again.err
    assert command(*run, "--resume").code == 0
