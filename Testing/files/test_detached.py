"""Plain NRRD, a header and a file of raw voxels: written slice by slice, and mapped instead of read."""

import json
import tracemalloc

import numpy as np
import pytest

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import read, write
from SuperResolutionLib.files.nrrd import open_voxels, write_detached
from SuperResolutionLib.volume import Volume

TYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]


def same(one: Volume, other: Volume) -> bool:
    """The same voxels of the same type in the same place."""
    alike = one.voxels.dtype == other.voxels.dtype and np.array_equal(one.voxels, other.voxels)
    return alike and bool(np.abs(one.bounds() - other.bounds()).max() < 1e-6)


def extreme(volume: Volume, dtype: str) -> Volume:
    """The volume in a type, with the least and the greatest number of that type."""
    voxels = volume.voxels.astype(dtype)
    limits = np.finfo(dtype) if voxels.dtype.kind == "f" else np.iinfo(dtype)
    voxels.flat[0], voxels.flat[1] = limits.min, limits.max
    return volume.with_voxels(voxels)


@pytest.mark.parametrize("dtype", TYPES)
def test_a_volume_comes_back_read_and_mapped(tmp_path, volume, dtype):
    given = extreme(volume, dtype)
    write_detached(given, tmp_path / "a.nhdr")
    assert {path.name for path in tmp_path.iterdir()} == {"a.nhdr", "a.raw"}
    assert same(read(tmp_path / "a.nhdr"), given)
    assert same(given.with_voxels(open_voxels(tmp_path / "a.nhdr")), given)


@pytest.mark.parametrize("dtype", TYPES)
def test_a_series_comes_back_read_and_mapped_with_its_gradients(tmp_path, series, dtype):
    given = extreme(series, dtype)
    write_detached(given, tmp_path / "a.nhdr")
    back = read(tmp_path / "a.nhdr")
    assert same(back, given)
    assert np.abs(back.gradients.bvals - given.gradients.bvals).max() < 1e-6
    assert np.abs(back.gradients.bvecs - given.gradients.bvecs).max() < 1e-6
    assert same(given.with_voxels(open_voxels(tmp_path / "a.nhdr")), given)


@pytest.mark.parametrize("dtype", TYPES)
def test_what_the_library_writes_can_be_mapped(tmp_path, volume, series, dtype):
    for name, given in (("volume", volume), ("series", series)):
        given = extreme(given, dtype)
        write(given, tmp_path / f"{name}.nhdr")
        assert same(given.with_voxels(open_voxels(tmp_path / f"{name}.nhdr")), given)


@pytest.mark.parametrize(("dtype", "kept"), [(">i2", "int16"), (">f4", "float32"), ("f2", "float32")])
def test_other_number_types_and_byte_orders_are_written(tmp_path, volume, dtype, kept):
    given = (volume.voxels > 5).astype(dtype)
    write_detached(volume.with_voxels(given), tmp_path / "a.nhdr")
    assert open_voxels(tmp_path / "a.nhdr").dtype == kept
    assert np.array_equal(open_voxels(tmp_path / "a.nhdr"), given)
    assert np.array_equal(read(tmp_path / "a.nhdr").voxels, given)


def test_a_view_is_written_without_being_copied_whole(tmp_path):
    voxels = np.random.default_rng(0).integers(0, 99, (60, 70, 2, 80), np.int16)
    view = np.moveaxis(voxels, (2, 1), (0, 3))[:, ::2]
    tracemalloc.start()
    write_detached(Volume(view), tmp_path / "a.nhdr")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.array_equal(open_voxels(tmp_path / "a.nhdr"), view)
    assert most < view.nbytes / 5


def test_mapped_voxels_cannot_be_changed(tmp_path, volume):
    write_detached(volume, tmp_path / "a.nhdr")
    with pytest.raises(ValueError, match="read-only"):
        open_voxels(tmp_path / "a.nhdr")[0, 0, 0] = 1


def test_voxels_in_the_other_byte_order_are_mapped(tmp_path, volume):
    write_detached(volume, tmp_path / "a.nhdr")
    (tmp_path / "a.raw").write_bytes(volume.voxels.astype(">i2").tobytes())
    change(tmp_path / "a.nhdr", "endian: little", "endian: big")
    assert np.array_equal(open_voxels(tmp_path / "a.nhdr"), volume.voxels)


def test_a_type_that_nrrd_does_not_have_is_refused(tmp_path, refuses):
    with refuses("float128", "cast them"):
        write_detached(Volume(np.zeros((2, 3, 4), np.longdouble)), tmp_path / "a.nhdr")
    assert list(tmp_path.iterdir()) == []


def change(path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("encoding: raw", "encoding: gzip", ["its voxels are gzip", "raw data file"]),
        ("data file: a.raw\n", "", ["in the header's own file"]),
        ("data file: a.raw", "data file: b.raw", ["no file or folder", "b.raw"]),
        ("type: int16", "type: block", ["voxel type is block"]),
        ("sizes: 7 6 5", "sizes: 7 6 0", ["sizes are 7 6 0"]),
        ("sizes: 7 6 5", "sizes: 7 30", ["dimension is 3", "2 sizes"]),
        ("encoding: raw", "encoding: raw\nbyte skip: 8", ["byte skip"]),
        ("space directions: (", "space directions: none (", ["one after another"]),
    ],
)
def test_what_cannot_be_mapped_is_refused(tmp_path, volume, refuses, old, new, words):
    write_detached(volume, tmp_path / "a.nhdr")
    change(tmp_path / "a.nhdr", old, new)
    with refuses(*words):
        open_voxels(tmp_path / "a.nhdr")


def test_a_data_file_that_is_too_short_is_refused(tmp_path, volume, refuses):
    write_detached(volume, tmp_path / "a.nhdr")
    (tmp_path / "a.raw").write_bytes((tmp_path / "a.raw").read_bytes()[:-1])
    with refuses("a.raw is cut short", "419 bytes of 420"):
        open_voxels(tmp_path / "a.nhdr")


def test_a_file_that_is_no_header_is_refused(tmp_path, refuses):
    (tmp_path / "a.nhdr").write_text(json.dumps({"not": "a header"}))
    with refuses("a.nhdr cannot be read as nhdr"):
        open_voxels(tmp_path / "a.nhdr")
    with pytest.raises(InputError, match="no file or folder"):
        open_voxels(tmp_path / "gone.nhdr")
