"""Headers that promise what is not there, or name what is not theirs: a sentence, before anything is allocated.

Faults I2 to I5.
"""

import gzip
import os
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pytest

import SuperResolutionLib
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import EXTENSIONS, read, voxel_blocks, write
from SuperResolutionLib.volume import Volume

NIFTI, META = [".nii", ".nii.gz"], [".mha", ".mhd"]


@pytest.fixture(autouse=True)
def little_memory():
    """Nothing here may ask for more than 50 MB."""
    tracemalloc.start()
    yield
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50e6


def header_of(path: Path) -> bytearray:
    return bytearray(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


def put(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else bytes(content))


def patched(path: Path, volume: Volume, layout: str, place: int, *values: float) -> Path:
    """A NIfTI file with these values at this byte of its header."""
    write(volume, path)
    content = header_of(path)
    struct.pack_into("<" + layout, content, place, *values)
    put(path, content)
    return path


# --- sizes: I3 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", NIFTI)
@pytest.mark.parametrize("sizes", [(2000, 2000, 2000), (32767, 32767, 32767), (7, 6, 6)])
def test_a_nifti_that_promises_more_than_it_has_is_refused(tmp_path, volume, refuses, extension, sizes):
    """Fault I3: gz with dims 2000^3 touched 3.9 GB."""
    with refuses(f"a{extension}"):
        read(patched(tmp_path / f"a{extension}", volume, "4h", 40, 3, *sizes))


@pytest.mark.parametrize("extension", NIFTI)
@pytest.mark.parametrize("offset", [np.nan, np.inf, -5.0, 1e10, 1e19, 3e38])
def test_voxels_that_start_nowhere_are_refused(tmp_path, volume, refuses, extension, offset):
    """Fault I3: vox_offset NaN, inf, 1e10, 1e19."""
    with refuses(f"a{extension} is cut short or damaged"):
        read(patched(tmp_path / f"a{extension}", volume, "f", 108, offset))


def zeros(path: Path, count: int, before: bytes = b"") -> None:
    """A gzip file of very many zeros, made without them: one packed megabyte again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(before + bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    with path.open("wb") as file:
        file.write(b"\x1f\x8b\x08" + bytes(7) + first)
        for _ in range(count >> 20):
            file.write(again)
        file.write(b"\x03\0" + bytes(4) + (len(before) + 2**20 + (count >> 20 << 20)).to_bytes(8, "little")[:4])


def test_a_bomb_is_refused(tmp_path, volume, refuses):
    """Fault I3: a few megabytes that unpack to many gigabytes of zeros, as the header says."""
    write(volume, tmp_path / "small.nii")
    header = header_of(tmp_path / "small.nii")[:352]
    struct.pack_into("<4h", header, 40, 3, 2000, 2000, 1000)
    zeros(tmp_path / "a.nii.gz", 8 * 10**9, bytes(header))
    with refuses("a.nii.gz promises 8 GB of voxels in a file of", "no scan is"):
        read(tmp_path / "a.nii.gz")


def test_a_stream_that_is_shorter_than_its_header_promises_is_counted_first(tmp_path, volume, refuses):
    """Sibling of I3: a plausible promise of 400 MB in a stream of 100 MB touches no memory."""
    write(volume, tmp_path / "small.nii")
    header = header_of(tmp_path / "small.nii")[:352]
    struct.pack_into("<4h", header, 40, 3, 1000, 1000, 200)
    zeros(tmp_path / "a.nii.gz", 10**8, bytes(header))
    (tmp_path / "a.nii.gz").write_bytes((tmp_path / "a.nii.gz").read_bytes() + bytes(2**20))
    with refuses("a.nii.gz is cut short or damaged"):
        read(tmp_path / "a.nii.gz")


def test_voxels_that_do_not_fit_in_memory_are_refused(tmp_path, volume, refuses, monkeypatch):
    """Fault I3: what a header claims is held against the memory, too."""
    write(volume, tmp_path / "a.nii")
    monkeypatch.setattr(voxel_blocks, "free_memory", lambda: 400)
    with refuses("a.nii needs 4.2e-07 GB of memory", "close other"):
        read(tmp_path / "a.nii")


def test_the_memory_that_is_free_is_known():
    assert voxel_blocks.free_memory() is None or voxel_blocks.free_memory() > 1e6


NRRD = """NRRD0004
type: {type}
dimension: {dimension}
space: left-posterior-superior
sizes: {sizes}
space directions: {directions}
kinds: {kinds}
endian: little
encoding: {encoding}
space origin: (0,0,0)
{more}
"""
PLAIN = {"type": "short", "dimension": 3, "sizes": "7 6 5", "directions": "(1,0,0) (0,1,0) (0,0,1)"}
PLAIN |= {"kinds": "domain domain domain", "encoding": "raw", "more": ""}


def nrrd(path: Path, content: bytes = bytes(420), **changes: object) -> Path:
    fields = PLAIN | changes
    text = NRRD.format(**fields)
    path.write_bytes((text if fields["more"] == "" else text + "\n").encode() + content)
    return path


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
@pytest.mark.parametrize("sizes", ["20000 20000 4", "99999 99999 99999", "99999999999 1 1"])
def test_an_nrrd_that_promises_more_than_it_has_is_refused(tmp_path, refuses, encoding, sizes):
    """Fault I3: sizes 20000 x 20000 x 4 with 5 kB of data touched 2.8 GB."""
    with refuses("a.nrrd"):
        read(nrrd(tmp_path / "a.nrrd", bytes(5000), encoding=encoding, sizes=sizes))


def test_tensors_that_promise_more_than_they_have_are_refused(tmp_path, refuses):
    """Fault I3: a tensor NRRD of 99999^3 was a MemoryError."""
    changes = {"dimension": 4, "kinds": "3D-matrix domain domain domain", "sizes": "9 99999 99999 99999"}
    directions = "none (1,0,0) (0,1,0) (0,0,1)"
    with refuses("a.nrrd is cut short or damaged"):
        read(nrrd(tmp_path / "a.nrrd", type="float", directions=directions, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"sizes": "7 6 " + "5" * 5000},
        {"sizes": "7 6 -5"},
        {"sizes": "7 6 5.0"},
        {"sizes": "7 6"},
        {"sizes": ""},
        {"dimension": 99999999999},
        {"dimension": -1},
        {"dimension": "many"},
        {"kinds": "domain"},
        {"directions": "(1,0,0) (0,1,0)"},
        {"directions": "(1,0,0) (0,1,0) (0,0)"},
        {"directions": "(1,0,0) (0,1,0) (0,0,x)"},
        {"directions": "none none none"},
        {"directions": "(0,0,0) (0,1,0) (0,0,1)"},
        {"directions": "(1,0,0) (0,1,0) (0,0,1e999)"},
        {"type": "block"},
        {"type": "a" * 5000},
        {"encoding": "zip"},
        {"more": "byte skip: 5000\n"},
        {"more": "byte skip: " + "9" * 5000 + "\n"},
        {"more": "line skip: many\n"},
        {"more": 'space units: "mm" "um" "mm"\n'},
    ],
)
def test_nrrd_headers_that_make_no_sense_are_refused(tmp_path, refuses, changes):
    """Fault I2 and its siblings: sizes of 5000 digits."""
    with warnings.catch_warnings(), refuses("a.nrrd"):
        warnings.simplefilter("ignore")
        read(nrrd(tmp_path / "a.nrrd", **changes))


def test_a_header_without_end_is_refused(tmp_path, refuses):
    """Sibling of I3: a first line of many megabytes."""
    (tmp_path / "a.nrrd").write_bytes(b"NRRD0004\nkey:=" + b"x" * 5_000_000)
    with refuses("a.nrrd is cut short or damaged"):
        read(tmp_path / "a.nrrd")


# --- types: I4 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("datatype", "bitpix"), [(4, 8), (4, 32), (16, 16), (2, 16), (4, 0)])
def test_a_type_that_contradicts_its_size_is_refused(tmp_path, volume, refuses, datatype, bitpix):
    """Fault I4: datatype and bitpix that contradict each other."""
    with refuses("a.nii contradicts itself", f"{bitpix} bits"):
        read(patched(tmp_path / "a.nii", volume, "2h", 70, datatype, bitpix))


@pytest.mark.parametrize("extension", NIFTI)
@pytest.mark.parametrize(("datatype", "bitpix"), [(2, 8), (256, 8), (16, 32), (64, 64)])
def test_a_type_that_contradicts_the_length_of_the_file_is_refused(
    tmp_path, volume, refuses, extension, datatype, bitpix
):
    """Fault I4: int16 voxels said to be uint8 or float32."""
    with refuses(f"a{extension}"):
        read(patched(tmp_path / f"a{extension}", volume, "2h", 70, datatype, bitpix))


@pytest.mark.parametrize("extension", NIFTI)
def test_sizes_that_leave_a_slice_over_are_refused(tmp_path, volume, refuses, extension):
    """Sibling of I4: a dimension that is too small, by which every voxel may lie elsewhere."""
    with refuses(f"a{extension} holds more voxels than its header says"):
        read(patched(tmp_path / f"a{extension}", volume, "4h", 40, 3, 7, 6, 4))


@pytest.mark.parametrize("code", [1, 1536, 2048, 9999, -4])
def test_rare_and_unknown_types_are_refused(tmp_path, volume, refuses, code):
    with refuses("a.nii has"):
        read(patched(tmp_path / "a.nii", volume, "2h", 70, code, 16))


def test_an_intercept_that_is_no_number_is_refused(tmp_path, volume, refuses):
    """Sibling of I4: it was taken for no scale at all."""
    with refuses("a.nii has an intensity scale that is no number (2, nan)"):
        read(patched(tmp_path / "a.nii", volume, "2f", 112, 2.0, np.nan))


def test_analyze_is_refused_by_name(tmp_path, refuses):
    image = nibabel.Spm99AnalyzeImage(np.zeros((4, 5, 6), np.int16), np.eye(4))
    nibabel.save(image, tmp_path / "a.img")
    (tmp_path / "a.hdr").rename(tmp_path / "a.nii")
    with refuses("a.nii is an Analyze file", "left and right"):
        read(tmp_path / "a.nii")


# --- data files: I5 and I2 -------------------------------------------------------------------------------

ELSEWHERE = ["../a.raw", "/dev/zero", "{outside}/a.raw", "sub/../../a.raw", "C:\\\\a.raw", "..\\\\a.raw"]


@pytest.mark.parametrize("name", ELSEWHERE)
@pytest.mark.parametrize("extension", [".nhdr", ".mhd"])
def test_voxels_outside_the_folder_of_their_header_are_not_followed(tmp_path, volume, refuses, extension, name):
    """Fault I5: a data file outside the header's folder."""
    inside = tmp_path / "scan"
    inside.mkdir()
    write(volume, inside / f"a{extension}")
    (inside / "a.raw").rename(tmp_path / "a.raw")
    (inside / "sub").mkdir()
    text = (inside / f"a{extension}").read_text().replace("a.raw", name.format(outside=tmp_path))
    (inside / f"a{extension}").write_text(text)
    with refuses(f"a{extension} keeps its voxels outside its own folder"):
        read(inside / f"a{extension}")


def test_a_device_under_a_plain_name_is_not_followed(tmp_path, volume, refuses):
    """Sibling of I5: a link to /dev/zero."""
    write(volume, tmp_path / "a.nhdr")
    (tmp_path / "a.raw").unlink()
    os.symlink("/dev/zero", tmp_path / "a.raw")
    with refuses("outside its own folder"):
        read(tmp_path / "a.nhdr")


@pytest.mark.parametrize("extension", [".nhdr", ".mhd"])
def test_voxels_in_a_folder_below_or_behind_a_link_are_followed(tmp_path, volume, extension):
    """As data stores keep them."""
    inside = tmp_path / "scan"
    (inside / "sub").mkdir(parents=True)
    write(volume, inside / f"a{extension}")
    (inside / "a.raw").rename(tmp_path / "store.bin")
    os.symlink(tmp_path / "store.bin", inside / "sub" / "a.raw")
    text = (inside / f"a{extension}").read_text().replace("a.raw", "sub/a.raw")
    (inside / f"a{extension}").write_text(text)
    assert np.array_equal(read(inside / f"a{extension}").voxels, volume.voxels)


NAMES = ["x%s%n.raw 1 6 1", "x%03d.raw 1 5 1", "LIST", "LIST 2", "n" * 5000, "a" * 300 + ".raw", "gone.raw", "sub", ""]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("extension", [".nhdr", ".mhd"])
def test_names_of_data_files_that_are_none_are_refused(tmp_path, volume, refuses, extension, name):
    """Fault I2: names of 5000 characters, and patterns from the file, ended the process in ITK."""
    (tmp_path / "sub").mkdir()
    write(volume, tmp_path / f"a{extension}")
    (tmp_path / f"a{extension}").write_text((tmp_path / f"a{extension}").read_text().replace("a.raw", name))
    with refuses(f"a{extension}"):
        read(tmp_path / f"a{extension}")


# --- MetaImage: I2 ---------------------------------------------------------------------------------------

META_CHANGES = [
    ("NDims = 3", "NDims = -1"),
    ("NDims = 3", "NDims = 0"),
    ("NDims = 3", "NDims = 100"),
    ("NDims = 3", "NDims = 99999999999"),
    ("NDims = 3", "NDims = " + "9" * 5000),
    ("NDims = 3", "NDims = three"),
    ("NDims = 3", "NDims = 2"),
    ("NDims = 3\n", ""),
    ("DimSize = 7 6 5", "DimSize = 7 6"),
    ("DimSize = 7 6 5", "DimSize = 7 6 -5"),
    ("DimSize = 7 6 5", "DimSize = 7 6 0"),
    ("DimSize = 7 6 5", "DimSize = 20000 20000 40"),
    ("DimSize = 7 6 5", "DimSize = 99999999999 1 1"),
    ("DimSize = 7 6 5", "DimSize = 7 6 5\nDimSize = 7 6 99999"),
    ("DimSize = 7 6 5", "DimSize = " + "7 " * 5000),
    ("ElementType = MET_SHORT", "ElementType = MET_BLOCK"),
    ("ElementType = MET_SHORT", "ElementType = " + "x" * 5000),
    ("ElementType = MET_SHORT", "ElementType = MET_SHORT\nElementNumberOfChannels = 99999999"),
    ("ElementType = MET_SHORT", "ElementType = MET_SHORT\nElementNumberOfChannels = -1"),
    ("ElementType = MET_SHORT", "ElementType = MET_SHORT\nHeaderSize = 99999999999999999999"),
    ("ElementType = MET_SHORT", "ElementType = MET_SHORT\nElementSize = nan nan nan"),
    ("ElementSpacing = ", "ElementSpacing = nan nan nan\nX = "),
    ("ElementSpacing = ", "ElementSpacing = 0 1 1\nX = "),
    ("ElementSpacing = ", "ElementSpacing = 1\nX = "),
    ("Offset = ", "Offset = 1e999 0 0\nX = "),
    ("TransformMatrix = ", "TransformMatrix = 1 0 0 0 1\nX = "),
    ("TransformMatrix = ", "TransformMatrix = 0 0 0 0 0 0 0 0 0\nX = "),
]


@pytest.mark.parametrize("extension", META)
@pytest.mark.parametrize(("old", "new"), META_CHANGES)
def test_meta_headers_that_make_no_sense_are_refused(tmp_path, volume, refuses, extension, old, new):
    """Fault I2: NDims -1, 100, 99999999999 ended the process in ITK."""
    write(volume, tmp_path / f"a{extension}")
    content = (tmp_path / f"a{extension}").read_bytes()
    assert old.encode() in content
    (tmp_path / f"a{extension}").write_bytes(content.replace(old.encode(), new.encode(), 1))
    with refuses(f"a{extension}"):
        read(tmp_path / f"a{extension}")


NOT_UTF8 = """
import os, sys
import numpy as np
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import EXTENSIONS, read, write
from SuperResolutionLib.volume import Volume
volume = Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5))
for extension in EXTENSIONS:
    name = os.path.join(os.fsencode(sys.argv[1]), b"h\\xe9ad" + extension.encode())
    path = os.fsdecode(name)
    try:
        write(volume, path)
    except InputError as error:
        assert extension in (".mha", ".mhd"), error
        open(name, "wb").write(b"NDims = 3\\n")
    else:
        assert np.array_equal(read(path).voxels, volume.voxels)
        continue
    try:
        read(path)
    except InputError as error:
        assert "not valid text" in str(error)
print("all")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not allow such names")
def test_a_name_that_is_not_utf_8_is_read_or_refused(tmp_path):
    """Fault I2: the process was aborted inside ITK; sibling: in writing."""
    environment = {**os.environ, "PYTHONPATH": str(Path(SuperResolutionLib.__file__).parents[1])}
    command = [sys.executable, "-W", "ignore", "-c", NOT_UTF8, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.stdout == "all\n", run.stderr


# --- what is whole is read -------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_large_volumes_of_zeros_are_read(tmp_path, extension):
    """No promise that is kept is refused: a mask of mostly zeros packs a thousand times."""
    write(Volume(np.zeros((20, 500, 500), np.int16)), tmp_path / f"a{extension}")
    assert read(tmp_path / f"a{extension}").voxels.shape == (20, 500, 500)


def test_an_error_is_one_sentence(tmp_path, volume):
    write(volume, tmp_path / "a.nii")
    (tmp_path / "a.nii").write_bytes((tmp_path / "a.nii").read_bytes()[:400])
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a.nii")
    assert str(caught.value).startswith("a.nii is cut short or damaged (it has 48 of 420 bytes of voxels)")
