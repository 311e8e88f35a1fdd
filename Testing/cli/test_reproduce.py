"""superresolution reproduce: a paper's table beside ours."""

import json

import numpy as np
import pytest
from phantoms import brain
from tiny_models import store

from SuperResolutionLib import files
from SuperResolutionLib.volume import Volume

QUICK = ["--precision", "float32", "--threads", 1]


@pytest.fixture
def data(tmp_path):
    """A head to train on and one to test on, int16."""
    for part in ("train", "test"):
        (tmp_path / "data" / part).mkdir(parents=True)
        volume = Volume(brain((26, 28, 3)).voxels.astype(np.int16), (1.0, 1.0, 4.0))
        files.write(volume, tmp_path / "data" / part / f"{part}_T1w.nii.gz")
    return tmp_path / "data"


def test_the_table_is_printed_with_what_the_paper_prints(command, data, shelf):
    store(shelf, "D-gan-cpce-x2")
    answer = command("reproduce", "d", "--data", data, *QUICK, "--progress", "none")
    assert answer.code == 0, answer.err
    (cpce, _twin, circle, _) = [line for line in answer.out.splitlines() if line.startswith("D-gan-")]
    assert cpce.split()[1:3] == ["33.2031", "0.9563"]
    assert "not trained" not in cpce
    assert circle.endswith("32.2995  0.9465  not trained yet")
    assert "1 scan of 1 subject" in answer.out
    assert "What differs: " in answer.out


def test_only_test_scans_are_measured_and_the_figures_go_to_json(command, data, shelf, tmp_path):
    answer = command("reproduce", "C", "--data", data, *QUICK, "--json", tmp_path / "c.json", "--progress", "json")
    assert answer.code == 0, answer.err
    assert [event["event"] for event in answer.events()][-1] == "done"
    table = json.loads((tmp_path / "c.json").read_text())
    assert table["work"] == "C"
    assert [record["scan"] for record in table["cases"][0]["records"]] == ["test_T1w"]
    rows = {row["name"]: row for row in table["cases"][0]["table"]}
    assert rows["C-srgan-paediatric-x2"]["trained"] is False
    assert rows["C-srgan-paediatric-x2"]["psnr"] is None


def test_the_folder_gets_the_table_and_the_picture(command, data, shelf, tmp_path):
    models = store(tmp_path / "runs" / "cpce", "D-gan-cpce-x2").parent.parent
    out = tmp_path / "out"
    arguments = ["--models", models, "--out", out, "--slices", 2, "--credit", "made up", "--progress", "none"]
    answer = command("reproduce", "D", "--data", data, *QUICK, *arguments)
    assert answer.code == 0, answer.err
    assert sorted(path.name for path in out.iterdir()) == ["work-d.md", "work-d.png"]
    assert "| D-gan-cpce-x2 | 33.2031 | 0.9563 |" in (out / "work-d.md").read_text()
    assert "2 slices in the middle of each" in answer.out


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"work": "F"}, ["no work called 'F'"]),
        ({"work": "A"}, ["Work A is measured on diffusion series", "--data"]),
        ({"--data": "nowhere"}, ["nowhere does not exist"]),
        ({"--data": "empty"}, ["no scan in", "empty"]),
        ({"--models": "nowhere"}, ["folder of models", "nowhere does not exist"]),
        ({"--json": "figures.txt"}, ["figures.txt", ".json"]),
        ({"--out": "nowhere/out"}, ["nowhere does not exist"]),
        ({"--device": "mps"}, ["mps"]),
    ],
)
def test_what_cannot_be_is_refused(refused, data, shelf, tmp_path, changes, words):
    (tmp_path / "empty").mkdir()
    store(shelf, "D-gan-cpce-x2")
    own = {key: value if key in ("work", "--device") else tmp_path / value for key, value in changes.items()}
    given = {"work": "D", "--data": data, "--progress": "none", **own}
    refused(["reproduce", given.pop("work"), *(part for pair in given.items() for part in pair)], *words)
