"""The recipe for thick slices is checked, split and adapted as every recipe is; ours is what it was."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from named_scans import parts, scans

from SuperResolutionLib.networks import build_through_plane
from SuperResolutionLib.training import recipe as recipes
from SuperResolutionLib.training import split
from SuperResolutionLib.training.adapting import adapted
from SuperResolutionLib.training.recipe import from_table, load
from SuperResolutionLib.training.through_plane.thick_recipe import ThickGroup, ThickRecipe, Way

LEAST = {"name": "mine", "architecture": "through_plane"}
WAY = {"axis": "z", "thickness": 4, "spacing": 4}
BEFORE = Path(__file__).with_name("mri_iso_before.json")

# file, slice axis, thickness, spacing (mm), profile, SNR (0: no noise): what validation was before recipes said it
TEN = (
    ("ds002748_sub-40_T1w", "z", 4.0, 4.0, "gaussian", 0),
    ("ds002748_sub-40_T1w", "z", 4.0, 4.0, "box", 0),
    ("ds002748_sub-40_T1w", "z", 2.0, 2.0, "gaussian", 0),
    ("ds002748_sub-40_T1w", "z", 3.0, 4.0, "gaussian", 40),
    ("ds002748_sub-40_T1w", "z", 6.0, 6.0, "box", 0),
    ("ds002748_sub-40_T1w", "z", 4.0, 4.6, "gaussian", 20),
    ("rorden_T1w_08mm", "z", 4.0, 4.0, "gaussian", 0),
    ("rorden_T1w_08mm", "y", 3.0, 3.0, "box", 40),
    ("openms_patient20_FLAIR", "y", 4.0, 4.0, "gaussian", 0),
    ("openms_patient20_FLAIR", "x", 3.0, 4.0, "box", 40),
)


# ---------------------------------------------------------------- the recipe that comes with the house


def test_our_recipe_says_what_it_said_when_it_had_a_folder_of_its_own():
    before, ours = json.loads(BEFORE.read_text(encoding="utf-8")), load("mri-iso")
    now = json.loads(json.dumps(asdict(ours)))
    assert {name: now[name] for name in before} == before
    assert isinstance(ours, ThickRecipe)
    assert "mri-iso" in recipes.names()


def test_the_ten_ways_of_our_validation_are_the_same():
    ours = load("mri-iso")
    assert [(w.pattern, w.axis, w.thickness, w.spacing, w.profile, w.snr) for w in ours.ways] == list(TEN)
    assert all(ours.is_validation(way.pattern) for way in ours.ways)


def test_our_recipe_leaves_out_validation_and_the_volunteer_of_test_scans():
    ours = load("mri-iso")
    assert ours.group_of("ds002748_sub-01_T1w") is not None
    for name in ("ds002748_sub-40_T1w", "openms_patient20_FLAIR", "rorden_T1w_08mm"):
        assert ours.is_validation(name)
    assert ours.group_of("uih_T1w_sagittal_halfmm") is None
    assert build_through_plane(ours.architecture, ours.network).maps == ours.network["maps"]


# ---------------------------------------------------------------- what is wrong is said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colums": 3}, ["'colums', but there is no such setting", "did you mean 'columns'"]),
        ({"scale": 2}, ["'scale', but there is no such setting"]),
        ({"rows": "many"}, ["rows = 'many'", "a whole number"]),
        ({"columns": 1}, ["columns = 1", "from 2 to 1,024"]),
        ({"steps": 0}, ["steps = 0", "1 or more"]),
        ({"epoch": 2.5}, ["epoch = 2.5", "a whole number"]),
        ({"batch": 0}, ["batch = 0", "from 1"]),
        ({"batch": 5}, ["batch = 5", "2 together", "a multiple"]),
        ({"late_batch": 7}, ["late_batch = 7", "2 together"]),
        ({"together": 0}, ["together = 0", "from 1"]),
        ({"spacing": 4}, ["spacing = 4", "a list of 2 entries"]),
        ({"spacing": [4]}, ["spacing = [4]", "a list of 2 entries"]),
        ({"spacing": [0, 4]}, ["spacing[0] = 0", "above 0"]),
        ({"spacing": [7, 2]}, ["spacing from 7 to 2", "lower one first"]),
        ({"thickness": [1, 0.5]}, ["thickness from 1 to 0.5", "lower one first"]),
        ({"snr": [-1, 5]}, ["snr[0] = -1", "above 0"]),
        ({"ratio": 0.5}, ["ratio = 0.5", "from 1"]),
        ({"noisy": 2}, ["noisy = 2", "from 0 to 1"]),
        ({"told": -1}, ["told = -1", "from 0 to 3"]),
        ({"learning_rate": "fast"}, ["learning_rate = 'fast'", "a number"]),
        ({"ema": 1.5}, ["ema = 1.5", "from 0 to 1"]),
        ({"seed": -1}, ["seed = -1"]),
        ({"profiles": []}, ["profiles = []"]),
        ({"profiles": ["gausian"]}, ["no slice profile called 'gausian'", "did you mean 'gaussian'"]),
        ({"second_loss": "pnsr"}, ["no second_loss called 'pnsr'", "did you mean 'psnr'"]),
        ({"subject": "(a"}, ["subject = '(a'", "not a regular expression"]),
        ({"network": {"featurs": 8}}, ["network has 'featurs', but there is no such argument", "'features'"]),
        ({"network": {"features": "wide"}}, ["features = 'wide'", "a whole number"]),
        ({"network": {"features": 0}}, ["features = 0", "from 1 to 1,024"]),
        ({"network": {"offers": 3}}, ["offers = 3", "from 0 to 2"]),
        ({"network": {"neighbours": 4}}, ["4 neighbours", "odd number"]),
        ({"network": {"terms": 2, "folds": 3}}, ["folds = 3", "series of 2 terms"]),
        ({"groups": ["head_*"]}, ["groups[0] = 'head_*'", "[[groups]]"]),
        ({"groups": [{"planes": ["axial"]}]}, ["'groups[0].planes', but there is no such setting"]),
        ({"groups": [{"axes": "xx"}]}, ["groups[0].axes = 'xx'", "x, y and z"]),
        ({"groups": [{"axes": "z"}]}, ["groups[0].axes = 'z'", "two or three different letters"]),
        ({"groups": [{"margin": -1}]}, ["groups[0].margin = -1", "from 0 to 100"]),
        ({"ways": [3]}, ["ways[0] = 3", "[[ways]]"]),
        ({"ways": [{}]}, ["lacks the setting 'ways[0].axis'"]),
        ({"ways": [{**WAY, "axis": "w"}]}, ["ways[0].axis = 'w'", "x, y or z"]),
        ({"ways": [{**WAY, "spacing": 0}]}, ["ways[0].spacing = 0", "above 0"]),
        ({"ways": [{**WAY, "snr": -1}]}, ["ways[0].snr = -1", "0 or more"]),
        ({"ways": [{**WAY, "profile": "bx"}]}, ["no slice profile called 'bx'", "did you mean 'box'"]),
        ({"architecture": "through_plan"}, ["no network called 'through_plan'", "did you mean 'through_plane'"]),
    ],
)
def test_a_setting_for_thick_slices_that_cannot_be_is_refused(refuses, changes, words):
    with refuses(*words):
        from_table({**LEAST, **({"scale": 2} if "architecture" in changes else {}), **changes})


def test_an_unknown_recipe_for_thick_slices_names_the_nearest(refuses):
    with refuses("no recipe called 'mri-is'", "did you mean 'mri-iso'"):
        load("mri-is")


# ---------------------------------------------------------------- scans of any name


def test_thick_slices_are_learnt_of_scans_of_any_name_split_by_person(tmp_path):
    folder = scans(tmp_path, "anna_T1w.nii.gz", "anna_T2w.nii.gz", "ben_T1w.nrrd", "carla_T1w.mha")
    recipe, said = adapted(load("mri-iso"), folder)
    learnt, held = parts(recipe, folder)
    assert learnt | held == {"anna_T1w", "anna_T2w", "ben_T1w", "carla_T1w"}
    assert held and not learnt & held
    assert (recipe.groups, recipe.ways) == ((ThickGroup(axes="auto"),), ())
    assert "2 people are learnt from" in said
    assert "given by the user" in recipe.trained_on


def test_our_own_scans_are_left_as_our_recipe_has_them(tmp_path):
    folder = scans(tmp_path, "ds002748_sub-01_T1w.nii.gz", "ds002748_sub-40_T1w.nii.gz")
    ours = load("mri-iso")
    assert adapted(ours, folder) == (ours, "")
    assert parts(ours, folder) == ({"ds002748_sub-01_T1w"}, {"ds002748_sub-40_T1w"})


def test_a_fold_chooses_by_its_own_people_in_the_usual_ways(tmp_path):
    folder = scans(tmp_path, *(f"ds002748_sub-{k}_T1w.nii.gz" for k in (38, 40, 41, 42)))
    folds = [split.fold(load("mri-iso"), folder, k, 2) for k in (1, 2)]
    assert [fold.name for fold in folds] == ["mri-iso-fold-1-of-2", "mri-iso-fold-2-of-2"]
    assert [fold.ways for fold in folds] == [(), ()]
    assert parts(folds[0], folder) == parts(folds[1], folder)[::-1]


def test_a_users_own_file_may_say_how_thick_slices_are_validated(tmp_path):
    (tmp_path / "mine.toml").write_text(
        'architecture = "through_plane"\n[[ways]]\naxis = "y"\nthickness = 3\nspacing = 4\nsnr = 30\n'
    )
    mine = load(str(tmp_path / "mine.toml"))
    assert mine.ways == (Way(axis="y", thickness=3.0, spacing=4.0, snr=30.0),)
    assert (mine.name, mine.groups) == ("mine", (ThickGroup("*", "auto"),))
