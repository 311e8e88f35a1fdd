"""Many scans into one folder: named one by one, by a pattern, or as a folder."""

import json
import shutil

import numpy as np
import pytest
from phantoms import brain

from SuperResolutionLib import files
from SuperResolutionLib.volume import Volume

QUICK = ["--precision", "float32", "--threads", "1", "--progress", "none", "--device", "cpu"]


@pytest.fixture
def three(scan, tmp_path):
    """Three scans in a folder, one of them cut short."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("a.nii.gz", "b.nii.gz", "c.nii.gz"):
        shutil.copy(scan, folder / name)
    (folder / "c.nii.gz").write_bytes(scan.read_bytes()[:2000])
    return folder


@pytest.mark.parametrize("named", [["a.nii.gz", "b.nii.gz", "c.nii.gz"], ["*.nii.gz"], [""]])
def test_files_patterns_and_folders_do_the_same(command, three, model, scan, tmp_path, named):
    out = tmp_path / "out/deep"
    asked = ["enhance", *(three / name for name in named), "--out-dir", out, "--model", model, *QUICK]
    answer = command(*asked)
    assert answer.code == 1
    assert "c.nii.gz is cut short or damaged" in answer.err and answer.err.count("\n") == 1
    made = {path.name: path.read_bytes() for path in out.glob("*.nii.gz")}
    assert sorted(made) == ["a_sr.nii.gz", "b_sr.nii.gz"]
    assert command("enhance", scan, tmp_path / "one.nii.gz", "--model", model, *QUICK).code == 0
    assert set(made.values()) == {(tmp_path / "one.nii.gz").read_bytes()}
    one, many = (json.loads(files.sidecar_path(p).read_text()) for p in (tmp_path / "one.nii.gz", out / "a_sr.nii.gz"))
    assert one.keys() <= many.keys()
    before = (out / "a_sr.nii.gz").stat().st_mtime_ns
    assert command(*asked).code == 1  # and the finished ones are kept
    assert (out / "a_sr.nii.gz").stat().st_mtime_ns == before


def test_what_would_be_done_is_told_and_not_done(command, three, tmp_path):
    answer = command("enhance", three, "--out-dir", tmp_path / "out", "--dry-run")
    assert answer.code == 0
    assert answer.out.splitlines()[0] == f"{three / 'a.nii.gz'} -> {tmp_path / 'out/a_sr.nii.gz'}"
    assert not (tmp_path / "out").exists()


def test_options_between_the_files_are_still_understood(command, scan, model, tmp_path):
    assert command("enhance", scan, "--model", model, tmp_path / "o.nii.gz", *QUICK).code == 0


def test_what_is_for_one_scan_or_for_many_is_kept_apart(refused, three, model, tmp_path):
    a, out = three / "a.nii.gz", tmp_path / "out"
    refused(["enhance", a, a, a], "--out-dir")
    refused(["enhance", a, out / "o.nii.gz", "--n-procs", 2], "many scans", "--out-dir")
    refused(["enhance", a, "--out-dir", out, "--uncertainty", "u.nii.gz"], "--uncertainty", "one scan")
    refused(["enhance", a, "--out-dir", out, "--all-series"], "--all-series")
    refused(["enhance", a, "--out-dir", three], "lies in", "name another folder")
    refused(["enhance", three / "*.mha", "--out-dir", out], "No file fits the pattern")
    refused(["enhance", a, "--out-dir", out, "--model", "none"], "installed model")
    refused(["enhance", a, "--out-dir", a], "cannot be made")


def test_the_log_says_that_a_scan_is_unlike_the_training_scans(command, model, tmp_path):
    files.write(Volume(brain().voxels.astype(np.int16), (9.0, 9.0, 9.0)), tmp_path / "coarse.nii.gz")
    asked = ["enhance", tmp_path / "coarse.nii.gz", "--out-dir", tmp_path / "out", "--model", model, *QUICK]
    assert command(*asked).code == 0
    (log,) = (tmp_path / "out/logs").iterdir()
    assert "warning: unlike the training scans: " in log.read_text()
