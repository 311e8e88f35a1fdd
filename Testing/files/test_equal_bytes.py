"""Equal volumes make equal files, byte by byte, whatever they are called and whenever they are written. Fault H8."""

import gzip

import numpy as np
import pytest

from SuperResolutionLib.files import EXTENSIONS, write
from SuperResolutionLib.files import vectors as number_files
from SuperResolutionLib.volume import TENSOR, Volume


@pytest.fixture(params=["volume", "series", "tensors"])
def given_volume(request, volume, series):
    tensors = Volume(np.random.default_rng(0).normal(size=(6, 3, 4, 5)).astype(np.float32), quantity=TENSOR)
    return {"volume": volume, "series": series, "tensors": tensors}[request.param]


@pytest.fixture
def clock(monkeypatch):
    """Time passes between two files."""
    moments = iter(range(1_000_000_000, 2_000_000_000, 1000))
    monkeypatch.setattr("time.time", lambda: next(moments))


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_two_files_of_one_volume_are_equal(tmp_path, given_volume, extension, clock):
    """Fault H8: a 4-D .nrrd differed from run to run by the time in its gzip stream."""
    if given_volume.quantity == TENSOR and extension not in (".nrrd", ".nhdr"):
        pytest.skip("holds no tensors")
    contents = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write(given_volume, tmp_path / folder / f"a{extension}")
        contents.append({path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()})
    assert contents[0] == contents[1]


@pytest.mark.parametrize("extension", [".nii.gz", ".nrrd"])
def test_a_file_does_not_hold_its_own_name(tmp_path, volume, extension, clock):
    for name in ("one", "another"):
        write(volume, tmp_path / f"{name}{extension}")
    assert (tmp_path / f"one{extension}").read_bytes() == (tmp_path / f"another{extension}").read_bytes()


def test_directions_and_colours_are_equal_too(tmp_path, clock):
    """Sibling of H8."""
    three = Volume(np.random.default_rng(0).integers(0, 99, (3, 4, 5, 6)).astype(np.uint8))
    for name in ("one.nrrd", "two.nrrd"):
        number_files.write_colours(three, tmp_path / name)
    assert (tmp_path / "one.nrrd").read_bytes() == (tmp_path / "two.nrrd").read_bytes()
    stream = (tmp_path / "one.nrrd").read_bytes().split(b"\n\n", 1)[1]
    assert stream[3:8] == bytes(5)  # no name, no time
    assert len(gzip.decompress(stream)) == 360
