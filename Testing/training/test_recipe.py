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
        ({"learning_rat": 1e-3}, ["'learning_rat', but there is no such setting", "did you mean 'learning_rate'"]),
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
        ({"name": 7}, ["name = 7", "letters, digits"]),
        ({"groups": ["head_*"]}, ["groups[0] = 'head_*'", "[[groups]]"]),
        ({"groups": [{"patern": "*"}]}, ["'groups[0].patern', but there is no such setting", "did you mean 'pattern'"]),
        ({"groups": [{"planes": ["axail"]}]}, ["no plane called 'axail'", "did you mean 'axial'"]),
        ({"groups": [{"weight": "heavy"}]}, ["groups[0].weight = 'heavy'", "a number"]),
        ({"groups": [{"voxels": [0.5]}]}, ["groups[0].voxels[0] = 0.5", "from 1 to 16"]),
        ({"groups": [{"voxels": ["big"]}]}, ["groups[0].voxels[0] = 'big'", "from 1 to 16"]),
        ({"guides": ["mean_b0"], "contrast": 0.3}, ["guides and contrast", "leave one out"]),
        ({"guides": ["mean_b"]}, ["no guide called 'mean_b'", "did you mean 'mean_b0'"]),
        ({"architecture": "esdr"}, ["no network called 'esdr'", "did you mean 'edsr'"]),
        ({"schedule": "cosin"}, ["no schedule called 'cosin'", "did you mean 'cosine'"]),
        ({"source": "photos"}, ["no source called 'photos'", "did you mean 'photographs'"]),
        ({"losses": {"perceptua": 1}}, ["no loss called 'perceptua'", "did you mean 'perceptual'"]),
        ({"losses": {"l1": "much"}}, ["losses.l1 = 'much'", "0 or more"]),
        ({"losses": {"l1": {"wait": 1}}}, ["'l1' has the weight None"]),
        ({"subject": "(a"}, ["subject = '(a'", "not a regular expression"]),
        ({"subject": "a"}, ["subject = 'a'", "parentheses"]),
        ({"twin_steps": 5}, ["no discriminator", "[adversarial]"]),
        ({"cycle": {}}, ["no discriminator", "[adversarial]"]),
        ({"adversarial": {"discriminato": "srgan"}}, ["'adversarial.discriminato'", "did you mean 'discriminator'"]),
        ({"adversarial": {}}, ["lacks the setting 'adversarial.discriminator'"]),
        ({"adversarial": 3}, ["adversarial = 3", "a table"]),
        ({"adversarial": {"discriminator": "srgan"}}, ["no image loss", "[losses]"]),
        ({**PLAY, "twin_steps": 30000}, ["30000 are the twin's"]),
        ({**PLAY, "cycle": {"wait": 1}}, ["'cycle.wait'", "did you mean 'weight'"]),
        ({**PLAY, "cycle": {}}, ['skip = "none", slices = 1', "circle"]),
        ({**PLAY, "cycle": {"paired": 2}}, ["cycle.paired = 2", "from 0 to 1"]),
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


@pytest.mark.parametrize("name", ["../escaped", "a/b", "a\\b", "/tmp/x", "..", ".hidden", "", "a b", "a\n", "n" * 65])
def test_a_recipe_is_named_as_a_file_in_one_folder_can_be(refuses, name):
    """Fault H1: "../escaped" wrote outside --out, and replaced what was there."""
    with refuses("The recipe has name = ", "letters, digits"):
        from_table({**LEAST, "name": name})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"network": {"blocks": 100000}}, ["network.blocks = 100000", "up to 1024"]),
        ({"network": {"blocks": {"a": 1}}}, ["network.blocks = {'a': 1}"]),
        ({"network": {"kernels": [9, 1, 10**6]}}, ["network.kernels"]),
        ({"slices": 10**6}, ["slices = 1000000", "from 1 to 63"]),
        ({"steps": 10**5000}, ["steps", "no number up to"]),
        ({"learning_rate": float("nan")}, ["learning_rate", "no number up to"]),
        ({"losses": {"l1": float("inf")}}, ["losses.l1", "no number up to"]),
        ({"made_for": "x" * 10_000}, ["made_for", "10000 characters"]),
        ({"validation": ["*"] * 2000}, ["validation", "more than 1000 entries"]),
        ({"network": 3}, ["network = 3", "a table"]),
    ],
)
def test_what_no_training_needs_is_refused_before_it_costs_time(refuses, changes, words):
    """Fault I6: wrong types, thousands of digits and blocks without end were errors of Python, or hung."""
    with refuses(*words):
        from_table({**LEAST, **changes})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("network = " + "{ a = " * 40 + "1" + " }" * 40, "tables in each other"),
        ("network = " + "[" * 20_000 + "]" * 20_000, "mine.toml is not a recipe"),
        ("scale = " + "2" * 5000, "mine.toml is not a recipe"),
        ("# " + "x" * 600_000, "600,034 bytes"),
    ],
    ids=["tables", "lists", "digits", "size"],
)
def test_a_file_that_is_no_honest_recipe_is_refused(tmp_path, refuses, content, words):
    """Fault I6."""
    (tmp_path / "mine.toml").write_text('architecture = "edsr"\nscale = 2\n' * ("scale" not in content) + content)
    with refuses(words):
        load(str(tmp_path / "mine.toml"))


def test_a_missing_setting_is_named(refuses):
    with refuses("lacks the setting 'scale'"):
        from_table({"name": "mine", "architecture": "edsr"})


@pytest.mark.parametrize("content", [b"scale = = 2", b"name = \xff"])
def test_what_is_not_toml_is_refused(tmp_path, refuses, content):
    (tmp_path / "mine.toml").write_bytes(content)
    with refuses("mine.toml is not a recipe", "compare it with one of ours"):
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
