"""Damaged DICOM: each kind of damage becomes a sentence, soon, and never a volume without a word."""

import os
import tracemalloc
import zipfile

import numpy as np
import pydicom
import pytest

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import read

VOXELS = np.random.default_rng(8).integers(-100, 3000, (6, 4, 5)).astype(np.int16)


def raw(path, tag, value):
    """Write an element's bytes as they are, whatever pydicom thinks of them."""
    dataset = pydicom.dcmread(path)
    element = dataset[tag]
    text = value + b" " * (len(value) % 2)
    dataset.add(pydicom.dataelem.RawDataElement(element.tag, element.VR, len(text), text, 0, False, True))
    dataset.save_as(path)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize(
    ("tag", "value", "words"),
    [
        ("ImagePositionPatient", b"nan\\20\\30", "ImagePositionPatient"),
        ("ImagePositionPatient", b"10\\1e999\\30", "ImagePositionPatient"),
        ("ImagePositionPatient", b"10", "ImagePositionPatient"),
        ("ImagePositionPatient", b"10\\20", "ImagePositionPatient"),
        ("ImagePositionPatient", b"1\\2\\3\\4", "ImagePositionPatient"),
        ("ImagePositionPatient", b"a\\b\\c", "damaged"),
        ("ImagePositionPatient", b"10\\20\\5e8", "outside of any scanner"),
        ("ImageOrientationPatient", b"0\\0\\0\\0\\0\\0", "ImageOrientationPatient"),
        ("ImageOrientationPatient", b"1\\0\\0\\1\\0\\0", "ImageOrientationPatient"),
        ("ImageOrientationPatient", b"1\\0\\0\\0\\7\\0", "ImageOrientationPatient"),
        ("ImageOrientationPatient", b"1\\0\\0\\0.7\\0.7\\0", "right angles"),
        ("ImageOrientationPatient", b"1\\0\\0\\0\\1", "ImageOrientationPatient"),
        ("PixelSpacing", b"0\\1", "PixelSpacing"),
        ("PixelSpacing", b"-1\\1", "PixelSpacing"),
        ("PixelSpacing", b"1", "PixelSpacing"),
        ("PixelSpacing", b"inf\\1", "PixelSpacing"),
        ("NumberOfFrames", b"abc", "damaged"),
        ("NumberOfFrames", b"-3", "damaged"),
        ("NumberOfFrames", b"2000000000", "damaged"),
        ("Rows", b"\0\0", "damaged"),
        ("Rows", b"\xff\xff", "damaged"),
        ("BitsAllocated", b"\x07\0", "damaged"),
    ],
)
@pytest.mark.parametrize("which", ["one", "all"])
def test_damaged_elements_are_refused(tmp_path, make, which, tag, value, words):
    """Fault E11: tracebacks, or memory without end."""
    paths = make.classic(tmp_path / "scan", VOXELS, NumberOfFrames=[1] * 6, SeriesNumber=[1] * 6)
    for path in paths[:1] if which == "one" else paths:
        raw(path, tag, value)
    with pytest.raises(InputError, match=f"{words}|DICOM series") as caught:
        read(tmp_path / "scan")
    assert caught.value.args[0].count(". ") < 3


@pytest.mark.parametrize("more", [{"SeriesInstanceUID": "1.2.3.3"}, {"SeriesDescription": "scam 1"}, {"Columns": 4}])
def test_a_slice_that_damage_has_parted_from_its_volume_is_not_left_out(tmp_path, make, more):
    """Fault E11, siblings: a volume must not become one slice shorter."""
    make.change(make.classic(tmp_path / "scan", VOXELS)[0], **more)
    with pytest.raises(InputError, match="2 DICOM series"):
        read(tmp_path / "scan")


@pytest.mark.parametrize("far", [2e3, 9e4, 5e8])
def test_a_slice_far_away_is_refused_before_its_volume_is_allocated(tmp_path, make, far):
    """Fault E11: a slice 5e8 mm away took memory without end."""
    places = [[0.0, 0.0, 3.0 * k] for k in range(5)] + [[0.0, 0.0, far]]
    make.classic(tmp_path / "scan", VOXELS, ImagePositionPatient=places)
    tracemalloc.start()
    with pytest.raises(InputError, match=r"lacks \d+ of \d+ slices|outside of any scanner"):
        read(tmp_path / "scan")
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["classic", "enhanced", "mosaic"])
def test_flipped_bits_anywhere_are_refused_or_harmless(tmp_path, make, kind):
    """Fault E11: one flipped bit in a VR was a traceback."""
    (tmp_path / "scan").mkdir()
    if kind == "classic":
        path = make.classic(tmp_path / "scan", VOXELS[:2])[0]
    elif kind == "enhanced":
        path = make.enhanced(tmp_path / "scan/e.dcm", VOXELS[None, :2], [0], np.zeros((1, 3)))
    else:
        path = make.mosaic(tmp_path / "scan", VOXELS[None, :2], [0, 0, 1])[0]
    whole = path.read_bytes()
    random = np.random.default_rng(5)
    for place in random.integers(132, len(whole) - 80, 150):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << int(random.integers(8))]) + whole[place + 1 :])
        try:
            read(tmp_path / "scan")
        except InputError as error:
            assert len(str(error)) < 2000
    path.write_bytes(whole)
    read(tmp_path / "scan")


def test_a_damaged_gzipped_slice_is_not_left_out(tmp_path, make):
    """Fault E13, siblings: it was taken for no DICOM, and its place filled from the neighbours."""
    import gzip

    for path in make.classic(tmp_path / "scan", VOXELS):
        path.write_bytes(gzip.compress(path.read_bytes()))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="damaged"):
        read(tmp_path / "scan")
    path.write_bytes(bytes(content[: len(content) // 2]))
    with pytest.raises(InputError, match="damaged"):
        read(tmp_path / "scan")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_zips_with_flipped_bits_are_refused_or_harmless(tmp_path, make, packing):
    """Fault E13: zlib.error and LZMAError."""
    make.classic(tmp_path / "scan", VOXELS)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", packing) as archive:
        for path in sorted((tmp_path / "scan").iterdir()):
            archive.write(path, path.name)
    whole = (tmp_path / "a.zip").read_bytes()
    random = np.random.default_rng(3)
    for place in (*random.integers(0, len(whole), 60), *range(len(whole) - 22, len(whole))):
        (tmp_path / "a.zip").write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        try:
            assert np.array_equal(read(tmp_path / "a.zip").voxels[0], VOXELS[0])
        except InputError:
            continue
    os.truncate(tmp_path / "a.zip", len(whole) // 2)
    with pytest.raises(InputError, match="not a whole zip"):
        read(tmp_path / "a.zip")


def test_an_encrypted_zip_says_so(tmp_path, make):
    """Fault E13, siblings: a password is needed."""
    paths = make.classic(tmp_path / "scan", VOXELS)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(paths[0], "0.dcm")
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[6] |= 1
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"a\.zip is encrypted; unpack it yourself with its password"):
        read(tmp_path / "a.zip")
