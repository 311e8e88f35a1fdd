"""superresolution enhance: a file in, a sharper file out with a record beside it, or nothing at all."""

import json
import os
import re
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from folders import contents
from in_words import enhance
from phantoms import brain
from tiny_models import Plain, card, repeat, store

import SuperResolutionLib
from SuperResolutionLib import files
from SuperResolutionLib.geometry.grid import single_slice
from SuperResolutionLib.methods import catalogue, forecast, network_run, zoo
from SuperResolutionLib.quality.recoarsening import agreement
from SuperResolutionLib.volume import Volume

ROOT = Path(SuperResolutionLib.__file__).parent.parent


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def sidecar(path: Path) -> dict[str, object]:
    return json.loads(files.sidecar_path(path).read_text())


def test_a_scan_is_enhanced_on_its_own_field_of_view_in_its_own_type(command, scan, model, tmp_path):
    answer = command("enhance", scan, tmp_path / "out.nii.gz", "--model", model, "--precision", "float32")
    assert answer.code == 0
    low, result = files.read(scan), files.read(tmp_path / "out.nii.gz")
    assert result.size == (52, 56, 4)
    assert result.voxels.dtype == np.int16
    assert np.abs(result.bounds() - low.bounds()).max() < 1e-4
    expected = enhance(low, zoo.load(str(model)), device="cpu", precision="float32")
    assert np.array_equal(result.voxels, expected.voxels)
    assert "out.nii.gz written in" in answer.out
    assert "Research use only" in answer.out
    assert "4/4" in answer.err
    assert "slice/s" in answer.err or "s/slice" in answer.err


def test_the_sidecar_says_what_was_done(command, scan, model, tmp_path):
    chosen = ["--plane", "axial", "--scale", 2, "--precision", "float32", "--progress", "none", "--ensemble"]
    answer = command("enhance", scan, tmp_path / "out.nrrd", "--model", model, *chosen)
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    record = sidecar(tmp_path / "out.nrrd")
    date = str(record.pop("date"))
    assert record.pop("seconds") > 0
    assert record == {
        "input": "scan.nii.gz",
        "input_sha256": digest(scan),
        "plane": "axial",
        "operation": "enhance",
        "model": "tiny-x2",
        "model_sha256": digest(model),
        "scale": 2,
        "slice": None,
        "ensemble": True,
        "consistent": False,
        "denoise": 1.0,
        "ran": "tiny-x2 on cpu in float32",
        "sampling": {"asked": {"factor": 2}, "spacing": [0.5, 0.5, 4.0]},
        "put_back": "none",
        "recognised": [],
        "turns": 8,
        "denoised_first": {},
        "device": "cpu",
        "precision": "float32",
        "notes": ["the scan is empty around the brain, and so is the result"],
        "unusual": [],
        "software": f"SuperResolution {SuperResolutionLib.__version__}",
        "use": record["use"],
    }
    assert str(record["use"]).startswith("Research use only")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", date)


def test_a_share_of_noise_that_is_none_is_refused(refused, scan, model, tmp_path):
    refused(["enhance", scan, tmp_path / "out.nii.gz", "--model", model, "--denoise", "2"], "from 0", "to 1")


def test_the_record_keeps_what_it_ran_on_when_memory_runs_out_at_once(command, scan, tmp_path, monkeypatch):
    def hungry(x: torch.Tensor) -> torch.Tensor:
        if len(x) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return repeat(x)

    monkeypatch.setattr(catalogue, "choose_model", lambda *_: zoo.Model(card(slices=1), Plain(hungry)))
    answer = command("enhance", scan, tmp_path / "out.nrrd", "--precision", "float32")
    assert answer.code == 0
    assert "out of memory: going on with 1 slices at a time" in answer.err
    assert sidecar(tmp_path / "out.nrrd")["ran"] == "tiny-x2 on cpu in float32"


def test_a_long_run_says_first_how_long_it_will_take(command, scan, model, tmp_path, monkeypatch):
    """Fault K4: no expected time before a long run."""
    monkeypatch.setattr(forecast, "seconds", lambda *_: 700.0)
    answer = command("enhance", scan, tmp_path / "out.mha", "--model", model)
    assert "tiny-x2 on cpu in float32: about 12 min" in answer.err
    assert sidecar(tmp_path / "out.mha")["ran"] == "tiny-x2 on cpu in float32"
    first = command("enhance", scan, tmp_path / "again.mha", "--model", model, "--progress", "json").events()[0]
    assert (first["done"], first["left"]) == (0, 700)


