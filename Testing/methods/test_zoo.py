"""Models are found, verified and loaded; whatever does not fit its card is refused, and nothing is unpickled."""

import json
import pickle
import resource
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from phantoms import brain
from safetensors.torch import load_file
from tiny_models import store, tiny

from SuperResolutionLib import cli, files
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
        ({"architecture": "cpce", "input_grid": "high", "arguments": {"features": 0}}, ["cannot be built"]),
        ({"arguments": {"scale": 2, "channels": 3, "features": 16, "blocks": "many"}}, ["cannot be built", "many"]),
        ({"scale": "gone"}, ["tiny-x2.json lacks the field 'scale'"]),
        ({"spacing": "gone"}, ["lacks the field 'spacing'"]),
        ({"turns": 0}, ["turns = 0", "from 1 to 8"]),
        ({"turns": "two"}, ["turns = 'two'", "from 1 to 8"]),
        ({"turns": 9}, ["turns = 9", "from 1 to 8"]),
        ({"colour": "blue"}, ["tiny-x2.json has 'colour'", "no such field"]),
        ({"card_version": 99}, ["not a model card of version 1"]),
        ({"slices": 2}, ["slices = 2", "odd"]),
        ({"spacing": [4.0, 0.5]}, ["spacing from 4 to 0.5", "lower one first"]),
        ({"looks": {"noise": [0.2, 0.1]}}, ["noise from 0.2 to 0.1"]),
        ({"looks": {"nois": [0.1, 0.2]}}, ["called 'nois'", "did you mean 'noise'"]),
        ({"recognition": {"models": ["are"], "profiles": [[1]], "precision": [[1]]}}, ["did you mean 'area'"]),
        ({"recognition": {"models": ["area"], "profiles": [[1, 2]], "precision": [[1]]}}, ["recognises 1 models"]),
        ({"recognition": {"models": ["area"]}}, ["in recognition", "lacks the field 'profiles'"]),
    ],
)
def test_a_card_that_lies_is_refused(tmp_path, refuses, changes, words):
    path = store(tmp_path)
    change_card(path, **changes)
    with refuses(*words):
        zoo.load(str(path))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arguments": {"scale": 2, "channels": 3, "features": 16, "blocks": 100000}}, ["arguments.blocks = 100000"]),
        ({"arguments": [1, 2]}, ["arguments = [1, 2]", "a table"]),
        ({"arguments": {"features": {"features": {}}}}, ["arguments.features"]),
        ({"scale": "2"}, ["scale = '2'", "a whole number from 1 to 16"]),
        ({"scale": 10**6}, ["scale = 1000000", "from 1 to 16"]),
        ({"slices": True}, ["slices = True", "a whole number"]),
        ({"spacing": "ab"}, ["spacing = 'ab'", "a list of 2 entries"]),
        ({"spacing": [0.5, float("nan")]}, ["spacing[1]"]),
        ({"spacing": [0.5, "4"]}, ["spacing[1] = '4'", "a number above 0"]),
        ({"guides": "mean_b0"}, ["guides = 'mean_b0'", "a list"]),
        ({"held_out": {"gain": "much"}}, ["held_out.gain = 'much'"]),
        ({"parameters": 10**400}, ["parameters", "no number up to"]),
        ({"trained_on": "x" * 6000}, ["trained_on", "6000 characters"]),
        ({"name": "../escaped"}, ["name = '../escaped'", "letters, digits"]),
        ({"sha256": "abc"}, ["sha256 = 'abc'", "64 hexadecimal digits"]),
    ],
)
def test_a_card_with_values_of_another_kind_is_refused_by_the_key(tmp_path, refuses, changes, words):
    """Fault I6: TypeError, KeyError, or no end."""
    path = store(tmp_path)
    change_card(path, **changes)
    with refuses("tiny-x2", *words):
        zoo.load(str(path))


def test_a_network_larger_than_its_weights_is_never_built(tmp_path, refuses):
    """Fault I6: these numbers are each allowed, and together are 40 GB."""
    path = store(tmp_path)
    change_card(path, arguments={"scale": 2, "channels": 3, "features": 1024, "blocks": 512})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with refuses("does not hold the network"):
        zoo.load(str(path))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB; of the peak so far


@pytest.mark.parametrize("content", ['{"a":' * 30_000 + "1" + "}" * 30_000, '{"a": ' + "1" * 5000 + "}", " " * 600_000])
def test_a_file_that_is_no_honest_card_is_refused(tmp_path, refuses, content):
    """Fault I6."""
    path = store(tmp_path)
    path.with_suffix(".json").write_text(content)
    with refuses("tiny-x2.json is not a model card"):
        zoo.load(str(path))


