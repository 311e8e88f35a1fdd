"""FreeSurfer's .mgz and .mgh come in."""

import gzip
import os
import struct

import nibabel
import numpy as np
import pytest

from SuperResolutionLib.files import read, write

LPS = np.array([-1.0, -1.0, 1.0])
VOXELS = np.random.default_rng(0).integers(0, 99, (4, 5, 6, 3))


def save(path, voxels, make, repetition=2500.0):
    affine = nibabel.affines.from_matvec(make.rotation(2, left_handed=True) * (1, 1, 2.5), (10, -20, 30))
    image = nibabel.MGHImage(voxels, affine)
    image.header["tr"] = repetition
    nibabel.save(image, path)
    return path, affine


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32"])
@pytest.mark.parametrize("name", ["a.mgz", "a.mgh", "a.MGZ"])
def test_volumes_keep_their_type_and_place(tmp_path, make, name, dtype):
    path, affine = save(
        tmp_path / "s.mgz" if name != "a.mgh" else tmp_path / "s.mgh", VOXELS[..., 0].astype(dtype), make
    )
    volume = read(path.rename(tmp_path / name))
    assert volume.voxels.dtype == dtype
    assert np.array_equal(volume.voxels, VOXELS[..., 0].T)
    corner = np.array(volume.origin) + volume.direction @ (np.array(volume.spacing) * (1, 2, 3))
    assert LPS * corner == pytest.approx((affine @ [1, 2, 3, 1])[:3], abs=1e-4)


def test_a_series_keeps_its_repetition_time(tmp_path, make):
    path, _ = save(tmp_path / "a.mgz", VOXELS.astype(np.float32), make)
    write(read(path), tmp_path / "b.nii.gz")
    image = nibabel.load(tmp_path / "b.nii.gz")
    assert image.header.get_zooms()[3] == 2.5
    assert np.array_equal(np.asarray(image.dataobj), VOXELS)


def test_they_are_not_written(tmp_path, volume, refuses):
    with refuses("a.mgz ends in '.mgz', which cannot be written", ".nii.gz"):
        write(volume, tmp_path / "a.mgz")


@pytest.mark.parametrize("keep", [0, 50, 200, 300, 500])
@pytest.mark.parametrize("extension", [".mgz", ".mgh"])
def test_a_file_that_is_cut_short_is_refused(tmp_path, make, refuses, keep, extension):
    path, _ = save(tmp_path / f"a{extension}", VOXELS.astype(np.int16), make)
    os.truncate(path, min(keep, path.stat().st_size - 200))
    with refuses(f"a{extension}"):
        read(path)


@pytest.mark.parametrize(("place", "value"), [(0, 2), (4, 0), (4, -4), (4, 2**31 - 1), (16, 50000), (20, 77)])
def test_headers_that_make_no_sense_are_refused(tmp_path, make, refuses, place, value):
    path, _ = save(tmp_path / "a.mgz", VOXELS.astype(np.int16), make)
    content = bytearray(gzip.decompress(path.read_bytes()))
    struct.pack_into(">i", content, place, value)
    path.write_bytes(gzip.compress(content))
    with refuses("a.mgz"):
        read(path)
