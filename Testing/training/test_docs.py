"""What the documentation shows can be done: a network of one's own, from its file to an enhanced scan."""

import re
import tomllib
from pathlib import Path

import torch
from in_words import enhance
from torch import nn

from SuperResolutionLib import files
from SuperResolutionLib.networks import NETWORKS
from SuperResolutionLib.training.loop import train
from SuperResolutionLib.training.publish import publish
from SuperResolutionLib.training.recipe import from_table

ADDING = (Path(__file__).parents[2] / "docs" / "adding.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The one example of a language that has no name of its own."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", ADDING, re.DOTALL)
    return found


def test_the_network_of_the_documentation_trains_is_published_and_enhances(scans, tmp_path, monkeypatch):
    monkeypatch.setattr("SuperResolutionLib.networks.NETWORKS", NETWORKS)
    monkeypatch.setitem(NETWORKS, "tiny", nn.Identity)  # taken out again after the test
    exec(block("python"), {"nn": nn, "torch": torch, "NETWORKS": NETWORKS})
    quick = {"name": "tiny-x2", "patch": 12, "batch": 2, "epoch": 4, "precision": "float32"}
    recipe = from_table({**tomllib.loads(block("toml")), **quick, "steps": 4})
    data = scans("train/a", "train/val_c")
    best = train(recipe, data, tmp_path / "run", device="cpu", log=lambda _line: None)
    path = publish(recipe, best, data, tmp_path)
    assert enhance(files.read(data / "train" / "a.nii.gz"), str(path)).size == (72, 72, 4)


def test_the_example_is_ten_lines_of_code():
    code = [line for line in block("python").splitlines() if line.strip()]
    assert len(code) <= 10
