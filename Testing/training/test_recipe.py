"""A recipe is checked as a whole before anything is trained by it."""

import pytest

from SuperResolutionLib.training import recipe as recipes
from SuperResolutionLib.training.recipe import Group, from_table, load

LEAST = {"name": "mine", "architecture": "edsr", "scale": 2}
PLAY = {"losses": {"l1": 1}, "adversarial": {"discriminator": "srgan"}}
WHOLE = """
architecture = "edsr"
scale = 4
slices = 3
network = { features = 16, blocks = 2 }
validation = ["val_*"]

[[groups]]
pattern = "head_*"
planes = ["native", "coronal"]
weight = 0.6

[[groups]]
pattern = "*dwi*"
"""


def test_every_recipe_of_the_package_can_be_loaded():
    assert recipes.names()
    for name in recipes.names():
        assert load(name).name == name


def test_a_users_own_file_is_a_recipe(tmp_path):
    (tmp_path / "mine.toml").write_text(WHOLE)
    mine = load(str(tmp_path / "mine.toml"))
    assert mine.name == "mine"
    assert mine.groups == (Group("head_*", ("native", "coronal"), 0.6), Group("*dwi*"))
    assert mine.arguments() == {"scale": 4, "channels": 3, "features": 16, "blocks": 2}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"learning_rat": 1e-3}, ["no recipe setting called 'learning_rat'", "did you mean 'learning_rate'"]),
        ({"slices": 4}, ["takes 4 slices", "odd number"]),
        ({"optimiser": "adamm"}, ["no optimiser called 'adamm'", "did you mean 'adam'"]),
        ({"degradation": "bicubik"}, ["no degradation called 'bicubik'", "did you mean 'bicubic'"]),
        ({"validate_on": ["k_spce"]}, ["no degradation called 'k_spce'", "did you mean 'k_space'"]),
        ({"turns": 9}, ["turns = 9", "from 1 to 8"]),
        ({"recognise": ["are"]}, ["no degradation called 'are'", "did you mean 'area'"]),
        ({"second_loss": "pnsr"}, ["no second_loss called 'pnsr'", "did you mean 'psnr'"]),
        ({"steps": "many"}, ["steps = 'many'", "a whole number"]),
        ({"steps": 0}, ["steps = 0", "1 or more"]),
        ({"epoch": 0}, ["epoch = 0", "1 or more"]),
        ({"warm_up": 0}, ["warm_up = 0", "1 or more"]),
        ({"hold": 1.0}, ["hold = 1.0", "below 1"]),
        ({"batch": 2.5}, ["batch = 2.5", "a whole number"]),
        ({"learning_rate": -1}, ["learning_rate = -1", "0 or more"]),
        ({"learning_rate": "fast"}, ["learning_rate = 'fast'", "a number"]),
        ({"name": 7}, ["name = 7", "text"]),
        ({"groups": ["head_*"]}, ["groups are not tables", "[[groups]]"]),
        ({"groups": [{"patern": "*"}]}, ["no group setting called 'patern'", "did you mean 'pattern'"]),
        ({"groups": [{"planes": ["axail"]}]}, ["no plane called 'axail'", "did you mean 'axial'"]),
        ({"groups": [{"weight": "heavy"}]}, ["weight = 'heavy'", "a number"]),
        ({"groups": [{"voxels": [0.5]}]}, ["voxels = [0.5]", "1 or more"]),
        ({"groups": [{"voxels": ["big"]}]}, ["voxels = ['big']", "1 or more"]),
        ({"guides": ["mean_b0"], "contrast": 0.3}, ["guides and contrast", "leave one out"]),
        ({"guides": ["mean_b"]}, ["no guide called 'mean_b'", "did you mean 'mean_b0'"]),
        ({"architecture": "esdr"}, ["no network called 'esdr'", "did you mean 'edsr'"]),
        ({"schedule": "cosin"}, ["no schedule called 'cosin'", "did you mean 'cosine'"]),
        ({"source": "photos"}, ["no source called 'photos'", "did you mean 'photographs'"]),
        ({"losses": {"perceptua": 1}}, ["no loss called 'perceptua'", "did you mean 'perceptual'"]),
        ({"losses": {"l1": "much"}}, ["'l1' has the weight 'much'", "0 or more"]),
        ({"losses": {"l1": {"wait": 1}}}, ["'l1' has the weight None"]),
        ({"subject": "(a"}, ["subject = '(a'", "not a regular expression"]),
        ({"subject": "a"}, ["subject = 'a'", "parentheses"]),
        ({"twin_steps": 5}, ["no discriminator", "[adversarial]"]),
        ({"cycle": {}}, ["no discriminator", "[adversarial]"]),
        ({"adversarial": {"discriminato": "srgan"}}, ["in [adversarial]", "did you mean 'discriminator'"]),
        ({"adversarial": {}}, ["[adversarial] lacks a setting", "discriminator"]),
        ({"adversarial": 3}, ["[adversarial] lacks a setting, or is no table"]),
        ({"adversarial": {"discriminator": "srgan"}}, ["no image loss", "[losses]"]),
        ({**PLAY, "twin_steps": 30000}, ["30000 are the twin's"]),
        ({**PLAY, "cycle": {"wait": 1}}, ["in [cycle]", "did you mean 'weight'"]),
        ({**PLAY, "cycle": {}}, ['skip = "none", slices = 1', "circle"]),
        ({**PLAY, "cycle": {"paired": 2}}, ["paired = 2", "from 0 to 1"]),
        *(
            ({**PLAY, "adversarial": {"discriminator": "srgan", **wrong}}, words)
            for wrong, words in (
                ({"discriminator": "srgn"}, ["no discriminator called 'srgn'", "did you mean 'srgan'"]),
                ({"rules": "wgan"}, ["no adversarial loss called 'wgan'", "did you mean 'wgan_gp'"]),
                ({"optimiser": "sdg"}, ["no optimiser called 'sdg'", "did you mean 'sgd'"]),
                ({"spectral_norm": 1}, ["spectral_norm = 1", "true or false"]),
                ({"network": 1}, ["network = 1", "a table"]),
                ({"hold": 1}, ["hold = 1", "below 1"]),
                ({"settle": 1}, ["settle = 1", "below 1"]),
                ({"generator_steps": 2, "discriminator_steps": 2}, ["one of the two numbers is 1"]),
            )
        ),
    ],
)
def test_a_setting_that_cannot_be_is_refused(refuses, changes, words):
    with refuses(*words):
        from_table({**LEAST, **changes})


