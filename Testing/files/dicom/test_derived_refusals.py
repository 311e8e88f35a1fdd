"""From what no DICOM series is derived, and where none is written: a sentence, and nothing on the disk."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from scanner_exports import smooth

import SuperResolutionLib
import SuperResolutionLib as sr
from SuperResolutionLib.files import ScanWarning
from SuperResolutionLib.files.claims import claimed_folder
from SuperResolutionLib.files.dicom.derived import Derivation, check_source, write_series
from SuperResolutionLib.files.dicom.series import read_series
from SuperResolutionLib.volume import TENSOR, Volume

ROOT = Path(SuperResolutionLib.__file__).parent.parent
HOW = Derivation(method="linear")


@pytest.fixture
def denied(tmp_path, refuses):
    """Writing a volume as a series must be refused with these words, and leave no folder."""

    def run(volume: Volume, source: Path, *words: str) -> None:
        with refuses(*words):
            sr.write_dicom(volume, source, tmp_path / "out", method="linear", record={})
        assert not (tmp_path / "out").exists()
        assert not (tmp_path / "out.json").exists()

    return run


def test_the_voxels_of_another_patient_are_refused(exported, denied):
    """Two people in one position: the grid is the same, the head is not."""
    source = exported()
    volume = read_series(source).volume
    denied(volume.with_voxels(np.ascontiguousarray(volume.voxels[:, ::-1])), source, "another patient", "correlation")


def test_a_cleaned_or_masked_image_of_the_same_patient_is_none_of_another(exported, tmp_path):
    source = exported()
    voxels = read_series(source).volume.voxels.astype(np.float32) * 1.1
    voxels[:, :2] = 0
    sr.write_dicom(read_series(source).volume.with_voxels(voxels), source, tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"origin": (11.0, 20.0, 30.0)}, "field of view"),
        ({"spacing": (1.6, 2.0, 4.0)}, "field of view"),
        ({"direction": np.eye(3)}, "turned"),
    ],
)
def test_another_place_is_refused(exported, denied, change, words):
    source = exported()
    denied(replace(read_series(source).volume, **change), source, words, "converted from")


def test_a_slice_from_outside_is_refused(exported, denied):
    volume = read_series(source := exported()).volume
    beyond = np.asarray(volume.origin) + volume.direction[:, 2] * 20
    denied(replace(volume, voxels=volume.voxels[:1], origin=tuple(beyond)), source, "field of view")


def test_another_number_of_volumes_is_refused(exported, denied):
    source = exported("mosaic")
    whole = read_series(source).volume
    denied(replace(whole, voxels=whole.voxels[0], gradients=None), source, "1 volumes", "3", "converted from")


def test_tensors_are_refused(exported, denied):
    given = read_series(source := exported()).volume
    tensors = replace(given, voxels=np.ones((6, *given.voxels.shape), np.float32), quantity=TENSOR)
    denied(tensors, source, "tensors", ".nrrd")


def test_voxels_that_are_not_finite_are_refused(exported, denied):
    given = read_series(source := exported()).volume
    denied(given.with_voxels(np.full(given.voxels.shape, np.nan, np.float32)), source, "NaN")


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "FrameOfReferenceUID", "ScanningSequence", "SequenceVariant"])
@pytest.mark.parametrize("kind", ["classic", "enhanced"])
def test_a_source_without_what_every_mr_image_has_is_refused(exported, denied, kind, keyword):
    source = exported(kind, **{keyword: None})
    denied(read_series(source).volume, source, f"lacks {keyword}", "export it again")


def test_another_modality_is_refused(exported, denied):
    with pytest.warns(ScanWarning, match="modality is CT"):
        denied(read_series(exported(Modality="CT")).volume, exported(name="b", Modality="CT"), "CT", "only MR")


def test_a_source_with_a_missing_slice_is_refused(exported, denied):
    source = exported()
    next(path for path in source.iterdir() if pydicom.dcmread(path).InstanceNumber == 3).unlink()
    with pytest.warns(ScanWarning, match="1 missing"):
        denied(read_series(source).volume, source, "lacks 1 of 5 slices")


def test_a_source_that_is_derived_is_accepted_and_said(exported):
    assert check_source(read_series(exported())) == []
    series = read_series(exported(name="b", ImageType=["DERIVED", "SECONDARY"]))
    assert check_source(series) == ["b is a derived series itself"]


# ---------------------------------------------------------------- where it is written


@pytest.mark.parametrize("held", ["mine.txt", ".hidden", "IM0001.dcm"])
def test_a_folder_that_is_not_empty_is_refused_and_stays_as_it_was(exported, tmp_path, refuses, held):
    series = read_series(exported())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / held).write_text("mine")
    with refuses("not empty", held, "name another"):
        write_series(series.volume, series, tmp_path / "out", HOW)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [held]
    assert (tmp_path / "out" / held).read_text() == "mine"


def test_an_empty_folder_is_taken(exported, tmp_path):
    series = read_series(exported())
    (tmp_path / "out").mkdir()
    write_series(series.volume, series, tmp_path / "out", HOW)
    assert len(list((tmp_path / "out").iterdir())) == 5


def test_a_sidecar_of_the_users_is_not_replaced(exported, tmp_path, refuses):
    series = read_series(exported())
    (tmp_path / "out.json").write_text("mine")
    with refuses("out.json exists already"):
        write_series(series.volume, series, tmp_path / "out", HOW, {})
    assert (tmp_path / "out.json").read_text() == "mine"
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_place_of_the_folder_is_refused(exported, tmp_path, refuses):
    series = read_series(exported())
    (tmp_path / "out").write_text("mine")
    with refuses("is a file"):
        write_series(series.volume, series, tmp_path / "out", HOW)


def test_a_folder_in_no_folder_is_refused(exported, tmp_path, refuses):
    series = read_series(exported())
    with refuses("does not exist"):
        write_series(series.volume, series, tmp_path / "no" / "out", HOW)


FULL = """
import sys
from pathlib import Path
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.dicom.derived import Derivation, write_series
from SuperResolutionLib.files.dicom.series import read_series
series = read_series(sys.argv[1])
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_series(series.volume, series, Path(sys.argv[2]), Derivation(method="linear"), {})
except InputError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs limits of a POSIX system")
def test_a_full_disk_gets_nothing(exported, tmp_path):
    source = exported()
    asked = [sys.executable, "-c", FULL, str(source), str(tmp_path / "out")]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Is the disk full?" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dicom"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a place that nobody can write to")
def test_a_read_only_place_is_refused(exported, refuses):
    series = read_series(exported())
    with refuses("/proc", "cannot be written to"):
        write_series(series.volume, series, Path("/proc/out"), HOW)


def test_an_interruption_leaves_nothing(exported, tmp_path, monkeypatch):
    series = read_series(exported())
    from SuperResolutionLib.files.dicom import derived

    written = []

    def stop(made, t, k, path):
        written.append(path)
        path.write_bytes(b"half")
        if len(written) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(derived, "write_instance", stop)
    with pytest.raises(KeyboardInterrupt):
        write_series(series.volume, series, tmp_path / "out", HOW, {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dicom"]


def test_a_folder_claimed_by_this_process_can_be_written_and_stays(exported, tmp_path):
    series = read_series(exported())
    with claimed_folder(tmp_path / "out"):
        write_series(series.volume, series, tmp_path / "out", HOW)
    assert len(list((tmp_path / "out").iterdir())) == 5
    assert np.array_equal(sr.read(tmp_path / "out").voxels, smooth(1)[0])
