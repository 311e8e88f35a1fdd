"""The page of the trainings says how long they took, and what became of a game."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from benchmarks.curves import cells, keep
from SuperResolutionLib.training.history import write_history

TWIN = [
    {"step": 100, "seconds": 0.6, "threads": 2, "gain": 2.0, "power": 0.3},
    {"step": 150, "seconds": 1.2, "threads": 2, "gain": 3.0, "power": 0.4},
]
GAME = [
    {"step": 250, "seconds": 1.8, "threads": 1, "gain": 2.1, "power": 0.5, "apart": 0.5, "separation": 0.7},
    {"step": 350, "seconds": 1.8, "threads": 1, "gain": 2.5, "power": 0.6, "apart": 0.9, "separation": 0.8},
]


@pytest.fixture
def row(tmp_path):
    def make(history):
        write_history(history, tmp_path)
        return cells(tmp_path / "curves.csv")[1:]

    return make


def test_a_supervised_training_has_steps_time_and_a_gain(row):
    assert row(TWIN) == ["150", "2", "2", "3.00", "-", "0.40", "-", "-", "to the end"]


def test_a_game_is_set_against_its_twin(row):
    found = ["150 + 200", "8", "1 or 2", "3.00, then 2.50", "2.10", "0.40, then 0.60", "0.90 %", "0.80", "to the end"]
    assert row([*TWIN, *GAME]) == found


def test_the_twin_is_the_supervised_epoch_of_greatest_gain(row):
    worse = {"step": 200, "seconds": 0.6, "threads": 2, "gain": 2.9, "power": 0.7}
    assert [row([*TWIN, worse, *GAME])[k] for k in (0, 3, 5)] == ["200 + 150", "3.00, then 2.50", "0.40, then 0.60"]


def test_a_training_that_was_stopped_says_why(row):
    assert row([*TWIN, *GAME, {"step": 350, "note": "stopped at step 350"}])[-1] == "stopped at step 350"


def test_a_picture_of_curves_is_kept_small_and_looks_the_same(tmp_path):
    figure = Figure(figsize=(6, 4), layout="constrained")
    for shift in range(12):
        figure.gca().plot(np.sin(np.arange(40) / 5 + shift), marker=".", label=f"loss {shift}")
    figure.gca().legend()
    figure.savefig(tmp_path / "curves.png", dpi=80)
    keep(tmp_path / "curves.png", tmp_path / "kept.png")
    given, kept = (imread(tmp_path / name)[..., :3] for name in ("curves.png", "kept.png"))
    assert np.abs(given - kept).max() < 0.08
    assert (tmp_path / "kept.png").stat().st_size < 0.6 * (tmp_path / "curves.png").stat().st_size