def test_a_missing_setting_is_named(refuses):
    with refuses("lacks a setting", "'scale'"):
        from_table({"name": "mine", "architecture": "edsr"})


@pytest.mark.parametrize("content", [b"scale = = 2", b"name = \xff"])
def test_what_is_not_toml_is_refused(tmp_path, refuses, content):
    (tmp_path / "mine.toml").write_bytes(content)
    with refuses("mine.toml is not a recipe", "Compare it with one of ours"):
        load(str(tmp_path / "mine.toml"))


def test_an_unknown_recipe_names_the_nearest(refuses):
    with refuses("no recipe called 'mri-x22'", "did you mean 'mri-x2'"):
        load("mri-x22")


def test_the_first_group_that_fits_takes_a_file_and_excluded_ones_fit_none():
    groups = [{"pattern": "head_*"}, {"pattern": "*_ax"}]
    mine = from_table({**LEAST, "groups": groups, "exclude": ["*bad*"], "validation": ["head_9*"]})
    assert mine.group_of("head_1_ax") is mine.groups[0]
    assert mine.group_of("leg_1_ax") is mine.groups[1]
    assert mine.group_of("leg_1") is None
    assert mine.group_of("head_bad") is None
    assert [mine.is_validation(name) for name in ("head_9", "head_1")] == [True, False]
