"""Figures show the names of files as they are, whatever is in them."""

import numpy as np
import pytest
from in_words import compare
from known_tensors import head
from matplotlib.image import imread
from phantoms import brain
from tiny_models import store

from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.study.figure import comparison_figure, detail
from SuperResolutionLib.study.figures import style
from SuperResolutionLib.study.figures.crops import crops_figure
from SuperResolutionLib.study.figures.error_maps import errors_figure
from SuperResolutionLib.study.tensor_figure import tensor_figure

ODD = r"my $\bad model$ 100 %_{x}"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    weights = store(folder)
    for ending in (".json", ".safetensors"):
        weights.with_suffix(ending).rename(folder / f"{ODD}{ending}")
    return compare(brain((32, 36, 3)), "k_space", 2, [*METHODS, str(folder / f"{ODD}.safetensors")], keep=True)


@pytest.mark.parametrize("draw", [comparison_figure, crops_figure, errors_figure])
def test_a_dollar_in_a_models_file_name_breaks_no_figure(result, tmp_path, draw):
    """Fault I7: matplotlib took it for a formula, and broke off after all the work."""
    draw(result, tmp_path / "figure.png")
    assert min(imread(tmp_path / "figure.png").shape[:2]) > 100


def test_a_dollar_in_a_caption_breaks_no_figure(result, tmp_path):
    """Fault I7."""
    comparison_figure(result, tmp_path / "one.png", ODD)
    series = compare(head()[0], "k_space", 2, ["bicubic"], keep=True)
    tensor_figure(series, tmp_path / "two.png", ODD)
    assert (tmp_path / "two.png").is_file()


def test_words_come_out_as_they_were_written():
    figure = style.canvas(1, 1)
    shown = figure.text(0, 0, style.words("a $5^2$ b"))
    assert shown._preprocess_math(shown.get_text()) == ("a $5^2$ b", False)


@pytest.mark.parametrize("shape", [(1, 40), (6, 40), (8, 8), (40, 7), (90, 60)])
def test_a_detail_lies_in_a_picture_of_any_size_and_holds_its_worst_voxel(shape):
    error = np.zeros(shape)
    error[shape[0] // 2, shape[1] // 2] = 1
    top, left, side = detail(error)
    assert min(top, left) >= 0
    assert top + side <= shape[0]
    assert left + side <= shape[1]
    assert error[top : top + side, left : left + side].any()
