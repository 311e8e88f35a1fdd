"""Tensor volumes on the command line: refined as tensors, or refused with a sentence."""

import json

import numpy as np
import pytest

from SuperResolutionLib import files
from SuperResolutionLib.diffusion.components import matrices
from SuperResolutionLib.volume import TENSOR, Volume


@pytest.fixture
def tensor_scan(tmp_path):
    """Isotropic and stretched tensors of 20 x 18 x 4 voxels, some of them noise, none at the edge."""
    rng = np.random.default_rng(1)
    voxels = np.array([1.2e-3, 0, 0, 6e-4, 0, 5e-4])[:, None, None, None] + rng.normal(0, 2e-4, (6, 4, 18, 20))
    voxels[..., :3] = 0
    path = tmp_path / "dti.nrrd"
    files.write(Volume(voxels.astype(np.float32), (2, 2, 5), quantity=TENSOR), path)
    return path


def check_result(path, model):
    result = files.read(path)
    assert result.quantity == TENSOR
    assert result.size == (40, 36, 4)
    there = result.voxels.any(0)
    assert not there[..., :6].any()
    assert there[..., 6:].all()
    assert np.linalg.eigvalsh(matrices(result.voxels[:, there])).min() > 0
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["space"] == "log-Euclidean"
    assert model in record.values()


def test_enhance_gives_positive_definite_tensors(command, tensor_scan, model, tmp_path):
    answer = command("enhance", tensor_scan, tmp_path / "out.nrrd", "--model", model, "--precision", "float32")
    assert answer.code == 0, answer
    check_result(tmp_path / "out.nrrd", "tiny-x2")


@pytest.mark.parametrize("method", ["bicubic", "bspline", "sinc", "linear", "nearest"])
def test_upsample_gives_positive_definite_tensors(command, tensor_scan, tmp_path, method):
    assert command("upsample", tensor_scan, tmp_path / "out.nhdr", "--method", method).code == 0
    check_result(tmp_path / "out.nhdr", method)


def test_info_tells_of_tensors_not_of_intensities(command, tensor_scan):
    answer = command("info", tensor_scan)
    assert answer.code == 0
    assert "tensors:" in answer.out
    assert "not positive definite" in answer.out
    assert "intensities" not in answer.out
    assert "6 volumes" not in answer.out


def test_degrade_and_compare_are_refused(refused, tensor_scan, tmp_path):
    refused(["degrade", tensor_scan, tmp_path / "out.nrrd"], "cannot be degraded", "not intensities", "series")
    refused(["compare", tensor_scan, "--progress", "none"], "cannot be degraded", "not intensities", "series")


@pytest.mark.parametrize("command_name", ["enhance", "upsample"])
def test_an_output_that_cannot_hold_tensors_is_refused_before_any_work(refused, tensor_scan, tmp_path, command_name):
    refused([command_name, tensor_scan, tmp_path / "out.nii.gz"], "out.nii.gz cannot hold tensors", ".nrrd")


@pytest.mark.parametrize("name", ["enhance", "upsample"])
def test_help_tells_of_tensors(command, name):
    assert "log-Euclidean" in command(name, "--help").out
