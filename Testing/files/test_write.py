"""Writing: the whole result or nothing, and never over something precious."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import SuperResolutionLib
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import EXTENSIONS, check_output, read, sha256, sidecar_path, write, write_sidecar
from SuperResolutionLib.volume import Volume

DETACHED = [".nhdr", ".mhd"]


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_image_and_sidecar_appear_together_and_nothing_else(tmp_path, volume, extension):
    path = tmp_path / f"brain{extension}"
    write(volume, path, record={"scale": np.int64(2), "psnr": np.float32(31.5), "input": Path("a.nii")})
    expected = {path.name, "brain.json"} | ({"brain.raw"} if extension in DETACHED else set())
    assert {p.name for p in tmp_path.iterdir()} == expected
    assert np.array_equal(read(path).voxels, volume.voxels)
    assert json.loads((tmp_path / "brain.json").read_text()) == {"scale": 2, "psnr": 31.5, "input": "a.nii"}


def test_other_number_types_and_byte_orders_are_written(tmp_path, volume):
    for dtype, kept in ((">i2", "int16"), ("float16", "float32")):
        write(Volume((volume.voxels > 5).astype(dtype)), tmp_path / "b.nrrd", overwrite=True)
        assert read(tmp_path / "b.nrrd").voxels.dtype == kept
        assert np.array_equal(read(tmp_path / "b.nrrd").voxels, volume.voxels > 5)


def test_the_sidecar_lies_beside_the_image():
    assert sidecar_path("x/brain.nii.gz") == Path("x/brain.json")
    assert sidecar_path("x/brain.v2.nrrd") == Path("x/brain.v2.json")


def test_overwriting_replaces_old_gradients_too(tmp_path, series, volume):
    write(series, tmp_path / "a.nii.gz")
    write(volume, tmp_path / "a.nii.gz", overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii.gz"]


def refused(path, *words, **options):
    before = sorted(p for p in path.parent.rglob("*")) if path.parent.is_dir() else []
    with pytest.raises(InputError) as caught:
        check_output(path, **options)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert before == (sorted(p for p in path.parent.rglob("*")) if path.parent.is_dir() else [])


def test_an_unknown_extension_is_refused_with_the_nearest(tmp_path):
    refused(tmp_path / "brain.nii.gx", ".nii.gz, .nii, .nrrd", "Did you mean '.nii.gz'?")
    refused(tmp_path / "brain.nrd", "Did you mean '.nrrd'?")
    refused(tmp_path / "brain", "known are")


def test_a_missing_folder_is_refused(tmp_path):
    refused(tmp_path / "nowhere" / "b.nrrd", "does not exist", "create it")


def test_a_folder_with_an_image_name_is_refused(tmp_path):
    (tmp_path / "b.nrrd").mkdir()
    refused(tmp_path / "b.nrrd", "is a folder")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written_to_is_refused():
    with pytest.raises(InputError, match="cannot be written to"):
        check_output("/proc/b.nrrd")


@pytest.mark.parametrize("name", ["b.nii.gz", "b.json", "b.bval"])
def test_an_existing_output_is_refused_unless_overwriting(tmp_path, name):
    (tmp_path / name).touch()
    refused(tmp_path / "b.nii.gz", name, "exists already", "--overwrite")
    check_output(tmp_path / "b.nii.gz", overwrite=True)


def test_the_input_is_never_overwritten_by_any_name(tmp_path, volume):
    source = tmp_path / "b.nii.gz"
    write(volume, source)
    os.symlink(source, tmp_path / "soft.nii.gz")
    os.link(source, tmp_path / "hard.nii.gz")
    for name in ("b.nii.gz", "soft.nii.gz", "hard.nii.gz"):
        refused(tmp_path / name, "belongs to the input", input_path=source, overwrite=True)


def test_what_lies_beside_the_input_is_not_overwritten_either(tmp_path, series, volume):
    write(series, tmp_path / "dwi.nii.gz")
    refused(tmp_path / "dwi.nii", "dwi.bval", "input", input_path=tmp_path / "dwi.nii.gz", overwrite=True)
    write(volume, tmp_path / "b.mhd")
    refused(tmp_path / "b.nhdr", "b.raw", "input", input_path=tmp_path / "b.mhd", overwrite=True)


def test_write_refuses_what_exists_and_leaves_it_alone(tmp_path, volume):
    (tmp_path / "b.nrrd").write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        write(volume, tmp_path / "b.nrrd")
    assert (tmp_path / "b.nrrd").read_text() == "precious"
    assert len(list(tmp_path.iterdir())) == 1


def test_nan_is_not_written(tmp_path):
    with pytest.raises(InputError, match="8 NaN or infinite"):
        write(Volume(np.full((2, 2, 2), np.nan)), tmp_path / "b.nii.gz")
    assert list(tmp_path.iterdir()) == []


class Interrupting:
    """A value whose writing is interrupted, as by Ctrl-C at the last moment."""

    def __str__(self):
        raise KeyboardInterrupt


def test_an_interrupted_write_leaves_nothing_and_keeps_the_old(tmp_path, volume, series):
    write(volume, tmp_path / "old.nrrd")
    before = (tmp_path / "old.nrrd").read_bytes()
    for name, given in (("old.nrrd", series), ("new.mhd", volume), ("new.nii.gz", series)):
        with pytest.raises(KeyboardInterrupt):
            write(given, tmp_path / name, overwrite=True, record={"x": Interrupting()})
    assert [p.name for p in tmp_path.iterdir()] == ["old.nrrd"]
    assert (tmp_path / "old.nrrd").read_bytes() == before


FULL = """
import resource, sys
import numpy as np
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import EXTENSIONS, write
from SuperResolutionLib.volume import Volume
voxels = np.random.default_rng(0).integers(-9999, 9999, (2, 20, 40, 50)).astype(np.int16)
resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))
for extension in EXTENSIONS:
    for given in (voxels, voxels[0]):
        try:
            write(Volume(given), sys.argv[1] + "/full" + extension, record={"a": 1})
            print("written")
        except InputError as error:
            print(error)
