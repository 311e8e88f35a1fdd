"""What docs/adding.md shows is run: each example, as a newcomer would take it over."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from phantoms import brain
from scipy.ndimage import gaussian_filter

import SuperResolutionLib as sr
from SuperResolutionLib.files import common, images
from SuperResolutionLib.physics import agreement, degradation, interpolating
from SuperResolutionLib.physics.forward_models import Degradation
from SuperResolutionLib.physics.kernels import kernel_matrix
from SuperResolutionLib.physics.projection import Projection
from SuperResolutionLib.physics.shrinking import area_matrix, gaussian_matrix
from SuperResolutionLib.volume import Volume

ADDING = (Path(__file__).parents[1] / "docs" / "adding.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```python ([a-z-]+)\n(.*?)```", ADDING, re.DOTALL))


def run(name: str, **given) -> dict:
    """An example, with what its file would have imported."""
    exec(EXAMPLES[name], given)
    return given


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_ten_lines_of_code(name):
    assert len([line for line in EXAMPLES[name].splitlines() if line.strip()]) <= 10


def test_how_it_is_put_back_is_changed_in_one_line(monkeypatch):
    before = agreement.constants("recognised", "area")
    monkeypatch.setattr(agreement, "DAMPED", dict(agreement.DAMPED))
    run("put-back", DAMPED=agreement.DAMPED, Projection=Projection)
    assert agreement.constants("recognised", "area") == Projection(1, 0.5) != before


def test_a_method_is_a_function():
    table = run("method", sr=sr, gaussian_filter=gaussian_filter, volume=brain())["table"]
    assert {row.method for row in table.rows} == {"sharper", "bspline"}


def test_a_classical_method_is_a_matrix(monkeypatch):
    monkeypatch.setattr(interpolating, "METHODS", dict(interpolating.METHODS))
    run("interpolation", METHODS=interpolating.METHODS, np=np, kernel_matrix=kernel_matrix)
    assert np.allclose(interpolating.matrix("cosine", 9, 22).sum(axis=1), 1)
    assert "cosine" in interpolating.METHODS


def test_a_forward_model_is_a_class(monkeypatch):
    monkeypatch.setattr(degradation, "MODELS", dict(degradation.MODELS))
    given = {"np": np, "area_matrix": area_matrix, "gaussian_matrix": gaussian_matrix, "dataclass": dataclass}
    run("forward-model", MODELS=degradation.MODELS, Degradation=Degradation, __name__="example", **given)
    coarse = sr.degrade(brain(), "soft:sigma=2", 2)
    assert coarse.size == (13, 14, 4)
    assert not np.array_equal(coarse.voxels, sr.degrade(brain(), "area", 2).voxels)


def test_a_file_format_is_a_function(monkeypatch, tmp_path):
    monkeypatch.setitem(images.READERS, ".npz", None)
    monkeypatch.setattr(common, "READ_ONLY", common.READ_ONLY)
    extensions = list(common.READ_ONLY)
    try:
        given = {"np": np, "Path": Path, "Volume": Volume, "READERS": images.READERS, "READ_ONLY": common.READ_ONLY}
        run("format", **given)
        np.savez(tmp_path / "brain.npz", voxels=brain().voxels, spacing=(0.9, 0.9, 4.0))
        assert sr.read(tmp_path / "brain.npz").spacing == (0.9, 0.9, 4.0)
    finally:
        common.READ_ONLY[:] = extensions
