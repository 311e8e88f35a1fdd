"""The works' figures are the printed ones, and their networks are those that the recipes train."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import brain

from SuperResolutionLib.papers.works import WORKS, Figures, by_letter
from SuperResolutionLib.training import recipe as recipes
from SuperResolutionLib.volume import TENSOR, Gradients, Volume

CASES = [(work, case) for work in WORKS.values() for case in work.cases]
PRINTED = {
    "A-srgan-dti-x4": Figures(33.8386, 0.783874),
    "A-natural-image": Figures(33.785, 0.889),
    "D-gan-cpce-x2": Figures(33.2031, 0.9563),
    "D-gan-circle-x2": Figures(32.2995, 0.9465),
}


def series(volume: Volume) -> Volume:
    """The volume, unweighted and in six directions."""
    gradients = Gradients(np.array([0.0, *[1000.0] * 6]), np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)]))
    return replace(volume, voxels=np.stack([volume.voxels] * 7), gradients=gradients)


def test_only_what_is_printed_is_quoted():
    names = [name for _, case in CASES for name in case.names]
    assert {name: f for _, case in CASES for name in case.names if (f := case.published(name))} == PRINTED
    assert [case.published("bicubic") for _, case in CASES if case.bicubic] == [Figures(34.811728, 0.889286)]
    assert set(PRINTED) <= set(names)


@pytest.mark.parametrize("letter", "BCE")
def test_a_work_without_a_printed_mean_says_so(letter):
    assert WORKS[letter].words.startswith(("No PSNR or SSIM is printed.", "No mean figure is printed"))


@pytest.mark.parametrize(("work", "case"), CASES)
def test_every_network_is_trained_by_its_recipe_under_the_degradation_of_the_case(work, case):
    for network in case.networks:
        recipe = recipes.load(network.name)
        assert (recipe.degradation, recipe.scale) == (case.degradation, case.scale)
        assert (recipe.adversarial is not None) == (network.beside == f"{network.name}-twin")


def test_every_recipe_of_a_work_is_in_its_tables():
    named = {name for _, case in CASES for name in case.names}
    of_works = {name for name in recipes.names() if name[:2] in {f"{letter}-" for letter in WORKS}}
    assert of_works <= named


def test_a_work_is_found_by_its_letter_large_or_small(refuses):
    assert by_letter("d") is by_letter("D") is WORKS["D"]
    with refuses("no work called 'F'", "A, B, C, D, E"):
        by_letter("F")


def test_a_case_takes_scans_of_its_kind():
    volume = brain()
    tensors = Volume(np.zeros((6, 4, 5, 5), np.float32), quantity=TENSOR)
    (diffusion,), (single,) = WORKS["A"].cases, WORKS["D"].cases
    assert [diffusion.takes(v) for v in (series(volume), volume, tensors)] == [True, False, False]
    assert [single.takes(v) for v in (series(volume), volume, tensors)] == [False, True, False]


def test_neighbours_are_asked_of_scans_whose_slices_are_near():
    thin = replace(brain(), spacing=(0.87, 0.87, 1.0))
    (case,) = (case for case in WORKS["B"].cases if "edsr-x4-25d" in case.names)
    assert [case.takes(volume) for volume in (thin, brain())] == [True, False]