"""


def test_a_full_disk_leaves_no_half_file(tmp_path):
    pytest.importorskip("resource")
    environment = {**os.environ, "PYTHONPATH": str(Path(SuperResolutionLib.__file__).parents[1])}
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    sentences = run.stdout.splitlines()
    assert len(sentences) == 2 * len(EXTENSIONS), run.stderr
    assert all("could not be written" in line and "disk full?" in line for line in sentences), sentences
    assert list(tmp_path.iterdir()) == []
    assert run.stderr == ""


def test_sha256_tells_files_and_folders_apart(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"one")
    first = sha256(tmp_path / "a")
    assert sha256(tmp_path / "a" / "x") == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    (tmp_path / "a" / "x").rename(tmp_path / "a" / "y")
    assert sha256(tmp_path / "a") != first


def test_a_sidecar_tells_of_a_name_that_is_no_text(tmp_path):
    """Sibling of fault I2: the record failed after all the work."""
    name = os.fsdecode(b"h\xe9ad.nii")
    write_sidecar(tmp_path / "a.json", {"input": name, "place": "Köln"})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"input": name, "place": "Köln"}


def test_gradients_of_another_image_stay(tmp_path, series, volume):
    """Fault H3: overwriting o.nrrd deleted o.bval and o.bvec, which belong to o.nii.gz."""
    write(series, tmp_path / "o.nii.gz", record={"of": "series"})
    write(volume, tmp_path / "o.nrrd", overwrite=True, record={"of": "volume"})
    write(volume, tmp_path / "o.nrrd", overwrite=True, record={"of": "volume"})
    assert np.allclose(read(tmp_path / "o.nii.gz").gradients.bvals, series.gradients.bvals)
    expected = ["o.bval", "o.bvec", "o.json", "o.nii.gz", "o.nrrd", "o.nrrd.json"]
    assert sorted(p.name for p in tmp_path.iterdir()) == expected
    assert json.loads((tmp_path / "o.json").read_text()) == {"of": "series"}
    write(series, tmp_path / "o.nii.gz", overwrite=True, record={"of": "another"})
    assert json.loads((tmp_path / "o.json").read_text()) == {"of": "another"}


def test_gradients_are_not_written_over_those_of_another_image(tmp_path, series, refuses):
    """Sibling of H3."""
    write(series, tmp_path / "o.nii.gz")
    before = (tmp_path / "o.bval").read_bytes()
    with refuses("o.bval belongs to o.nii.gz as well"):
        write(series.with_voxels(series.voxels), tmp_path / "o.mha", overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o.bval", "o.bvec", "o.nii.gz"]
    assert (tmp_path / "o.bval").read_bytes() == before


@pytest.mark.parametrize("second", [e for e in EXTENSIONS if e != ".nrrd"])
def test_an_image_beside_one_that_differs_in_its_extension_has_its_own_sidecar(tmp_path, volume, second):
    """Fault H3: x.nii after x.nrrd was refused for the sidecar of x.nrrd."""
    write(volume, tmp_path / "x.nrrd", record={"of": "first"})
    check_output(tmp_path / f"x{second}")
    write(volume, tmp_path / f"x{second}", record={"of": "second"})
    assert json.loads((tmp_path / "x.json").read_text()) == {"of": "first"}
    assert json.loads((tmp_path / f"x{second}.json").read_text()) == {"of": "second"}


@pytest.mark.parametrize("extension", [".nii", ".nii.gz", ".mha", ".nhdr"])
@pytest.mark.parametrize("letter", ["x", "\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_the_longest_name_is_written_and_a_longer_one_is_refused_at_once(tmp_path, series, extension, letter):
    """Fault H8: a name of 254 bytes failed after the work."""
    room = 250 // len(letter.encode())
    fits, longer = (tmp_path / (letter * count + extension) for count in (room - 5, room + 2))
    write(series, fits, record={"a": 1})
    assert np.array_equal(read(fits).voxels, series.voxels)
    refused(longer, "bytes", "choose a shorter one")
