"""NRRD in every form that other programs write: axes, spacings, encodings, skips, units."""

import bz2
import gzip
import warnings

import numpy as np
import pytest
import SimpleITK as sitk

from SuperResolutionLib.files import ScanWarning, read
from SuperResolutionLib.files.nrrd import open_voxels, write_nrrd
from SuperResolutionLib.volume import Volume

VOXELS = np.random.default_rng(3).integers(-900, 900, (2, 4, 5, 6)).astype(np.int16)  # t, z, y, x
TEXT = {"type": "short", "space": "LPS", "kinds": "space space space", "endian": "little", "encoding": "raw"}
TEXT |= {"sizes": "6 5 4", "space directions": "(2,0,0) (0,2,0) (0,0,3)", "space origin": "(1,2,3)"}


def save(path, voxels=VOXELS[0], content=None, **changes):
    """A file of these fields; None takes one out, "_" stands for a space in its name."""
    fields = TEXT | {name.replace("_", " "): value for name, value in changes.items()}
    fields["dimension"] = str(voxels.ndim)
    lines = ["NRRD0005", *(f"{name}: {value}" for name, value in fields.items() if value is not None)]
    path.write_bytes(("\n".join(lines) + "\n\n").encode() + (voxels.tobytes() if content is None else content))
    return path


