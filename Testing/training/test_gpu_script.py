"""The script for a few minutes on a GPU does in miniature, on the CPU, all that it would do there."""

import json
from zipfile import ZipFile

import pytest
from small_world import SETTINGS, write_scans
from tiny_models import store

from benchmarks import gpu
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.training.recipe import from_table


@pytest.fixture
def mine(tmp_path):
    """A recipe whose first weights are those of a tiny model."""
    return from_table({**SETTINGS, "start_from": str(store(tmp_path / "models")), "epoch": 5, "steps": 10})


def test_it_packs_what_chooses_the_epoch_first_and_no_more_than_fits(tmp_path, mine, monkeypatch):
    folder = write_scans(tmp_path / "scans", "a", "b", "val_c")
    names = gpu.pack(folder, mine, tmp_path / "all.zip")
    assert names == ["val_c", "a", "b"]
    monkeypatch.setattr(gpu, "MOST", sum(path.stat().st_size for path in folder.iterdir()) - 10)
    assert len(gpu.pack(folder, mine, tmp_path / "fewer.zip")) == 2
    with ZipFile(tmp_path / "fewer.zip") as packed:
        assert packed.namelist()[0] == "val_c.nii.gz"


def test_it_measures_and_trains_and_leaves_model_curves_and_figures(tmp_path, mine, monkeypatch):
    monkeypatch.setattr(gpu, "WIDTHS", (4, 8))
    monkeypatch.setattr(gpu, "SLICE", (16, 20))
    monkeypatch.setattr(gpu, "STEPS", 2)
    gpu.pack(write_scans(tmp_path / "scans", "a", "b", "val_c"), mine, tmp_path / "all.zip")
    gpu.run(tmp_path / "all.zip", mine, tmp_path / "out", minutes=2.0, device="cpu")
    found = json.loads((tmp_path / "out" / "gpu.json").read_text())
    assert [row["precision"] for row in found["cost"]] == list(gpu.PRECISIONS)
    assert found["cost"][0]["most"] < 1e-3 < found["cost"][1]["most"] < 10
    assert [row["features"] for row in found["training"]] == [4, 8]
    card = zoo.read_card(tmp_path / "out" / "tiny-wide.safetensors")
    assert card.arguments["features"] == 8
    assert (tmp_path / "out" / "curves.csv").exists()
