"""`superresolution train` makes a model for thick slices as it makes every other: of anybody's scans, at any pause."""

from pathlib import Path

import numpy as np
import pytest
from folders import contents
from phantoms import layers
from tiny_models import store

from SuperResolutionLib import files
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.training import history
from SuperResolutionLib.volume import Volume

RECIPE = """
architecture = "through_plane"
network = { features = 16, blocks = 1, terms = 4, maps = 3, fine = 4, offers = 2, folds = 3 }
spacing = [2.0, 4.0]
rows = 6
columns = 12
batch = 2
late_rows = 6
late_columns = 16
late_batch = 2
steps = 4
epoch = 2
warm_up = 1
made_for = "layers"
validation = ["ours_sub-40*"]
[[groups]]
pattern = "ours_*"
"""


@pytest.fixture
def train(tmp_path, monkeypatch) -> list[object]:
    """The command that trains on scans of two people, of names that no recipe knows; --out is still to be given."""
    monkeypatch.setattr(history, "find_spec", lambda _name: None)  # to draw the curves takes seconds
    (tmp_path / "thick.toml").write_text(RECIPE)
    (tmp_path / "scans").mkdir()
    for name, seed in (("anna_T1w", 0), ("ben_T1w", 1)):
        grains = 5 * np.random.default_rng(seed).standard_normal((60, 24, 24))
        files.write(Volume((layers().voxels + grains).astype(np.int16)), tmp_path / "scans" / f"{name}.nii.gz")
    return ["train", tmp_path / "thick.toml", "--data", tmp_path / "scans", "--out"]


def model(folder: Path, name: str = "thick") -> bytes:
    return (folder / f"{name}.safetensors").read_bytes()


def test_a_model_for_thick_slices_is_trained_on_scans_of_any_name_and_enhances(command, train, tmp_path):
    run = tmp_path / "run"
    answer = command(*train, run)
    assert answer.code == 0, answer.err
    assert "1 people are learnt from, and" in answer.out
    assert "1 training scans, 3 validation cases" in answer.out
    assert "step 4/4" in answer.out
    assert {path.name for path in run.iterdir()} >= {"checkpoint.pt", "curves.csv", "thick.json", "thick.safetensors"}
    card = zoo.read_card(run / "thick.safetensors")
    assert (card.thins, card.made_for, card.recipe) == (True, "layers", "thick")
    assert card.trained_on == "2 scans of 2 people, given by the user"
    files.write(Volume(layers(20).voxels, spacing=(1, 1, 3)), tmp_path / "thick.nii.gz")
    chosen = ["--slice-spacing", 1, "--model", run / "thick.safetensors", "--device", "cpu"]
    assert command("enhance", tmp_path / "thick.nii.gz", tmp_path / "thin.nii.gz", *chosen).code == 0
    assert files.read(tmp_path / "thin.nii.gz").size == (24, 24, 60)


def test_a_training_for_thick_slices_goes_on_and_begins_with_what_it_is_told(command, train, tmp_path):
    run = tmp_path / "run"
    assert command(*train, run).code == 0
    before, again = model(run), command(*train, run)
    assert again.code == 2
    assert "already holds a training; give --resume" in again.err
    answer = command(*train, run, "--resume")
    assert answer.code == 0
    assert [line for line in answer.out.splitlines() if line.startswith("step ")] == []
    assert model(run) == before
    answer = command(*train, tmp_path / "b", "--from", run / "thick.safetensors", "--seed", 1)
    assert answer.code == 0
    assert "given tensors" in answer.out
    assert model(tmp_path / "b") != before


def test_a_fold_of_the_people_is_held_back_and_names_the_model(command, train, tmp_path):
    answer = command(*train, tmp_path / "run", "--fold", "1/2", "--budget", 1e-6)
    assert answer.code == 0, answer.err
    assert "more than were given" in answer.out
    assert zoo.read_card(tmp_path / "run" / "thick-fold-1-of-2.safetensors").recipe == "thick-fold-1-of-2"


def test_a_dry_run_says_who_is_learnt_from_and_writes_nothing(command, train, tmp_path):
    before = contents(tmp_path)
    answer = command(*train, tmp_path / "run", "--dry-run")
    assert answer.code == 0
    held = "ben" if "chosen by: 1 scans of 1 people: ben" in answer.out else "anna"
    other = "anna" if held == "ben" else "ben"
    assert f"learnt from: 1 scans of 1 people: {other}" in answer.out
    assert "4 steps of 2 patches, 6 thick slices x 12 pixels; an epoch is 2 steps" in answer.out
    assert "minutes on this machine" in answer.out
    assert contents(tmp_path) == before


def test_what_cannot_train_a_model_for_thick_slices_is_refused(refused, train, tmp_path):
    out, slices = tmp_path / "run", store(tmp_path / "models")
    refused([*train, out, "--device", "cuda"], "Models for thick slices are trained on the CPU", "leave --device out")
    refused([*train, out, "--from", slices], "fit 'through_plane'", "name a model of the same architecture")
    refused([train[0], "mri-iso", *train[2:], out], "of 24 x 24 x 60 voxels is too small for the recipe's patches")
    (tmp_path / "thick.toml").write_text("uneven = 2\n" + RECIPE)
    refused([*train, out], "The recipe has uneven = 2; give a number from 0 to 1.")
    store(tmp_path / "run", "thick")
    (tmp_path / "thick.toml").write_text(RECIPE)
    refused([*train, out], "thick.safetensors exists already", "no training of it")
