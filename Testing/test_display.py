"""How a volume shows itself."""

import base64
import struct
import zlib

import numpy as np
import pytest
from phantoms import orientation

from SuperResolutionLib.display import middle_slices
from SuperResolutionLib.volume import TENSOR, Gradients, Volume


def test_a_volume_is_one_line():
    gradients = Gradients(np.array([0.0, 500, 1000]), np.zeros((3, 3)))
    voxels = np.zeros((3, 40, 256, 250), np.int16)
    volume = Volume(voxels, (0.9, 0.9, 4.0), gradients=gradients)
    assert repr(volume) == "Volume 250 x 256 x 40, 0.90 x 0.90 x 4.00 mm, axial, int16, 3 volumes: b 0 to 1000"
    single = Volume(np.zeros((4, 5, 6), np.float32), (1, 1, 3), direction=orientation("P", "I", "L"))
    assert repr(single) == "Volume 6 x 5 x 4, 1.00 x 1.00 x 3.00 mm, sagittal, float32"
    assert repr(Volume(np.zeros((2, 4, 5, 6)))) == "Volume 6 x 5 x 4, 1.00 x 1.00 x 1.00 mm, axial, float64, 2 volumes"
    tensors = Volume(np.zeros((6, 4, 5, 6)), quantity=TENSOR)
    assert repr(tensors) == "Volume 6 x 5 x 4, 1.00 x 1.00 x 1.00 mm, axial, float64, diffusion tensors"


def landmarks(direction):
    """A volume of 20 mm cubes whose brightness grows to the left, more to the back, most to the head: in LPS."""
    grid = np.meshgrid(*(np.arange(n) for n in (6, 5, 4)), indexing="ij")  # z, y, x
    steps = np.stack(grid[::-1], -1) @ np.asarray(direction).T
    return Volume(steps @ np.array([1.0, 10.0, 100.0]), (20, 20, 20), direction=np.asarray(direction))


@pytest.mark.parametrize("axes", [("L", "P", "S"), ("R", "A", "S"), ("P", "I", "L"), ("A", "S", "R"), ("S", "R", "A")])
def test_slices_look_as_radiologists_look(axes):
    slices = {name: pixels for name, pixels, _ in middle_slices(landmarks(orientation(*axes)))}
    for name, right, down in (("axial", 1, 10), ("coronal", 1, -100), ("sagittal", 10, -100)):
        assert np.all(np.diff(slices[name], axis=1) == right), name
        assert np.all(np.diff(slices[name], axis=0) == down), name


def test_slices_have_the_proportions_of_the_patient():
    volume = Volume(np.zeros((4, 5, 6)), (2.0, 2.0, 6.0))
    assert {name: aspect for name, _, aspect in middle_slices(volume)} == {"axial": 1, "coronal": 3, "sagittal": 3}


def picture(html):
    content = base64.b64decode(html.split("base64,")[1].split('"')[0])
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    columns, rows, bits, colours = struct.unpack(">IIBB", content[16:26])
    assert (bits, colours) == (8, 0)
    length = struct.unpack(">I", content[33:37])[0]
    lines = np.frombuffer(zlib.decompress(content[41 : 41 + length]), np.uint8).reshape(rows, columns + 1)
    return lines[:, 1:]


@pytest.mark.parametrize("voxels", ["ramp", "series", "constant", "nan", "tensors"])
def test_a_notebook_shows_three_slices(voxels):
    ramp = np.arange(120.0).reshape(4, 5, 6)
    volume = {
        "ramp": Volume(ramp, (1, 1, 3)),
        "series": Volume(np.stack([ramp, ramp]), (1, 1, 3)),
        "constant": Volume(np.full((4, 5, 6), 7)),
        "nan": Volume(np.where(ramp > 60, np.nan, ramp)),
        "tensors": Volume(np.stack([ramp] * 6), quantity=TENSOR),
    }[voxels]
    html = volume._repr_html_()
    assert html.startswith(f"<div>{volume!r}</div>")
    shown = picture(html)
    assert shown.shape[1] > 3 * 100
    assert (shown.max() == 255) == (voxels != "constant")


def test_a_plot_is_a_figure_of_three_slices():
    pytest.importorskip("matplotlib")
    figure = Volume(np.random.default_rng(0).normal(size=(4, 5, 6)), (1, 1, 3)).plot()
    assert [axes.get_title() for axes in figure.axes] == ["axial", "coronal", "sagittal"]
    assert figure.axes[1].images[0].get_array().shape == (4, 6)
    assert figure._suptitle.get_text() == "Volume 6 x 5 x 4, 1.00 x 1.00 x 3.00 mm, axial, float64"


def test_without_matplotlib_a_plot_says_what_to_do(monkeypatch, refuses):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with refuses("A plot needs matplotlib", "pip install matplotlib"):
        Volume(np.zeros((3, 4, 5))).plot()


def test_a_plot_shows_itself_in_a_notebook_without_pyplot():
    pytest.importorskip("matplotlib")
    content = Volume(np.random.default_rng(0).normal(size=(4, 5, 6)), (1, 1, 3)).plot()._repr_png_()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">2I", content[16:24])[0] > 600
