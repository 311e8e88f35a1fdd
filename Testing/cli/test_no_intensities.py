"""Every command that mixes voxels refuses what is no intensity, and can be told that it is."""

import numpy as np
import pytest
from phantoms import brain

from SuperResolutionLib import files
from SuperResolutionLib.volume import Volume


@pytest.fixture
def mask(tmp_path):
    path = tmp_path / "brain.nii.gz"
    files.write(Volume((brain((26, 28, 4)).voxels > 0).astype(np.uint8), (1.0, 1.0, 4.0)), path)
    return path


@pytest.mark.parametrize(
    "arguments", [("enhance",), ("upsample",), ("degrade",), ("upsample", "--method", "sinc")], ids=" ".join
)
def test_a_mask_is_refused_with_what_to_do(command, model, mask, tmp_path, arguments):
    """Fault F: a mask of 0 and 1 became one of 0, 1 and 2 without a word."""
    name, *options = arguments
    answer = command(name, mask, tmp_path / "out.nii.gz", *options)
    assert answer.code == 2
    assert "2 different values" in answer.err
    assert "--as-intensities" in answer.err
    assert not (tmp_path / "out.nii.gz").exists()
    answer = command(name, mask, tmp_path / "out.nii.gz", *options, "--as-intensities")
    assert answer.code == 0, answer.err
    assert (tmp_path / "out.nii.gz").exists()


def test_nearest_takes_a_mask(command, mask, tmp_path):
    """Fault F."""
    answer = command("upsample", mask, tmp_path / "out.nii.gz", "--method", "nearest")
    assert answer.code == 0, answer.err
    assert set(np.unique(files.read(tmp_path / "out.nii.gz").voxels)) == {0, 1}


def test_compare_and_study_refuse_a_mask(command, model, mask, tmp_path):
    """Fault F."""
    answer = command("compare", mask, "--methods", "bicubic", "sinc")
    assert (answer.code, "--as-intensities" in answer.err) == (2, True)
    assert command("compare", mask, "--methods", "bicubic", "--as-intensities").code == 0
    answer = command("study", mask, "--out", tmp_path / "study")
    assert answer.code == 2
    assert "2 different values" in answer.err


def test_info_says_what_it_is(command, model, mask):
    assert "2 different values" in command("info", mask).out
