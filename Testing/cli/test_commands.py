"""The other commands: upsample, degrade, compare, models, info, train."""

import json

import numpy as np
import pytest
from in_words import compare
from tiny_models import store

from SuperResolutionLib import files
from SuperResolutionLib.files.nrrd import open_voxels
from SuperResolutionLib.geometry.grid import single_slice, stacking_axis, stacks
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.interpolating import METHODS
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
epoch = 4
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


def test_upsample_of_one_slice_is_that_slice_of_the_whole(command, scan, tmp_path):
    for plane in ("axial", "coronal", "sagittal"):
        whole, part = tmp_path / f"{plane}.nrrd", tmp_path / f"{plane}-3.nrrd"
        assert command("upsample", scan, whole, "--plane", plane).code == 0
        assert command("upsample", scan, part, "--plane", plane, "--slice", 3).code == 0
        a, b = files.read(whole), files.read(part)
        axis = stacking_axis(files.read(scan), plane)
        assert np.array_equal(stacks(b, axis)[0][0], stacks(a, axis)[0][3])
        assert np.allclose(b.bounds(), single_slice(a, axis, 3).bounds(), atol=1e-6)


def test_upsample_tells_a_program_when_it_is_done(command, scan, tmp_path):
    answer = command("upsample", scan, tmp_path / "out.nrrd", "--progress", "json")
    assert json.loads(answer.out)["event"] == "done"


def test_devices_names_the_cpu_and_a_precision(command):
    found = json.loads(command("devices", "--json").out)["devices"]
    assert found["cpu"]["name"].startswith("CPU, ")
    assert found["cpu"]["precision"] in ("float32", "bfloat16")
    assert command("devices").out.splitlines()[-1].startswith("cpu: CPU, ")


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


def test_compare_tells_its_progress_as_json_and_prints_no_table(command, scan, model, tmp_path):
    chosen = ["--methods", "linear", model, "--precision", "float32", "--progress", "json"]
    answer = command("compare", scan, *chosen, "--json", tmp_path / "t.json")
    *steps, done = answer.events()
    assert (answer.code, answer.err) == (0, "")
    assert {event["event"] for event in steps} == {"progress"}
    assert [event["done"] for event in steps] == sorted(event["done"] for event in steps)
    assert (steps[0]["done"], steps[-1]["done"]) == (0, 2 + 1 + 4)
    assert {event["total"] for event in steps} == {2 + 1 + 4}
    assert (done["event"], done["output"]) == ("done", None)
    assert len(json.loads((tmp_path / "t.json").read_text())["rows"]) == 2


def test_compare_shows_a_bar_beside_the_table_unless_told_not_to(command, scan):
    shown, quiet = (command("compare", scan, "--methods", "linear", *more) for more in ([], ["--progress", "none"]))
    assert "2/2" in shown.err
    assert quiet.err == ""
    assert shown.out == quiet.out
    assert "linear" in quiet.out


def test_compare_as_json_tells_of_errors_too(command, scan):
    answer = command("compare", scan, "--methods", "bicubc", "--progress", "json")
    (event,) = answer.events()
    assert (answer.code, event["event"]) == (2, "error")
    assert answer.err == f"superresolution: {event['message']}\n"


def test_compare_writes_the_figures_of_each_slice(command, scan, tmp_path):
    assert command("compare", scan, "--methods", "linear", "--json", tmp_path / "t.json").code == 0
    table = json.loads((tmp_path / "t.json").read_text())
    (expected,) = compare(files.read(scan), methods=["linear"]).as_table()["rows"]
    assert table["axis"] == 2
    assert table["rows"][0]["psnr_slices"] == expected["psnr_slices"]
    assert len(expected["psnr_slices"]) == 4


@pytest.mark.parametrize("kept", [False, True])
def test_compare_writes_the_error_of_each_method_and_the_coarse_scan(command, scan, model, tmp_path, kept):
    folder = tmp_path / "errors"
    chosen = ["--methods", "linear", model, "--degradation", "area", "--precision", "float32", "--errors", folder]
    assert command("compare", scan, *chosen, *(["--keep-restored"] if kept else [])).code == 0
    names = ["low", "linear", "tiny-x2", *(["linear-restored", "tiny-x2-restored"] if kept else [])]
    assert {path.name for path in folder.iterdir()} == {name + end for name in names for end in (".nhdr", ".raw")}
    result = compare(files.read(scan), "area", 2, ["linear", str(model)], keep=True, precision="float32")
    assert np.array_equal(files.read(folder / "low.nhdr").voxels, result.low.voxels)
    for row in result.rows:
        name = "linear" if row.classical else "tiny-x2"
        error = files.read(folder / f"{name}.nhdr")
        assert error.voxels.dtype == np.float32
        assert np.array_equal(error.voxels, np.abs(row.restored.voxels - result.truth.voxels))
        assert np.abs(error.bounds() - result.truth.bounds()).max() < 1e-4
        assert np.array_equal(open_voxels(folder / f"{name}.nhdr"), error.voxels)
        if kept:
            assert np.array_equal(files.read(folder / f"{name}-restored.nhdr").voxels, row.restored.voxels)


def test_compare_writes_errors_with_their_sign(command, scan, tmp_path):
    chosen = ["--methods", "linear", "--errors", tmp_path / "errors", "--signed"]
    assert command("compare", scan, *chosen).code == 0
    (row,) = compare(files.read(scan), methods=["linear"], keep=True).rows
    error = files.read(tmp_path / "errors" / "linear.nhdr").voxels
    assert error.min() < 0 < error.max()
    assert np.array_equal(error, row.restored.voxels - files.read(scan).cast(np.float32).voxels)


def test_compare_writes_errors_into_a_folder_that_holds_other_things(command, scan, tmp_path):
    (tmp_path / "errors").mkdir()
    (tmp_path / "errors" / "notes.txt").write_text("mine")
    assert command("compare", scan, "--methods", "linear", "--errors", tmp_path / "errors").code == 0
    assert {path.name for path in (tmp_path / "errors").glob("*.nhdr")} == {"low.nhdr", "linear.nhdr"}
    assert (tmp_path / "errors" / "notes.txt").read_text() == "mine"


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
    assert "than fine-x2 was trained on: 0.1 to 0.2 mm" in lines["for fine-x2"]


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


@pytest.fixture
def train(scan, tmp_path):
    """The command that trains on one scan; the folder to write to is still to be given."""
    (tmp_path / "mine.toml").write_text(RECIPE)
    (tmp_path / "data").mkdir()
    scan.rename(tmp_path / "data" / scan.name)
    return ["train", tmp_path / "mine.toml", "--data", tmp_path / "data", "--device", "cpu", "--out"]


def test_train_begins_with_the_weights_of_another_model(command, train, tmp_path):
    assert command(*train, tmp_path / "a").code == 0
    answer = command(*train, tmp_path / "b", "--from", tmp_path / "a" / "mine.safetensors")
    assert answer.code == 0
    assert "starting from 12 of 12 given tensors" in answer.out


def test_train_from_another_seed_makes_another_model_and_the_same_seed_the_same(command, train, tmp_path):
    made = {}
    for name, seed in (("recipe", []), ("zero", ["--seed", 0]), ("one", ["--seed", 1])):
        assert command(*train, tmp_path / name, *seed).code == 0
        made[name] = (tmp_path / name / "mine.safetensors").read_bytes()
    assert made["recipe"] == made["zero"]
    assert made["recipe"] != made["one"]


def test_train_makes_a_model_that_enhance_takes(command, scan, train, tmp_path):
    run = [*train, tmp_path / "run"]
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