def test_progress_as_json_is_one_object_a_line_that_ends_with_done(command, scan, model, tmp_path):
    out = tmp_path / "out.mha"
    answer = command("enhance", scan, out, "--model", model, "--progress", "json")
    *steps, done = answer.events()
    assert answer.err == ""
    assert {event["event"] for event in steps} == {"progress"}
    assert [event["done"] for event in steps] == sorted(event["done"] for event in steps)
    assert (steps[0]["done"], steps[0]["left"], steps[-1]["done"], steps[-1]["total"]) == (0, None, 4, 4)
    assert steps[-1]["left"] == 0
    assert "tiny-x2 on cpu" in steps[0]["message"]
    assert (done["event"], done["output"]) == ("done", str(out))


def test_progress_as_json_tells_of_errors_too(command, scan, tmp_path):
    answer = command("enhance", scan, tmp_path / "out.mha", "--model", "gone.safetensors", "--progress", "json")
    assert answer.code == 2
    (event,) = answer.events()
    assert event["event"] == "error"
    assert answer.err == f"superresolution: {event['message']}\n"


def test_a_series_goes_volume_by_volume_with_its_gradients(command, model, tmp_path):
    low = brain((12, 14, 3))
    series = Volume(np.stack([low.voxels, low.voxels / 2]), low.spacing)
    files.write(series, tmp_path / "dwi.nii.gz")
    (tmp_path / "dwi.bval").write_text("0 1000\n")
    (tmp_path / "dwi.bvec").write_text("0 1\n0 0\n0 0\n")
    assert command("enhance", tmp_path / "dwi.nii.gz", tmp_path / "out.nii.gz", "--model", model).code == 0
    result = files.read(tmp_path / "out.nii.gz")
    assert result.voxels.shape == (2, 3, 28, 24)
    assert result.gradients.bvals.tolist() == [0, 1000]
    assert (tmp_path / "out.bvec").is_file()


def test_a_consistent_result_truncates_to_the_scan(command, model, tmp_path):
    low = brain((24, 24, 3))
    files.write(low, tmp_path / "low.nrrd")
    for name, chosen in (("free", []), ("kept", ["--consistent"])):
        assert command("enhance", tmp_path / "low.nrrd", tmp_path / f"{name}.nrrd", "--model", model, *chosen).code == 0
    kept, free = (files.read(tmp_path / f"{name}.nrrd") for name in ("kept", "free"))
    assert agreement(low, kept, "k_space") > 60 > agreement(low, free, "k_space")


@pytest.mark.parametrize("extension", [".nii.gz", ".nrrd", ".nhdr"])
@pytest.mark.parametrize(("plane", "axis", "k"), [("native", 2, 3), ("coronal", 1, 20), ("sagittal", 0, 0)])
def test_one_slice_is_written_as_it_is_in_the_whole_result(command, scan, model, tmp_path, plane, axis, k, extension):
    chosen = ["--model", model, "--plane", plane, "--precision", "float32", "--consistent"]
    assert command("enhance", scan, tmp_path / "whole.nrrd", *chosen).code == 0
    out = tmp_path / f"part{extension}"
    answer = command("enhance", scan, out, *chosen, "--slice", k)
    assert answer.code == 0
    assert "1/1" in answer.err
    assert sidecar(out)["slice"] == k
    expected, part = single_slice(files.read(tmp_path / "whole.nrrd"), axis, k), files.read(out)
    assert np.array_equal(part.voxels, expected.voxels)
    assert np.abs(part.bounds() - expected.bounds()).max() < 1e-4


def test_one_slice_of_a_series_is_that_of_every_volume(command, model, tmp_path):
    low = brain((12, 14, 3))
    files.write(Volume(np.stack([low.voxels, low.voxels / 2]), low.spacing), tmp_path / "dwi.nrrd")
    chosen = ["--model", model, "--slice", 1]
    assert command("enhance", tmp_path / "dwi.nrrd", tmp_path / "out.nrrd", *chosen).code == 0
    assert files.read(tmp_path / "out.nrrd").voxels.shape == (2, 1, 28, 24)


