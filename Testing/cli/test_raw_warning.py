"""Who enhances a raw diffusion series is told once what shows that it is raw, and what to do first."""

import warnings
from dataclasses import replace

import pytest
from bids_tree import make
from fibre_series import fibres
from phantoms import brain

import SuperResolutionLib as sr
from SuperResolutionLib import files
from SuperResolutionLib.files import ScanWarning
from SuperResolutionLib.header import Header

WROTE = "TE=68;Time=121119.758;phase=0;mb=3"  # dcm2niix, into the description of a NIfTI header
TODO = "denoise, unring and correct it for motion and distortions first: see docs/diffusion.md"


@pytest.fixture
def raw(tmp_path):
    files.write(replace(fibres(), header=Header(description=WROTE)), tmp_path / "dwi.nii.gz")
    return tmp_path / "dwi.nii.gz"


def test_a_raw_series_is_enhanced_with_one_warning(command, raw, model, tmp_path):
    answer = command("enhance", raw, tmp_path / "out.nii.gz", "--model", model, "--progress", "none")
    assert answer.code == 0
    lines = [line for line in answer.err.splitlines() if "raw" in line]
    assert lines == [
        f"warning: dwi.nii.gz: it seems to be a raw diffusion series (its header is as dcm2niix writes it, '{WROTE}'); "
        f"{TODO}."
    ]


def test_a_series_of_which_nothing_is_known_and_a_structural_scan_are_not_called_raw(command, model, tmp_path):
    files.write(fibres(), tmp_path / "dwi.nii.gz")
    files.write(replace(brain(), header=Header(description=WROTE)), tmp_path / "t1.nii.gz")
    for name in ("dwi", "t1"):
        chosen = ["--model", model, "--progress", "none"]
        answer = command("enhance", tmp_path / f"{name}.nii.gz", tmp_path / f"{name}_sr.nii.gz", *chosen)
        assert answer.code == 0
        assert "raw" not in answer.err


def test_python_warns_too_of_networks_and_not_of_interpolation(raw, model):
    with pytest.warns(ScanWarning, match="raw diffusion series"):
        sr.enhance(raw, str(model))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sr.upsample(raw, "linear", 2)


def test_a_raw_data_set_is_told_of_its_series_alone(command, model, tmp_path):
    """The gradients lie in a folder above, as BIDS allows."""
    data, out = make(tmp_path / "data"), tmp_path / "out"
    command("bids", data, out, "participant", "--model", model, "--progress", "none")
    logs = {path.name: path.read_text() for path in out.rglob("*.log")}
    told = [name for name, text in logs.items() if TODO in text]
    assert len(logs) > 3
    assert [name for name in told if "dwi" in name] == told != []
