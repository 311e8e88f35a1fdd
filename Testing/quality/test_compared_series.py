"""What a comparison says of a diffusion series of one shell, and of several."""

import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from in_words import compare
from known_tensors import head, shelled
from phantoms import brain

from SuperResolutionLib.volume import Gradients, Volume

METHODS = ["nearest", "sinc"]


@pytest.fixture(scope="module")
def several():
    return compare(shelled(), methods=METHODS)


def up_to(volume: Volume, b: float) -> Volume:
    """The volumes of a series up to a b-value."""
    few = volume.gradients.bvals <= b
    gradients = Gradients(volume.gradients.bvals[few], volume.gradients.bvecs[few])
    return replace(volume, voxels=volume.voxels[few], gradients=gradients)


def test_tensors_are_compared_on_low_b_values_alone(several):
    """Of b 0, 1000 and 2500 as of b 0 and 1000."""
    low = compare(up_to(shelled(), 1500), methods=METHODS)
    for measure in ("fa", "fa_white", "fa_white_bias", "md", "md_white", "angle", "fa_fluid"):
        found, expected = (
            {row.method: getattr(row.tensors, measure) for row in result.rows} for result in (several, low)
        )
        assert found == pytest.approx(expected, rel=1e-6), measure
    assert "fitted to the 21 volumes up to b = 1500 s/mm2" in several.note
    assert low.note == ""


def test_of_high_b_values_alone_tensors_are_compared_and_the_doubt_is_said():
    result = compare(shelled((2000.0, 3000.0)), methods=["linear"])
    assert result.rows[0].tensors.md > 0
    assert "all b-values up to 3000" in result.note and "MD may be too low" in result.note


def test_the_table_over_shells_has_every_method_the_best_classical_figures_and_the_truth(several):
    lines = str(several).splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("over the shells"))
    assert [line[:22].strip() for line in lines[first + 1 : first + 5]] == [
        *(row.method for row in several.rows),
        "best classical of each",
        "truth",
    ]
    assert lines[-1].endswith("Shells lie at b = 1000, 2500 s/mm2.")
    best = lines[first + 3][22:].split()
    assert best[0] == f"{min(100 * row.shells.harmonics['1000'] for row in several.rows):.2f}"
    assert best[2] == f"{min(row.shells.msk for row in several.rows):.4f}"
    assert lines[first + 4][22:].split() == ["-", "-", "-", "-", "0.00"]


def test_a_notebook_shows_the_same_figures_over_shells(several):
    cells = [re.findall(r"<t[hd]>(.*?)</t[hd]>", line) for line in several._repr_html_().splitlines()]
    shown = [" ".join(map(unescape, line)).split() for line in cells if line]
    text = [
        line.split("   " + "mean absolute")[0].split("   harmonics in")[0].split() for line in str(several).splitlines()
    ]
    assert shown == [line for line in text[:-1] if line]


def test_json_has_the_figures_over_shells(several):
    rows = json.loads(json.dumps(several.as_table(), allow_nan=False))["rows"]
    for row, plain in zip(several.rows, rows, strict=True):
        assert plain["shells"]["harmonics"] == row.shells.harmonics
        assert plain["shells"]["msk_white"] == row.shells.msk_white


def test_a_method_that_gives_the_truth_has_no_errors_over_shells():
    truth = shelled()
    shells = compare(truth, methods={"oracle": lambda low, wish: truth}).rows[0].shells
    assert max(*shells.harmonics.values(), shells.msk, shells.msk_white) < 1e-6
    assert shells.not_falling == shells.not_falling_truth == 0


@pytest.mark.parametrize("volume", [head()[0], brain()], ids=["one shell", "no series"])
def test_of_less_than_two_shells_nothing_is_said_of_shells(volume):
    result = compare(volume, methods=["linear"])
    assert result.rows[0].shells is None
    assert "shell" not in str(result).lower() and "shell" not in result._repr_html_().lower()
    assert "shells" not in result.as_table()["rows"][0]
    assert result.note == ""


def test_shells_are_not_measured_where_tensors_are_not():
    result = compare(shelled(), methods=["linear"], with_tensors=False)
    assert result.rows[0].tensors is result.rows[0].shells is None
    assert np.isfinite(result.rows[0].score.psnr)
    assert result.note == ""
