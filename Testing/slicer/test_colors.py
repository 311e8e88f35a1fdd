"""Our colour tables: made once a scene, even, and told apart by everybody."""

import numpy as np
import pytest
import scans
import slicer
import slicer.util
from SuperResolutionSlicer import colors

# What is left of linear RGB without cones for long, middle or short waves (Machado, Oliveira, Fernandes 2009)
BLINDNESS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def table_of(node) -> np.ndarray:
    """A table's colours, RGB from 0 to 1."""
    found = np.zeros((node.GetNumberOfColors(), 4))
    for n, row in enumerate(found):
        assert node.GetColor(n, row)
    return found[:, :3]


def linear(rgb: np.ndarray) -> np.ndarray:
    return np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def lightness(rgb: np.ndarray) -> np.ndarray:
    """L* of CIELAB, 0 to 100."""
    y = linear(rgb) @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27)


@pytest.mark.parametrize("make", [colors.diverging, colors.perceptual])
def test_a_table_is_made_once_a_scene(session, make):
    first = make()
    before = scans.names()
    assert make() is first
    assert scans.names() == before
    slicer.mrmlScene.Clear(0)
    assert make().GetScene() is slicer.mrmlScene


def test_the_perceptual_table_grows_lighter_in_even_steps(session):
    shade = lightness(table_of(colors.perceptual()))  # 8 bits a colour
    assert np.diff(shade).min() > 0
    steps = np.diff(shade[30::15])  # the darkest are coarse
    assert steps.max() < 1.3 * steps.min()


def test_the_diverging_table_is_black_in_its_middle_and_lighter_to_both_sides(session):
    table = table_of(colors.diverging())
    assert len(table) % 2 == 1 and (table[len(table) // 2] == 0).all()
    shade = lightness(table)
    assert (np.diff(shade[: len(shade) // 2 + 1]) < 0).all() and (np.diff(shade[len(shade) // 2 :]) > 0).all()


@pytest.mark.parametrize("kind", BLINDNESS)
def test_plus_and_minus_are_told_apart_by_the_colour_blind(session, kind):
    table = linear(table_of(colors.diverging()))
    seen = np.clip(table @ np.array(BLINDNESS[kind]).T, 0, 1)
    assert np.abs(seen[0] - seen[-1]).max() > 0.5
    assert np.abs(seen[32] - seen[-33]).max() > 0.25
