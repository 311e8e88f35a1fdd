"""A name belongs to one process at a time, and what a process that was killed left behind is cleared away."""

import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

import SuperResolutionLib
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import EXTENSIONS, claims, moves, read, write
from SuperResolutionLib.files.claims import PREFIX, claimed, claimed_folder, temporary
from SuperResolutionLib.files.output import image_writer, write_files, write_group

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(SuperResolutionLib.__file__).parents[1])}
posix = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills processes as POSIX does")

HOLD = """
import sys, time
from pathlib import Path
from SuperResolutionLib.files.claims import claimed
with claimed(Path(sys.argv[1]), "a") as workshop:
    (workshop / "half").write_text("half")
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the name a in the folder."""
    asked = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(asked, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_name_that_another_process_writes_is_refused(tmp_path, volume, other, refuses, extension):
    """Fault H4: both succeeded, and one result was lost."""
    with refuses(f"a{extension} is being written by another process ({other.pid} on", "wait until it is done"):
        write(volume, tmp_path / f"a{extension}")
    write(volume, tmp_path / "b.nii")
    assert read(tmp_path / "b.nii").voxels.shape == volume.voxels.shape


@posix
def test_what_a_killed_process_held_is_free_and_cleared_away(tmp_path, volume, other):
    """Faults H5 and H6: a stale lock is taken over; SIGKILL leaves a hidden folder."""
    other.kill()
    other.wait()
    assert any(name.startswith(PREFIX) for name in names(tmp_path))
    write(volume, tmp_path / "b.nii")
    assert names(tmp_path) == ["b.nii"]
    write(volume, tmp_path / "a.nii")
    assert names(tmp_path) == ["a.nii", "b.nii"]


def test_a_folder_of_a_living_process_is_not_swept(tmp_path, other):
    before = names(tmp_path)
    claims.sweep(tmp_path)
    assert names(tmp_path) == before
    assert other.poll() is None


@posix
@pytest.mark.parametrize("disk", ["with locks", "without locks"])
def test_a_folder_is_for_one_process_and_goes_if_nothing_came_of_it(tmp_path, disk, monkeypatch):
    """Sibling of H5: also on a disk that has no locks, where the process's id decides."""
    if disk == "without locks":
        import fcntl

        monkeypatch.setattr(fcntl, "flock", lambda *_: (_ for _ in ()).throw(OSError(95, "Operation not supported")))
    with claimed_folder(tmp_path / "study"), claimed_folder(tmp_path / "study"):
        (workshop,) = (tmp_path / "study").iterdir()
        assert (workshop / "process").read_text().startswith(f"{os.getpid()} on ")
        assert claims._taken(workshop) is None
    assert names(tmp_path) == []
    stale = tmp_path / "study" / workshop.name
    stale.mkdir(parents=True)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (stale / "process").write_text(f"{ended.pid} on {os.uname().nodename}")
    with claimed_folder(tmp_path / "study"):
        pass
    assert names(tmp_path / "study") == []


@posix
def test_a_link_is_never_swept(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "scan.nii").write_text("mine")
    os.symlink(tmp_path / "precious", tmp_path / f"{PREFIX}0123")
    claims.sweep(tmp_path)
    assert names(tmp_path / "precious") == ["scan.nii"]


UNPACK = """
import os, signal, sys, zipfile
from SuperResolutionLib import files
from SuperResolutionLib.files.dicom import series
series.sources = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
files.read(sys.argv[1])
"""


@posix
def test_what_a_killed_process_unpacked_of_a_zip_is_cleared_away(tmp_path, monkeypatch, make):
    """Fault H6: patients' DICOM stayed in the temporary folder."""
    (tmp_path / "temporary").mkdir()
    with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
        for path in make.classic(tmp_path / "scan", np.ones((2, 4, 5), np.int16)):
            archive.write(path, path.name)
    environment = {**ENVIRONMENT, "TMPDIR": str(tmp_path / "temporary")}
    killed = subprocess.run([sys.executable, "-c", UNPACK, str(tmp_path / "scan.zip")], env=environment)
    assert killed.returncode == -signal.SIGKILL
    assert any(path.suffix == ".dcm" for path in (tmp_path / "temporary").rglob("*"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with temporary() as folder:
        assert folder.stat().st_mode & 0o77 == 0 or folder.parent.stat().st_mode & 0o77 == 0
    assert names(tmp_path / "temporary") == []


# ---------------------------------------------------------------- groups


def broken(path: Path) -> None:
    path.write_text("half")
    raise OSError(28, "No space left on device")


def test_a_group_is_whole_or_not_there_and_what_was_there_stays(tmp_path, refuses):
    """Fault H2."""
    (tmp_path / "a.json").write_text("old")
    good = {"a.json": lambda path: path.write_text("new"), "b.png": lambda path: path.write_text("new")}
    with refuses("a.json exists already"):
        write_group(tmp_path, good)
    with refuses("could not be written whole", "No space left"):
        write_group(tmp_path, {**good, "c.csv": broken}, overwrite=True)
    assert (names(tmp_path), (tmp_path / "a.json").read_text()) == (["a.json"], "old")
    write_group(tmp_path, good, overwrite=True)
    assert (names(tmp_path), (tmp_path / "a.json").read_text()) == (["a.json", "b.png"], "new")


def test_a_group_in_several_folders_is_whole_or_not_there(tmp_path, volume, refuses):
    """Sibling of H2: the map of uncertainty may lie elsewhere."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = tmp_path / "one" / "a.nii", tmp_path / "two" / "b.nrrd"
    (tmp_path / "one" / "a.nii").write_text("old")
    writers = {one: image_writer(volume, one, {"x": 1}), two: broken}
    with refuses("could not be written whole"):
        write_files(writers, overwrite=True)
    assert (names(tmp_path / "one"), one.read_text(), names(tmp_path / "two")) == (["a.nii"], "old", [])


@pytest.mark.parametrize("at", range(4))
def test_moving_that_stops_anywhere_is_undone(tmp_path, monkeypatch, at):
    """Sibling of H2: the third of four files cannot be moved, and two were there before; links or not."""
    for links in (True, False):
        for name in ("a", "c"):
            (tmp_path / name).write_text(f"old {name}")
        replace, calls = os.replace, []

        def counted(source, target, calls=calls, replace=replace):
            calls.append(target)
            if len(calls) == at + 1:
                raise KeyboardInterrupt
            replace(source, target)

        def unlinked(*_given, **_options):
            raise OSError(95, "Operation not supported")

        writers = {name: (lambda path: path.write_text("new")) for name in "abcd"}
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(moves.os, "replace", counted)
            if not links:
                patch.setattr(moves.os, "link", unlinked)
            write_group(tmp_path, writers, overwrite=True)
        assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a": "old a", "c": "old c"}


KILLED = """
import os, signal, sys
from pathlib import Path
from SuperResolutionLib.files import moves
from SuperResolutionLib.files.output import write_group
replace, calls = os.replace, []
def counted(source, target):
    calls.append(target)
    if len(calls) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
moves.os.replace = counted
write_group(Path(sys.argv[1]), {name: lambda path: path.write_text("new") for name in "abc"}, overwrite=True)
"""


@posix
@pytest.mark.parametrize("at", [1, 2, 3])
def test_moving_that_was_killed_is_undone_by_the_next_process(tmp_path, at):
    """Sibling of H6: killed between two files of a group."""
    (tmp_path / "b").write_text("old b")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(at)], env=ENVIRONMENT)
    assert killed.returncode == -signal.SIGKILL
    with claimed(tmp_path, "another"):
        pass
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"b": "old b"}


def test_nothing_is_written_over_a_link_to_nothing(tmp_path, volume, refuses):
    """Fault H8: a dangling link at OUTPUT was replaced."""
    os.symlink(tmp_path / "gone", tmp_path / "a.nii")
    with refuses("a.nii exists already"):
        write(volume, tmp_path / "a.nii")
    assert (tmp_path / "a.nii").is_symlink()


def test_a_folder_that_is_gone_is_refused(tmp_path):
    with pytest.raises((InputError, FileNotFoundError)), claimed(tmp_path / "gone", "a"):
        pass
