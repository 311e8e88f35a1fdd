"""A diffusion series that lacks something is a diffusion series all the same."""

from dataclasses import replace

import numpy as np
import pytest
from known_tensors import directions
from phantoms import brain
from tiny_models import store

import SuperResolutionLib as sr
from SuperResolutionLib.files import ScanWarning
from SuperResolutionLib.volume import Gradients, Volume

TURNED = directions(6)
KINDS = {
    "no b0": (np.full(6, 1000.0), TURNED, "without a b0 image"),
    "two shells without b0": (np.array([1000.0, 1000, 1000, 2000, 2000, 2000]), TURNED, "without a b0 image"),
    "b0 only": (np.zeros(6), np.zeros((6, 3)), "b0 images only"),
    "no directions": (np.array([0.0, 500, 500, 1000, 1000, 1000]), np.zeros((6, 3)), "5 weighted volumes without"),
}


def series(kind: str) -> Volume:
    bvals, bvecs, _ = KINDS[kind]
    weights = np.exp(-bvals * 0.7e-3)[:, None, None, None]
    voxels = np.stack([brain(seed=k).voxels for k in range(6)]) * weights
    return replace(brain(), voxels=voxels.astype(np.int16), gradients=Gradients(bvals, bvecs))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["memory", "nifti"])
def test_it_gets_the_diffusion_model_no_negatives_and_a_note(shelf, tmp_path, kind, way):
    """Fault D5: it went through the structural model, and came out with negative voxels."""
    store(shelf, "mri-x2")
    store(shelf, "dwi-x2", guides=("mean_b0", "mean_weighted", "fitted"))
    given = series(kind)
    if way == "nifti":
        sr.write(given, tmp_path / "a.nii.gz")
        given = tmp_path / "a.nii.gz"
    with pytest.warns(ScanWarning, match=KINDS[kind][2]):
        found = sr.restore(given)
    assert found.record.method == "dwi-x2"
    assert found.volume.voxels.min() >= 0
    assert any(KINDS[kind][2] in note for note in found.record.notes)
    assert np.array_equal(found.volume.gradients.bvals, KINDS[kind][0])


def test_b_values_without_a_file_of_directions_make_a_series(tmp_path):
    """Fault D5: both were ignored where one was missing."""
    given = series("no directions")
    sr.write(given, tmp_path / "a.nii.gz")
    (tmp_path / "a.bvec").unlink()
    with pytest.warns(ScanWarning, match=r"b-values but no \.bvec"):
        found = sr.read(tmp_path / "a.nii.gz")
    assert np.array_equal(found.gradients.bvals, given.gradients.bvals)
    assert not found.gradients.bvecs.any()


def test_b_values_that_do_not_fit_are_refused(tmp_path, refuses):
    sr.write(replace(series("b0 only"), gradients=None), tmp_path / "a.nii.gz")
    (tmp_path / "a.bval").write_text("0 1000\n")
    with refuses("6 volumes", "a.bval has 2 b-values"):
        sr.read(tmp_path / "a.nii.gz")
