"""superresolution view: a page of any volumes, or one sentence and no file."""

import json
import re

import numpy as np

from SuperResolutionLib import files
from SuperResolutionLib.volume import Volume


def shown(path):
    (found,) = re.findall(r'<script type="application/json">(.*?)</script>', path.read_text(), re.DOTALL)
    return json.loads(found)


def test_volumes_of_unequal_grids_become_one_page(command, scan, tmp_path):
    fine = Volume(np.ones((16, 28, 26), np.int16), (1.0, 1.0, 1.0), (-10.0, 20.0, 3.5))
    files.write(fine, tmp_path / "fine.nrrd")
    answer = command("view", scan, tmp_path / "fine.nrrd", "--out", tmp_path / "page.html")
    assert (answer.code, answer.err) == (0, "")
    assert re.search(r"page.html written in [0-9.]+ s. Research use only.\n$", answer.out)
    found = shown(tmp_path / "page.html")
    assert [layer["name"] for layer in found["layers"]] == ["scan.nii.gz", "fine.nrrd"]
    assert found["grid"]["whole"] == [4, 28, 26]
    assert command("view", scan, tmp_path / "fine.nrrd", "--finest", "--out", tmp_path / "finest.html").code == 0
    assert shown(tmp_path / "finest.html")["grid"]["whole"] == [16, 28, 26]


def test_the_page_calls_them_what_it_is_told_to(command, scan, refused, tmp_path):
    out = tmp_path / "page.html"
    assert command("view", scan, scan, "--names", "before", "<after>", "--out", out).code == 0
    assert [layer["name"] for layer in shown(out)["layers"]] == ["before", "<after>"]
    refused(["view", scan, scan, "--names", "one", "--out", tmp_path / "b.html"], "1 names for 2 volumes")


def test_bad_inputs_and_outputs_are_refused(command, scan, refused, tmp_path):
    out = tmp_path / "page.html"
    (tmp_path / "notes.nii").write_text("not an image")
    (tmp_path / "mine.html").write_text("mine")
    far = Volume(np.ones((4, 5, 6), np.int16), origin=(900.0, 0.0, 0.0))
    files.write(far, tmp_path / "far.nrrd")
    refused(["view", tmp_path / "scam.nii.gz", "--out", out], "There is no file", "did you mean 'scan.nii.gz'?")
    refused(["view", scan, tmp_path / "notes.nii", "--out", out], "notes.nii")
    refused(["view", scan, tmp_path / "far.nrrd", "--out", out], "have no place in common", "register")
    refused(["view", scan, "--out", tmp_path / "page.png"], "cannot be written as HTML", ".html")
    refused(["view", scan, "--out", tmp_path / "away" / "page.html"], "does not exist")
    refused(["view", scan, "--out", tmp_path / "mine.html"], "mine.html exists already", "--overwrite")
    assert command("view", scan, "--out", tmp_path / "mine.html", "--overwrite").code == 0


def test_an_input_is_never_overwritten_whatever_it_is_called(command, refused, scan, tmp_path):
    refused(["view", scan, "--out", scan, "--overwrite"], "cannot be written as HTML")
