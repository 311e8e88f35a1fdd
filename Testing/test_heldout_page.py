"""The page of held-out figures measures how far a result lies off the truth."""

import numpy as np
import pytest
from phantoms import brain
from tiny_models import tiny

from benchmarks import heldout
from benchmarks.heldout import completed, shift, shifts
from benchmarks.results import Row
from SuperResolutionLib import files
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.study.subjects import Scan


@pytest.mark.parametrize("moved", [0.0, 0.3, -1.2])
def test_slices_that_lie_off_are_found_out(moved):
    frequencies = np.fft.fftfreq(32)
    fine = brain((32, 32, 5)).voxels
    turned = np.fft.fft(fine, axis=2) * np.exp(-2j * np.pi * frequencies * moved)
    assert shift(fine, np.fft.ifft(turned, axis=2).real) == pytest.approx(abs(moved), abs=0.06)


def test_no_method_shifts_a_scan():
    found = shifts(brain((32, 32, 5)), "k_space", 0, 2, zoo.load("mri-x2"))
    assert found.keys() == {*METHODS, "mri-x2"}
    assert max(found.values()) < 0.05


def test_only_what_a_row_lacks_is_measured(tmp_path, monkeypatch):
    scan = Scan(tmp_path / "anna.nii.gz", "anna", "anna")
    files.write(brain((16, 16, 2)), scan.path)
    monkeypatch.setattr(heldout, "measure", lambda *_: {"scores": "measured"})
    monkeypatch.setattr(heldout, "shifts", lambda *_: "measured")
    row = Row("tiny-x2", "anna", "area", 2, sha256={"tiny-x2": "ab"})
    found = completed(row, scan, tiny(), [])
    assert found.figures == {"structural": True, "scores": "measured", "shifts": "measured"}
    assert completed(row, scan, tiny(), [found]) is None
    half = Row(**{**vars(found), "figures": {"structural": True, "scores": "kept"}})
    assert completed(row, scan, tiny(), [half])["scores"] == "kept"
    other = Row(**{**vars(found), "sha256": {"tiny-x2": "cd"}})
    assert completed(row, scan, tiny(), [other])["scores"] == "measured"