def test_the_blind_model_of_the_scale_is_the_default(command, scan, shelf, tmp_path):
    store(shelf, "mri-x2")
    store(shelf, "mri-x4", scale=4)
    for chosen, name in ([], "mri-x2"), (["--scale", 4], "mri-x4"):
        assert command("enhance", scan, tmp_path / "out.nrrd", "--overwrite", *chosen).code == 0
        assert sidecar(tmp_path / "out.nrrd")["model"] == name


def test_a_scan_unlike_the_training_scans_is_enhanced_with_a_warning(command, scan, tmp_path):
    model = store(tmp_path / "models", spacing=(0.1, 0.2))
    answer = command("enhance", scan, tmp_path / "out.nrrd", "--model", model, "--progress", "none")
    assert answer.code == 0
    assert answer.err.startswith(
        "warning: scan.nii.gz is unlike the training scans: its in-plane voxels, 1 x 1 mm, are"
    )
    assert sidecar(tmp_path / "out.nrrd")["unusual"]


@pytest.mark.parametrize("shape", [(3, 1, 9), (1, 1, 1), (2, 3, 2)])
@pytest.mark.parametrize("value", [0, 100])
def test_small_and_constant_scans_are_enhanced(command, model, tmp_path, shape, value):
    files.write(Volume(np.full(shape, value, np.int16), (1.0, 1.0, 4.0)), tmp_path / "scan.nrrd")
    assert command("enhance", tmp_path / "scan.nrrd", tmp_path / "out.nrrd", "--model", model).code == 0
    assert files.read(tmp_path / "out.nrrd").voxels.shape == (shape[0], 2 * shape[1], 2 * shape[2])


# ---------------------------------------------------------------- interrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_says_so_and_leaves_nothing(command, scan, model, tmp_path, monkeypatch, number):
    monkeypatch.setattr(network_run, "run_network", lambda *_: signal.raise_signal(number))
    before = contents(tmp_path)
    answer = command("enhance", scan, tmp_path / "out.nrrd", "--model", model, "--progress", "none")
    assert answer.code == 130
    assert answer.err == "superresolution: stopped; no unfinished output was left.\n"
    assert contents(tmp_path) == before


def test_ctrl_c_in_the_middle_leaves_no_file_and_no_process(tmp_path):
    files.write(brain((64, 64, 400)), tmp_path / "scan.nrrd")
    model = store(tmp_path / "models", blocks=2)
    before = contents(tmp_path)
    arguments = [tmp_path / "scan.nrrd", tmp_path / "out.nrrd", "--model", model, "--progress", "json", "--ensemble"]
    with subprocess.Popen(
        [sys.executable, "-m", "SuperResolutionLib.cli", "enhance", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        event = {"done": 0}
        while event["done"] == 0:
            event = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert 0 < event["done"] < event["total"]
    assert process.returncode == 130
    assert errors == "superresolution: stopped; no unfinished output was left.\n"
    assert contents(tmp_path) == before
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


# ---------------------------------------------------------------- how far the eight turns disagree


def test_the_uncertainty_map_lies_beside_the_result(command, scan, model, tmp_path):
    out, spread = tmp_path / "out.nii.gz", tmp_path / "spread.nii.gz"
    chosen = ["--model", model, "--precision", "float32", "--progress", "none"]
    assert command("enhance", scan, out, "--uncertainty", spread, *chosen).code == 0
    assert command("enhance", scan, tmp_path / "plain.nii.gz", "--ensemble", *chosen).code == 0
    result, wide = files.read(out), files.read(spread)
    assert np.array_equal(result.voxels, files.read(tmp_path / "plain.nii.gz").voxels)
    assert wide.voxels.dtype == np.float32
    assert wide.voxels.max() > 0
    assert np.allclose(wide.bounds(), result.bounds())
    record = json.loads((tmp_path / "spread.json").read_text())
    assert (record["operation"], record["of"]) == ("uncertainty", "out.nii.gz")
    assert json.loads((tmp_path / "out.json").read_text())["ensemble"] is True


@pytest.mark.parametrize("given", ["out.nii.gz", "spread.txt", "away/spread.nii.gz", "scan.nii.gz"])
def test_an_uncertainty_map_that_cannot_be_written_is_refused_at_once(refused, scan, model, tmp_path, given):
    chosen = ["--model", model, "--progress", "none"]
    refused(["enhance", scan, tmp_path / "out.nii.gz", "--uncertainty", tmp_path / given, *chosen])
