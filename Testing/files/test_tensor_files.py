"""NRRD of tensors: every kind, in any axis order, space and measurement frame, gives the same tensors in LPS."""

import bz2
import gzip
import warnings

import nibabel
import numpy as np
import pytest

from SuperResolutionLib import files
from SuperResolutionLib.diffusion.components import components, matrices
from SuperResolutionLib.files import ScanWarning, read
from SuperResolutionLib.volume import TENSOR, Volume

SIZE = (3, 4, 5)
SPACES = {
    "left-posterior-superior": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
}
SPACES |= {"LPS": (1, 1, 1), "RAS": (-1, -1, 1), "LAS": (1, -1, 1)}
ENCODERS = {"raw": bytes, "gzip": gzip.compress, "bzip2": bz2.compress}


@pytest.fixture
def tensors(make) -> Volume:
    """Tensors of all sorts on an oblique grid, one of them exactly 0."""
    half = np.random.default_rng(0).normal(0, 0.03, (*SIZE, 3, 3))
    whole = half @ np.swapaxes(half, -1, -2)
    whole[0, 0, 0] = 0
    return Volume(components(whole).astype(np.float32), (2, 2, 3), (10, -20, 5), make.rotation(4), quantity=TENSOR)


def stored(volume: Volume, kind: str) -> np.ndarray:
    """(z, y, x, components) as a kind stores them."""
    whole = matrices(volume.voxels)
    six = np.moveaxis(components(whole), 0, -1)
    nine = whole.reshape(*whole.shape[:3], 9)
    mask = np.ones((*whole.shape[:3], 1), np.float32)
    return {
        "3D-symmetric-matrix": six,
        "3D-masked-symmetric-matrix": np.concatenate([mask, six], -1),
        "3D-matrix": nine,
        "3D-masked-matrix": np.concatenate([mask, nine], -1),
    }[kind]


def write_by_hand(
    path, volume, kind="3D-symmetric-matrix", axis=3, space="left-posterior-superior", frame=None, changes=()
):
    """An NRRD whose component axis is the file's axis `axis`, with the tensors turned into space and frame."""
    flip = np.diag(SPACES[space]).astype(float)
    frame = np.eye(3) if frame is None else frame
    there = np.linalg.inv(frame) @ flip
    turned = there @ matrices(volume.voxels.astype(np.float64)) @ there.T
    voxels = np.moveaxis(stored(volume.with_voxels(components(turned).astype(np.float32)), kind), -1, 3 - axis)
    vectors = [
        "(" + ",".join(repr(float(n)) for n in step) + ")" for step in (flip @ volume.direction * volume.spacing).T
    ]
    fields = {
        "type": "float",
        "dimension": "4",
        "space": space,
        "sizes": " ".join(map(str, voxels.shape[::-1])),
        "space directions": " ".join([*vectors[:axis], "none", *vectors[axis:]]),
        "kinds": " ".join(["domain"] * axis + [kind] + ["domain"] * (3 - axis)),
        "endian": "little",
        "encoding": "raw",
        "space origin": "(" + ",".join(repr(float(n)) for n in flip @ volume.origin) + ")",
        "measurement frame": " ".join("(" + ",".join(repr(float(n)) for n in column) + ")" for column in frame.T),
    }
    fields |= dict(changes)
    lines = ["NRRD0005", *(f"{key}: {value}" for key, value in fields.items() if value is not None)]
    block = ENCODERS.get(fields["encoding"], bytes)(np.ascontiguousarray(voxels, "<f4").tobytes())
    path.write_bytes("\n".join(lines).encode() + b"\n\n" + block)
    return path


def same(volume: Volume, given: Volume) -> bool:
    return volume.quantity == TENSOR and np.allclose(volume.voxels, given.voxels, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["3D-symmetric-matrix", "3D-masked-symmetric-matrix", "3D-matrix", "3D-masked-matrix"])
@pytest.mark.parametrize("axis", range(4))
def test_every_kind_is_read_with_its_axis_anywhere(tmp_path, tensors, kind, axis):
    volume = read(write_by_hand(tmp_path / "t.nrrd", tensors, kind, axis))
    assert same(volume, tensors)
    assert np.allclose(volume.bounds(), tensors.bounds(), atol=1e-9)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("left", [False, True])
def test_space_and_measurement_frame_are_honoured(tmp_path, tensors, make, space, left):
    volume = read(write_by_hand(tmp_path / "t.nrrd", tensors, space=space, frame=make.rotation(9, left)))
    assert same(volume, tensors)
    assert np.allclose(volume.bounds(), tensors.bounds(), atol=1e-9)


@pytest.mark.parametrize("encoding", ENCODERS)
def test_every_common_encoding_is_read(tmp_path, tensors, encoding):
    assert same(read(write_by_hand(tmp_path / "t.nrrd", tensors, changes={"encoding": encoding})), tensors)