def quietly(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read(path)


SERIES = {"sizes": "6 5 4 2", "kinds": "space space space list"}
SERIES |= {"space_directions": "(2,0,0) (0,2,0) (0,0,3) none"}


@pytest.mark.parametrize("axis", range(4))
@pytest.mark.parametrize("kind", ["list", "time"])
def test_the_axis_of_volumes_may_be_any(tmp_path, axis, kind):
    voxels = np.ascontiguousarray(np.moveaxis(VOXELS, 0, 3 - axis))
    vectors = ["(2,0,0)", "(0,2,0)", "(0,0,3)"]
    volume = quietly(
        save(
            tmp_path / "a.nrrd",
            voxels,
            sizes=" ".join(map(str, voxels.shape[::-1])),
            space_directions=" ".join([*vectors[:axis], "none", *vectors[axis:]]),
            kinds=" ".join(["space"] * axis + [kind] + ["space"] * (3 - axis)),
        )
    )
    assert np.array_equal(volume.voxels, VOXELS)
    assert (volume.spacing, volume.origin) == ((2, 2, 3), (1, 2, 3))


ENCODED = {
    "raw": VOXELS[0].tobytes(),
    "gzip": gzip.compress(VOXELS[0].tobytes()),
    "gz": gzip.compress(VOXELS[0].tobytes()[:99]) + gzip.compress(VOXELS[0].tobytes()[99:]),
    "bzip2": bz2.compress(VOXELS[0].tobytes()),
    "bz2": bz2.compress(VOXELS[0].tobytes()),
    "ascii": " ".join(map(str, VOXELS[0].ravel())).encode(),
    "text": "\n".join(map(str, VOXELS[0].ravel())).encode() + b"\n",
    "txt": ", ".join(map(str, VOXELS[0].ravel())).encode(),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_every_encoding_is_read(tmp_path, encoding):
    volume = quietly(save(tmp_path / "a.nrrd", content=ENCODED[encoding], encoding=encoding))
    assert volume.voxels.dtype == np.int16
    assert np.array_equal(volume.voxels, VOXELS[0])


@pytest.mark.parametrize("encoding", ["gzip", "bzip2"])
def test_a_packed_stream_that_is_damaged_or_short_is_refused(tmp_path, refuses, encoding):
    whole = ENCODED[encoding]
    for content in (whole[:-30], whole[:40] + bytes([whole[40] ^ 255]) + whole[41:], b"none at all" * 9):
        with refuses("a.nrrd is cut short or damaged"):
            read(save(tmp_path / "a.nrrd", content=content, encoding=encoding))


SKIPPED = [
    ({"byte_skip": "7"}, b"7 bytes" + VOXELS[0].tobytes()),
    ({"byte skip": "-1"}, b"any number of bytes" + VOXELS[0].tobytes()),
    ({"line_skip": "2"}, b"one\ntwo\n" + VOXELS[0].tobytes()),
    ({"line_skip": "1", "byte_skip": "3"}, b"one\nabc" + VOXELS[0].tobytes()),
    ({"byte_skip": "7", "encoding": "gzip"}, gzip.compress(b"7 bytes" + VOXELS[0].tobytes())),
    ({"line_skip": "1", "encoding": "gzip"}, b"one\n" + gzip.compress(VOXELS[0].tobytes())),
]


@pytest.mark.parametrize(("changes", "content"), SKIPPED)
def test_skips_are_honoured_as_the_format_orders_them(tmp_path, changes, content):
    assert np.array_equal(quietly(save(tmp_path / "a.nrrd", content=content, **changes)).voxels, VOXELS[0])


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [("signed char", "i1"), ("uint16_t", "u2"), ("long long int", "i8"), ("float", "f4"), ("double", "f8")],
)
def test_types_have_many_names_and_either_byte_order(tmp_path, order, name, kind):
    voxels = (np.abs(VOXELS[0]) % 100).astype(("<" if order == "little" else ">") + kind)
    volume = quietly(save(tmp_path / "a.nrrd", voxels, type=name, endian=order))
    assert volume.voxels.dtype == np.dtype(kind)
    assert np.array_equal(volume.voxels, voxels)


def test_spacings_without_directions_are_sizes_along_the_axes_of_space(tmp_path):
    changes = {"space_directions": None, "spacings": "2 2 3"}
    volume = quietly(save(tmp_path / "a.nrrd", **changes))
    assert (volume.spacing, volume.origin) == ((2, 2, 3), (1, 2, 3))
    axis = {"sizes": "6 5 4 2", "spacings": "2 2 3 nan", "kinds": "space space space list"}
    assert np.array_equal(quietly(save(tmp_path / "b.nrrd", VOXELS, **(changes | axis))).voxels, VOXELS)


def test_what_is_not_stated_is_said(tmp_path):
    """Sibling of C: an NRRD without voxel sizes was 1 mm, and one without a space LPS, without a word."""
    with pytest.warns(ScanWarning, match="does not state how large its voxels are; they are taken to be 1 mm"):
        assert read(save(tmp_path / "a.nrrd", space_directions=None)).spacing == (1, 1, 1)
    with pytest.warns(ScanWarning, match=r"does not say where left and right are \(its space is scanner-xyz\)"):
        read(save(tmp_path / "b.nrrd", space="scanner-xyz"))
    with pytest.warns(ScanWarning, match="which is no known unit of length"):
        read(save(tmp_path / "c.nrrd", space_units='"foot" "foot" "foot"'))


SPACES = {
    "right-anterior-superior": (-1, -1, 1),
    "RAS": (-1, -1, 1),
    "las": (1, -1, 1),
    "Left-Posterior-Superior": (1, 1, 1),
}


@pytest.mark.parametrize("space", SPACES)
def test_spaces_of_the_patient_are_turned_into_ours(tmp_path, space):
    volume = quietly(save(tmp_path / "a.nrrd", space=space))
    assert volume.origin == pytest.approx(np.array(SPACES[space]) * (1, 2, 3))
    assert np.array_equal(volume.direction, np.diag(SPACES[space]))


def test_a_space_with_time_is_a_series(tmp_path):
    changes = {"space": "left-posterior-superior-time", "kinds": "space space space time", "sizes": "6 5 4 2"}
    directions = "(2,0,0,0) (0,2,0,0) (0,0,3,0) (0,0,0,2.5)"
    volume = quietly(
        save(tmp_path / "a.nrrd", VOXELS, space_directions=directions, space_origin="(1,2,3,0)", **changes)
    )
    assert np.array_equal(volume.voxels, VOXELS)
    assert (volume.spacing, volume.origin) == ((2, 2, 3), (1, 2, 3))
    assert volume.header.time_step == 2.5


@pytest.mark.filterwarnings("ignore::SuperResolutionLib.files.ScanWarning")
@pytest.mark.parametrize("axes", [2, 3, 4])
@pytest.mark.parametrize("extension", [".nrrd", ".nhdr"])
def test_what_itk_writes_is_read_as_itk_reads_it(tmp_path, axes, extension):
    voxels = VOXELS[(0,) * (4 - axes)]
    image = sitk.GetImageFromArray(voxels, isVector=False)
    image.SetSpacing([2.0, 3.0, 4.0, 1.0][:axes])
    image.SetOrigin([5.0, -6.0, 7.0, 0.0][:axes])
    sitk.WriteImage(image, str(tmp_path / f"a{extension}"), True)
    volume = read(tmp_path / f"a{extension}")
    assert np.array_equal(volume.voxels, voxels if axes > 2 else voxels[None])
    assert volume.spacing[:2] == (2, 3)
    assert volume.origin[:2] == (5, -6)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("vector", "2 components"), ("complex", "complex voxels"), ("2-vector", "2 components"), ("???", "2 components")],
)
def test_numbers_per_voxel_are_refused_by_their_kind(tmp_path, refuses, kind, words):
    changes = SERIES | {"kinds": f"space space space {kind}"}
    with refuses("a.nrrd", words):
        read(save(tmp_path / "a.nrrd", VOXELS, **changes))


def test_tensors_that_are_mapped_lie_row_by_row(tmp_path, make):
    six = np.random.default_rng(0).normal(size=(6, 3, 4, 5)).astype(np.float32)
    write_nrrd(Volume(six, direction=make.rotation(1), quantity="tensor"), tmp_path / "t.nhdr")
    mapped = open_voxels(tmp_path / "t.nhdr")
    assert isinstance(mapped, np.memmap)
    assert np.array_equal(mapped, six[[0, 1, 2, 1, 3, 4, 2, 4, 5]])
    header = (tmp_path / "t.nhdr").read_text()
    assert "kinds: 3D-matrix domain domain domain\n" in header
    assert "sizes: 9 5 4 3\n" in header
