"""Models are found, verified and loaded; whatever does not fit its card is refused, and nothing is unpickled."""

import json
import pickle
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_models import store, tiny

from SuperResolutionLib.methods import zoo


def change_card(weights: Path, **changes: object) -> None:
    path = weights.with_suffix(".json")
    table = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({name: value for name, value in table.items() if value != "gone"}))


def test_a_stored_model_comes_back_in_float32_and_evaluation_mode(tmp_path):
    path = store(tmp_path, half=False)
    model = zoo.load(str(path))
    given = tiny().network.state_dict()
    assert all(torch.equal(tensor, given[name]) for name, tensor in model.network.state_dict().items())
    assert not model.network.training
    assert model.card == zoo.read_card(path)
    assert model.card.sha256 == sha256(path.read_bytes()).hexdigest()
    assert model.card.spacing == (0.5, 4.0)


def test_weights_are_stored_in_float16_and_loaded_in_float32(tmp_path):
    path = store(tmp_path)
    given = tiny().network.state_dict()
    assert {tensor.dtype for tensor in load_file(path).values()} == {torch.float16}
    for name, tensor in zoo.load(str(path)).network.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, given[name].half().float())


def test_the_guides_of_a_model_are_part_of_its_card(tmp_path):
    path = store(tmp_path, guides=("mean_b0", "fitted"))
    assert zoo.load(str(path)).card.guides == ("mean_b0", "fitted")
    change_card(path, guides=["mean_b"])
    with pytest.raises(zoo.InputError, match="mean_b0"):
        zoo.load(str(path))
    change_card(path, guides=["mean_b0"])
    with pytest.raises(zoo.InputError, match="does not hold the network"):
        zoo.load(str(path))


@pytest.mark.parametrize(
    "layout", ["SuperResolutionLib/Resources/Models", "Resources/Models"], ids=["wheel", "checkout"]
)
def test_models_are_found_inside_the_package_and_beside_it(tmp_path, monkeypatch, layout):
    monkeypatch.setattr(zoo, "__file__", str(tmp_path / "SuperResolutionLib" / "methods" / "zoo.py"))
    assert zoo.installed() == {}
    path = store(tmp_path / layout)
    assert zoo.installed() == {"tiny-x2": path}
    assert zoo.find("tiny-x2") == path


def test_a_model_is_found_by_name_and_by_path(shelf, tmp_path):
    installed, own = store(shelf), store(tmp_path / "own", seed=1)
    assert zoo.find("tiny-x2") == installed
    assert zoo.find(str(own)) == own


def test_an_unknown_name_names_the_nearest(shelf, refuses):
    store(shelf)
    with refuses("no installed model called 'tinny-x2'", "did you mean 'tiny-x2'"):
        zoo.load("tinny-x2")


def test_where_none_is_installed_that_is_said(shelf, refuses):
    with refuses("no installed model called 'mri-x2'", "none installed"):
        zoo.load("mri-x2")
    with refuses("no model file", "none installed"):
        zoo.load("nowhere.safetensors")


def test_a_changed_file_is_refused(tmp_path, refuses):
    path = store(tmp_path)
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with refuses("tiny-x2.safetensors is not the file its card describes", "sha256", "fetch the model again"):
        zoo.load(str(path))


def test_weights_without_a_card_are_refused(tmp_path, refuses):
    path = store(tmp_path)
    path.with_suffix(".json").unlink()
    with refuses("tiny-x2.safetensors has no card", "tiny-x2.json", "copy both files together"):
        zoo.load(str(path))


def test_a_card_without_weights_is_refused_by_path_and_by_name(shelf, refuses):
    path = store(shelf)
    path.unlink()
    for name in (str(path), "tiny-x2"):
        with refuses("tiny-x2.safetensors is missing, only its card", "copy both files together"):
            zoo.load(name)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arguments": {"scale": 2, "channels": 3, "features": 16, "blocks": 2}}, ["does not hold the network"]),
        ({"arguments": {"scale": 2, "channels": 3, "features": 24, "blocks": 1}}, ["does not hold the network"]),
        ({"skip": None}, ["does not hold the network"]),
        ({"architecture": "srresnet"}, ["does not hold the network"]),
        ({"slices": 5}, ["does not hold the network"]),
        ({"scale": 4}, ["does not do what its card says", "scale 4"]),
        ({"architecture": "edsrr"}, ["no network called 'edsrr'", "did you mean 'edsr'"]),
        ({"arguments": {"depth": 3}}, ["cannot be built", "depth"]),
        ({"scale": "gone"}, ["lacks a field", "scale"]),
        ({"spacing": "gone"}, ["lacks a field", "spacing"]),
        ({"turns": 0}, ["turns = 0", "from 1 to 8"]),
        ({"turns": "two"}, ["turns = two", "from 1 to 8"]),
        ({"turns": 9}, ["turns = 9", "from 1 to 8"]),
        ({"colour": "blue"}, ["a field that no card has: colour"]),
        ({"card_version": 99}, ["not a model card of version 1"]),
    ],
)
def test_a_card_that_lies_is_refused(tmp_path, refuses, changes, words):
    path = store(tmp_path)
    change_card(path, **changes)
    with refuses(*words):
        zoo.load(str(path))


@pytest.mark.parametrize("text", ["{", "[1, 2]", "\udcff"])
def test_what_is_no_card_is_refused(tmp_path, refuses, text):
    path = store(tmp_path)
    path.with_suffix(".json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with refuses("tiny-x2.json is not a model card"):
        zoo.load(str(path))


class Bomb:
    """An object whose unpickling leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.ckpt", "model.pkl"])
def test_a_pickle_is_refused_unopened_with_the_way_to_convert_it(tmp_path, refuses, name):
    (tmp_path / name).write_bytes(pickle.dumps(Bomb(tmp_path / "opened")))
    with refuses(f"{name} is not a safetensors file", "convert it", "safetensors.torch.save_file"):
        zoo.load(str(tmp_path / name))
    assert not (tmp_path / "opened").exists()


def test_a_pickle_in_disguise_is_refused_unopened(tmp_path, refuses):
    path = store(tmp_path)
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "opened")))
    change_card(path, sha256=sha256(path.read_bytes()).hexdigest())
    with refuses("not a readable safetensors file"):
        zoo.load(str(path))
    assert not (tmp_path / "opened").exists()
