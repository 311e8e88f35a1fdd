"""Whatever cannot be done is refused in one sentence, with exit code 2, and leaves no file behind."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import store

from SuperResolutionLib import files
from SuperResolutionLib.files import images
from SuperResolutionLib.files import output as output_module
from SuperResolutionLib.methods import network_run
from SuperResolutionLib.quality import comparison
from SuperResolutionLib.study import figure
from SuperResolutionLib.volume import Volume

WRITERS = ["enhance", "upsample", "degrade"]


@pytest.fixture(params=WRITERS)
def writer(request, model):
    """A command that writes a volume: its name and the options it needs here."""
    return request.param, (["--model", model, "--progress", "none"] if request.param == "enhance" else [])


def test_a_missing_file_is_refused_with_the_nearest(writer, refused, scan, tmp_path):
    name, chosen = writer
    missing = tmp_path / "scam.nii.gz"
    refused([name, missing, tmp_path / "out.nii.gz", *chosen], "There is no file", "did you mean 'scan.nii.gz'?")


def test_the_input_is_never_overwritten(writer, refused, scan):
    name, chosen = writer
    refused([name, scan, scan, "--overwrite", *chosen], "belongs to the input", "choose another name")


def test_an_output_that_exists_is_kept_unless_overwriting_is_allowed(writer, command, refused, scan, tmp_path):
    name, chosen = writer
    (tmp_path / "out.nrrd").write_bytes(b"precious")
    refused([name, scan, tmp_path / "out.nrrd", *chosen], "out.nrrd exists already", "--overwrite")
    assert command(name, scan, tmp_path / "out.nrrd", "--overwrite", *chosen).code == 0
    assert files.read(tmp_path / "out.nrrd").voxels.ndim == 3


def test_an_unknown_extension_is_refused(writer, refused, scan, tmp_path):
    name, chosen = writer
    refused([name, scan, tmp_path / "out.nii.gx", *chosen], "cannot be written", "Did you mean '.nii.gz'?")


def test_a_missing_output_folder_is_refused(writer, refused, scan, tmp_path):
    name, chosen = writer
    refused([name, scan, tmp_path / "away" / "out.nrrd", *chosen], "output folder", "does not exist")


def test_an_input_that_is_no_image_is_refused(writer, refused, tmp_path):
    name, chosen = writer
    (tmp_path / "notes.nii").write_text("not an image")
    refused([name, tmp_path / "notes.nii", tmp_path / "out.nrrd", *chosen], "notes.nii")


def test_voxels_that_are_not_finite_are_refused(writer, refused, tmp_path):
    name, chosen = writer
    files.write_image(Volume(np.array([[[1, 2], [np.nan, np.inf]]], np.float32)), tmp_path / "bad.nrrd")
    refused([name, tmp_path / "bad.nrrd", tmp_path / "out.nrrd", *chosen], "2 NaN or infinite voxels")


def test_a_full_disk_leaves_no_output(writer, refused, scan, tmp_path, monkeypatch):
    name, chosen = writer

    def full(_volume: Volume, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output_module, "write_image", full)
    refused([name, scan, tmp_path / "out.nrrd", *chosen], "could not be written whole", "No space left")


# ---------------------------------------------------------------- models


def enhance(scan: Path, model: object, *more: object) -> list[object]:
    return ["enhance", scan, scan.parent / "out.nrrd", "--model", model, *more]


def test_weights_that_were_changed_are_refused(refused, scan, model):
    model.write_bytes(model.read_bytes()[:-1] + b"\x7f")
    refused(enhance(scan, model), "not the file its card describes", "sha256")


def test_weights_without_a_card_are_refused(refused, scan, model):
    model.with_suffix(".json").unlink()
    refused(enhance(scan, model), "tiny-x2.safetensors has no card")


def test_a_card_without_weights_is_refused(refused, scan, model):
    model.unlink()
    refused(enhance(scan, model), "tiny-x2.safetensors is missing, only its card")


def test_a_card_that_lies_is_refused(refused, scan, model):
    path = model.with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "scale": 4}))
    refused(enhance(scan, model), "does not do what its card says")


def test_a_pickle_is_refused_with_the_way_to_convert_it(refused, scan, tmp_path):
    (tmp_path / "model.pt").write_bytes(pickle.dumps({"weights": 1}))
    refused(enhance(scan, tmp_path / "model.pt"), "model.pt is not a safetensors file", "convert it")


def test_an_unknown_model_names_the_nearest(refused, scan, shelf):
    store(shelf, "mri-x2")
    refused(enhance(scan, "mri-x3"), "no installed model called 'mri-x3'", "did you mean 'mri-x2'")


def test_a_scale_that_the_model_does_not_have_is_refused(refused, scan, model, shelf):
    refused(enhance(scan, model, "--scale", 4), "Model 'tiny-x2' has scale 2, not 4")
    store(shelf, "mri-x2")
    refused(["enhance", scan, scan.parent / "out.nrrd", "--scale", 4], "no model for scale 4", "have: 2")


def test_a_device_that_is_not_there_is_refused(refused, scan, model, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    refused(enhance(scan, model, "--device", "cuda", "--progress", "none"), "'cuda' cannot be used here")


def test_too_little_memory_ends_with_a_sentence(refused, scan, model, monkeypatch):
    def exhausted(*_arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(network_run, "run_network", exhausted)
    refused(enhance(scan, model, "--progress", "none", "--precision", "float32"), "too little memory")


@pytest.mark.parametrize("k", [-1, 4])
def test_a_slice_that_the_scan_does_not_have_is_refused(refused, scan, model, k):
    refused(enhance(scan, model, "--slice", k), f"no slice {k}", "has 4 in this plane", "from 0 to 3")


# ---------------------------------------------------------------- methods, degradations, side outputs


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["upsample", "SCAN", "OUT", "--method", "bicubc"], ["'bicubc'", "did you mean 'bicubic'"]),
        (["degrade", "SCAN", "OUT", "--degradation", "k_spce"], ["'k_spce'", "did you mean 'k_space'"]),
        (["degrade", "SCAN", "OUT", "--degradation", "rician:srn=5"], ["'srn'", "did you mean 'snr'"]),
        (["degrade", "SCAN", "OUT", "--degradation", "rician:snr=-5"], ["snr=-5", "above 0"]),
        (["degrade", "SCAN", "OUT", "--factors", "1", "1", "15.5"], ["cannot be made coarser by 15.5"]),
        (["compare", "SCAN", "--methods", "bicubc"], ["no method or model called 'bicubc'", "'bicubic'"]),
        (["compare", "SCAN", "--degradation", "k_spce"], ["'k_spce'", "did you mean 'k_space'"]),
        (["compare", "SCAN", "--degradation", "k_space_zero_filled"], ["keeps the matrix", "use 'k_space'"]),
        (["compare", "SCAN", "--json", "AWAY.json"], ["does not exist"]),
        (["compare", "SCAN", "--json", "SCAN"], ["cannot be written as JSON", ".json"]),
        (["compare", "SCAN", "--figure", "OUT"], ["cannot be written as PNG", ".png"]),
        (["compare", "GONE"], ["There is no file"]),
        (["compare", "SCAN", "--keep-restored"], ["no folder to write to", "--errors"]),
        (["compare", "SCAN", "--signed"], ["no errors to write", "--errors"]),
        (["compare", "SCAN", "--errors", "AWAY.json"], ["output folder", "does not exist"]),
        (["compare", "SCAN", "--errors", "SCAN"], ["is a file", "--errors needs a folder"]),
        (["compare", "SCAN", "--errors", "EMPTY", "--methods", "x/sinc.safetensors", "sinc"], ["Two", "sinc.nhdr"]),
        (["info", "GONE"], ["There is no file"]),
        (["train", "mri-x22", "--data", ".", "--out", "OUT"], ["'mri-x22'", "did you mean 'mri-x2'"]),
        (["train", "mri-x2", "--data", "GONE", "--out", "OUT"], ["data folder", "does not exist"]),
        (["train", "mri-x2", "--data", "EMPTY", "--out", "OUT"], ["has no volumes"]),
    ],
)
def test_names_and_places_that_do_not_exist_are_refused(refused, scan, shelf, tmp_path, arguments, words):
    (tmp_path / "empty").mkdir()
    places = {
        "SCAN": scan,
        "OUT": tmp_path / "out.nrrd",
        "GONE": tmp_path / "gone",
        "EMPTY": tmp_path / "empty",
        "AWAY.json": tmp_path / "away" / "x.json",
    }
    refused([places.get(argument, argument) for argument in arguments], *words)


def test_a_scan_without_any_signal_cannot_be_compared(refused, tmp_path):
    files.write(Volume(np.zeros((3, 24, 24), np.int16)), tmp_path / "dark.nrrd")
    refused(["compare", tmp_path / "dark.nrrd", "--methods", "linear", "--progress", "none"], "truth is empty")


def test_a_side_output_that_the_disk_refuses_leaves_none(refused, scan, tmp_path, monkeypatch):
    """Fault H2: a JSON of 0 bytes and half a picture stayed."""

    def full(_result: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "comparison_figure", full)
    chosen = ["--json", tmp_path / "x.json", "--figure", tmp_path / "x.png", "--progress", "none"]
    refused(["compare", scan, "--methods", "linear", *chosen], "x.json could not be written whole", "No space left")


@pytest.mark.parametrize("name", ["low.nhdr", "low.raw", "sinc.nhdr", "sinc-restored.raw"])
def test_errors_never_overwrite_a_file(refused, scan, tmp_path, monkeypatch, name):
    monkeypatch.setattr(comparison, "comparing", lambda *_, **__: pytest.fail("the work began"))
    (tmp_path / "errors").mkdir()
    (tmp_path / "errors" / name).write_text("precious")
    chosen = ["--methods", "sinc", "--errors", tmp_path / "errors", "--keep-restored"]
    refused(["compare", scan, *chosen], f"{name} exists already", "name an empty folder")


def test_errors_that_the_disk_refuses_leave_none(refused, scan, tmp_path, monkeypatch):
    def full(volume: Volume, path: Path) -> None:
        if path.name == "sinc.nhdr":
            raise OSError(28, "No space left on device")
        images.write_image(volume, path)

    monkeypatch.setattr(output_module, "write_image", full)
    chosen = ["--methods", "sinc", "linear", "--errors", tmp_path / "errors", "--progress", "none"]
    refused(["compare", scan, *chosen], "could not be written whole", "No space left")
