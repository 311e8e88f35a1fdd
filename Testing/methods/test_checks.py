"""A scan unlike those a model was trained on is named as such, with what is unusual."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import brain

from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.checks import unusual
from SuperResolutionLib.methods.zoo import Card
from SuperResolutionLib.volume import Gradients, Volume

CARD = Card(
    name="tested",
    architecture="edsr",
    arguments={},
    scale=2,
    slices=1,
    skip="bicubic",
    input_grid="low",
    intensity="range",
    spacing=(0.8, 2.0),
    parameters=1,
    sha256="",
    trained_on="",
    data_licence="",
    recipe="",
    date="2026-01-01",
)


def scan(spacing=(1.0, 1.0, 4.0), size=(20, 20, 16), plus=0.0) -> Volume:
    return Volume(brain(size).voxels + np.float32(plus), spacing)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 3.0), (2.0, 2.0, 4.0), (5.0, 0.9, 0.9)])
def test_an_ordinary_scan_raises_no_eyebrow(spacing):
    assert unusual(scan(spacing), CARD) == []


@pytest.mark.parametrize(("mm", "word"), [(0.7, "finer"), (0.39, "finer"), (2.2, "coarser"), (4.1, "coarser")])
def test_voxels_beyond_the_trained_ones_are_unusual(mm, word):
    (sentence,) = unusual(scan((mm, mm, 9.0)), CARD)
    assert sentence == f"its in-plane voxels, {mm} x {mm} mm, are {word} than tested was trained on: 0.8 to 2 mm"


@pytest.mark.parametrize(
    ("name", "mm"), [("mri-x2", 0.8), ("dwi-x2", 0.8), ("E-edsr-x2", 0.87), ("B-srresnet-x4", 0.87)]
)
def test_a_fine_head_is_finer_than_the_models_were_trained_on(name, mm):
    """Fault K3: a T1w of .87 mm was inside what models of 1.2 to 5 mm were trained on."""
    card = zoo.read_card(zoo.find(name))
    assert "finer than" in unusual(scan((mm, mm, 0.9)), card)[0]
    assert not any("finer" in sentence for sentence in unusual(scan((card.spacing[0],) * 3), card))


@pytest.mark.parametrize("mm", [0.5, 1.0, 3.0])
def test_no_scan_is_inside_what_a_model_of_photographs_was_trained_on(mm):
    """Fault K3."""
    (sentence,) = unusual(scan((mm, mm, 4.0)), zoo.read_card(zoo.find("A-natural-image")))
    assert sentence == "A-natural-image was trained on photographs, not on MR scans"


def test_only_the_spacing_in_the_plane_counts():
    assert unusual(scan((1.0, 1.0, 30.0)), CARD) == []


def test_oblong_voxels_are_unusual():
    assert unusual(scan((1.0, 1.6, 4.0)), CARD) == ["its in-plane voxels are 1.6 times as long as they are wide"]


def test_a_plane_across_thick_slices_is_unusual():
    assert "the chosen plane cuts across thick slices" in unusual(scan((1.0, 1.0, 4.0)), CARD, "coronal")
    assert unusual(scan((1.0, 1.0, 1.0)), CARD, "coronal") == []


def test_anything_but_a_diffusion_series_is_unusual_for_a_model_of_diffusion():
    guided = replace(CARD, guides=("mean_b0",))
    series = replace(scan(), voxels=np.stack([scan().voxels] * 2))
    weighted = Gradients(np.array([0.0, 1000.0]), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    assert unusual(replace(series, gradients=weighted), guided) == []
    assert ["no diffusion series" in odd for odd in unusual(series, guided)] == [True]
    assert ["no diffusion series" in odd for odd in unusual(scan(), guided)] == [True]
    assert unusual(series, CARD) == []


def test_a_constant_scan_is_unusual():
    assert unusual(Volume(np.full((16, 20, 20), 3.0)), CARD) == ["all its voxels have the same value"]


def test_many_negative_voxels_are_unusual_and_a_few_are_not():
    (sentence,) = unusual(scan(plus=-100), CARD)
    assert "% of its voxels are negative" in sentence
    volume = scan()
    volume.voxels[0, 0, :5] = -1
    assert unusual(volume, CARD) == []


@pytest.mark.parametrize(("size", "found"), [((15, 20, 16), 1), ((20, 15, 16), 1), ((16, 16, 1), 0)])
def test_slices_smaller_than_16_voxels_are_unusual(size, found):
    assert unusual(scan(size=size), CARD) == ["its slices are smaller than 16 voxels"] * found