def test_one_bad_card_leaves_the_other_models_installed(shelf, refuses):
    """Fault I6: one bad installed card broke `enhance` for all models."""
    good, bad = store(shelf), store(shelf, "mri-x2")
    change_card(bad, spacing=None)
    (shelf / "alone.safetensors").write_bytes(b"")
    with pytest.warns(UserWarning) as said:
        assert zoo.installed() == {"tiny-x2": good}
        assert zoo.cards() == {"tiny-x2": zoo.read_card(good)}
    alone, other = dict.fromkeys(str(warning.message) for warning in said)
    assert alone.startswith("the model alone was left out: alone.safetensors has no card")
    assert other.startswith("the model mri-x2 was left out: mri-x2.json has spacing = None")
    with refuses("mri-x2.json has spacing = None"):
        zoo.load("mri-x2")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_weights_that_no_training_leaves_are_refused(tmp_path, refuses, value):
    """Fault I1: they matched their sha256, and made images of 0, of 32767, or plausible rubbish, with exit code 0."""
    model = tiny()
    weights = model.network.state_dict()
    next(iter(weights.values())).view(-1)[3] = value
    path = tmp_path / "tiny-x2.safetensors"
    zoo.save(weights, model.card, path, half=False)
    with refuses("tiny-x2.safetensors is damaged", "not all numbers", "fetch the model again"):
        zoo.load(str(path))


def test_the_installed_models_need_no_msgspec(monkeypatch):
    """Inside 3D Slicer there is none, and cards of our own were checked before they were packed."""
    checked = zoo.cards()
    assert checked.keys() == {path.stem for path in zoo.folders()[0].glob("*.safetensors")}
    without_msgspec(monkeypatch)
    assert zoo.cards() == checked
    assert zoo.load("mri-x2").card == checked["mri-x2"]


def test_without_msgspec_a_card_from_elsewhere_is_refused(tmp_path, monkeypatch, refuses):
    path = store(tmp_path)
    without_msgspec(monkeypatch)
    with refuses("tiny-x2.json cannot be checked", "pip install msgspec"):
        zoo.load(str(path))


def test_a_card_is_imported_without_msgspec():
    code = (
        "import sys; sys.modules['msgspec'] = None; from SuperResolutionLib.methods import zoo; print(zoo.Card.turns)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "1\n"


def test_without_msgspec_a_card_of_another_version_of_ours_is_refused(shelf, monkeypatch, refuses):
    path = store(shelf)
    change_card(path, spacing="gone")
    without_msgspec(monkeypatch)
    with refuses("tiny-x2.json is not a card as this version has it", "spacing"):
        zoo.load("tiny-x2")


def test_the_other_models_enhance_beside_a_bad_card(shelf, tmp_path, capsys):
    """Fault I6."""
    store(shelf, "mri-x2")
    change_card(store(shelf, "mri-x4"), turns=0)
    files.write(brain((16, 16, 2)), tmp_path / "in.nii.gz")
    assert cli.main(["enhance", str(tmp_path / "in.nii.gz"), str(tmp_path / "out.nii.gz")]) == 0
    assert "warning: the model mri-x4 was left out: mri-x4.json has turns = 0" in capsys.readouterr().err
    assert cli.main(["enhance", str(tmp_path / "in.nii.gz"), str(tmp_path / "two.nii.gz"), "--model", "mri-x4"]) == 2
    assert "mri-x4.json has turns = 0; give a whole number from 1 to 8." in capsys.readouterr().err


def without_msgspec(monkeypatch) -> None:
    zoo._card.cache_clear()
    monkeypatch.setitem(sys.modules, "msgspec", None)


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("bicubic", "bicubic"),
        ("mri-x2", "mri-x2"),
        ("a/b/knee-x2.safetensors", "knee-x2"),
        ("my $best$ one.safetensors", "my_best_one"),
        ("_hidden.safetensors", "hidden"),
        ("Köpfe.safetensors", "Köpfe"),
        ("$$.safetensors", "model"),
    ],
)
def test_the_label_of_a_model_is_safe_in_figures_and_file_names(given, label):
    """Fault I7: a "$" began a formula, and matplotlib broke off after all the work."""
    assert zoo.label(given) == label


def test_a_card_of_earlier_days_still_loads(tmp_path):
    path = store(tmp_path)
    change_card(path, looks="gone", recognition="gone", made_for="gone", turns="gone", guides="gone")
    assert zoo.read_card(path).looks == {}


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
