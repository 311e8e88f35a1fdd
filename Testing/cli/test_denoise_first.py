"""superresolution enhance --denoise-first: MP-PCA before the network, in the sidecar; or one sentence and no file."""

import json
import sys

import numpy as np
import pytest
from fibre_series import fibres

from SuperResolutionLib import files
from SuperResolutionLib.diffusion import mppca
from SuperResolutionLib.progress import finish


@pytest.fixture
def dwi(tmp_path):
    files.write(fibres(), tmp_path / "dwi.nii.gz")
    return tmp_path / "dwi.nii.gz"


def sidecar(path):
    return json.loads(files.sidecar_path(path).read_text())


def test_a_series_is_cleared_of_noise_before_the_network_and_the_sidecar_says_so(command, dwi, model, tmp_path):
    pytest.importorskip("dipy")
    chosen = ["--model", model, "--precision", "float32"]
    answer = command("enhance", dwi, tmp_path / "out.nii.gz", *chosen, "--denoise-first")
    assert answer.code == 0
    assert "MP-PCA (DIPY" in answer.err
    cleared = finish(mppca.denoising(files.read(dwi)))
    files.write(cleared.volume, tmp_path / "cleared.nii.gz")
    assert command("enhance", tmp_path / "cleared.nii.gz", tmp_path / "two.nii.gz", *chosen).code == 0
    result, two = files.read(tmp_path / "out.nii.gz"), files.read(tmp_path / "two.nii.gz")
    assert np.array_equal(result.voxels, two.voxels)
    assert np.array_equal(result.gradients.bvals, two.gradients.bvals)
    record = sidecar(tmp_path / "out.nii.gz")
    assert (record["model"], record["scale"]) == ("MP-PCA + tiny-x2", 2)
    assert record["denoised_first"] == cleared.about
    assert sidecar(tmp_path / "two.nii.gz")["denoised_first"] == {}


def test_a_single_volume_is_refused(refused, scan, model, tmp_path):
    refused(["enhance", scan, tmp_path / "out.nii.gz", "--model", model, "--denoise-first"], "single volume")


def test_without_dipy_it_is_refused(refused, dwi, model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dipy.denoise.localpca", None)
    refused(["enhance", dwi, tmp_path / "out.nii.gz", "--model", model, "--denoise-first"], "pip install dipy")


def test_a_file_in_place_of_the_share_of_noise_points_to_the_other_option(command, dwi, tmp_path):
    answer = command("enhance", "--denoise", dwi, tmp_path / "out.nii.gz")
    assert answer.code == 2
    assert "give --denoise-first" in answer.err


def test_many_scans_are_each_told_and_a_result_without_it_is_another(command, dwi, scan, model, tmp_path):
    pytest.importorskip("dipy")
    many = ["enhance", dwi, scan, "--out-dir", tmp_path / "out", "--model", model, "--progress", "none"]
    answer = command(*many, "--denoise-first")
    assert answer.code == 1
    assert "single volume" in answer.err
    (made,) = (tmp_path / "out").glob("dwi*.nii.gz")
    assert sidecar(made)["denoised_first"]["sigma"] > 0
    assert command(*many, "--denoise-first").code == 1  # which keeps the one that is there
    again = command(*many)
    assert again.code == 1
    assert "asked for in another way" in again.err