@pytest.mark.parametrize("extension", [".nrrd", ".nhdr"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_written_is_read_bit_by_bit(tmp_path, tensors, extension, dtype):
    given = tensors.with_voxels(tensors.voxels.astype(dtype))
    files.write(given, tmp_path / f"t{extension}", record={"made": "here"})
    back = read(tmp_path / f"t{extension}")
    assert back.voxels.dtype == dtype
    assert np.array_equal(back.voxels, given.voxels)
    assert np.allclose(back.bounds(), given.bounds(), atol=1e-9)


def test_without_a_measurement_frame_the_space_is_taken_with_a_warning(tmp_path, tensors):
    path = write_by_hand(
        tmp_path / "t.nrrd", tensors, space="right-anterior-superior", changes={"measurement frame": None}
    )
    with pytest.warns(ScanWarning, match="no measurement frame"):
        assert same(read(path), tensors)


@pytest.mark.parametrize("extension", [".nii.gz", ".nii", ".mha", ".mhd"])
def test_formats_that_do_not_state_the_frame_are_not_written(tmp_path, tensors, refuses, extension):
    with refuses(f"t{extension} cannot hold tensors", ".nrrd"):
        files.write(tensors, tmp_path / f"t{extension}")
    assert not list(tmp_path.iterdir())


def test_tensors_in_nifti_are_refused_for_their_frame(tmp_path, tensors, refuses):
    image = nibabel.Nifti1Image(tensors.voxels.transpose(3, 2, 1, 0)[:, :, :, None], np.eye(4))
    image.header.set_intent("symmetric matrix", (3,))
    nibabel.save(image, tmp_path / "t.nii.gz")
    with refuses("t.nii.gz holds tensors", "axes of the voxels or of the patient", "Convert it to NRRD"):
        read(tmp_path / "t.nii.gz")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"space": "scanner-xyz"}, ["its space is scanner-xyz", "left-posterior-superior"]),
        ({"space": None}, ["its space is missing"]),
        ({"sizes": "5 4 3 7"}, ["6 components", "5 4 3 7"]),
        ({"space directions": "none none none none"}, ["where its voxels lie"]),
        ({"measurement frame": "(1,0,0) (0,1,0)"}, ["measurement frame that cannot be read"]),
        ({"measurement frame": "(1,0,0) (0,1,0) (0,1,0)"}, ["no rotation"]),
        ({"encoding": "hex"}, ["encoding hex", "save it again with Slicer"]),
        ({"byte skip": "-2"}, ["negative skip"]),
        ({"type": "block"}, ["voxel type is block"]),
        ({"sizes": "5 4 9 6"}, ["cut short"]),
        ({"data file": "lost.raw"}, ["no file or folder", "lost.raw"]),
        ({"data file": "LIST"}, ["several files (LIST)"]),
    ],
)
def test_what_is_not_whole_is_refused(tmp_path, tensors, refuses, changes, words):
    path = write_by_hand(tmp_path / "t.nrrd", tensors, changes=changes)
    with warnings.catch_warnings(), refuses("t.nrrd" if "lost" not in words[-1] else "lost", *words):
        warnings.simplefilter("error")
        read(path)


def test_a_gzip_stream_that_ends_early_is_refused(tmp_path, tensors, refuses):
    path = write_by_hand(tmp_path / "t.nrrd", tensors, changes={"encoding": "gzip"})
    path.write_bytes(path.read_bytes()[:-30])
    with refuses("t.nrrd is cut short"):
        read(path)


def test_nan_in_a_tensor_is_refused(tmp_path, tensors, refuses):
    voxels = tensors.voxels.copy()
    voxels[2, 1, 1, 1] = np.nan
    with refuses("t.nrrd has", "NaN"):
        read(write_by_hand(tmp_path / "t.nrrd", tensors.with_voxels(voxels)))


@pytest.mark.parametrize("kind", ["3D-masked-symmetric-matrix", "3D-masked-matrix"])
def test_where_the_confidence_is_0_there_is_no_tensor_there_and_back(tmp_path, tensors, kind):
    """Fault J9: teem's masked form lost its mask without a word."""
    path = write_by_hand(tmp_path / "t.nrrd", tensors, kind)
    content = path.read_bytes()
    start, count = content.index(b"\n\n") + 2, tensors.voxels[0].size
    mask = np.ones(count, "<f4")
    mask[10:30] = 0
    path.write_bytes(content[:start] + content[start:].replace(np.ones(count, "<f4").tobytes(), mask.tobytes(), 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        volume = read(path)
    expected = tensors.voxels.reshape(6, -1) * mask
    assert np.allclose(volume.voxels.reshape(6, -1), expected, rtol=0, atol=1e-9)
    assert not volume.voxels.reshape(6, -1)[:, 10:30].any()
    files.write(volume, tmp_path / "again.nrrd")
    assert np.array_equal(read(tmp_path / "again.nrrd").voxels, volume.voxels)


def test_confidences_that_are_lost_are_said(tmp_path, tensors):
    """Fault J9: what cannot be kept is said."""
    path = write_by_hand(tmp_path / "t.nrrd", tensors, "3D-masked-symmetric-matrix")
    content = path.read_bytes()
    start, count = content.index(b"\n\n") + 2, tensors.voxels[0].size
    mask = np.ones(count, "<f4")
    mask[:7] = 0.5
    path.write_bytes(content[:start] + content[start:].replace(np.ones(count, "<f4").tobytes(), mask.tobytes(), 1))
    with pytest.warns(
        ScanWarning, match="confidences beside its tensors, 7 of them neither 0 nor 1; they are not kept"
    ):
        assert same(read(path), tensors)


def test_the_names_of_kinds_may_be_in_any_letters(tmp_path, tensors):
    """Sibling of D1."""
    changes = {"kinds": "Domain DOMAIN domain 3d-Symmetric-Matrix"}
    assert same(read(write_by_hand(tmp_path / "t.nrrd", tensors, changes=changes)), tensors)
