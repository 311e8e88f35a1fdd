"""The DICOM images in a folder: their headers, each image once."""

import gzip
import hashlib
import io
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import ScanWarning, cut_short, is_dicom, looks_like
from SuperResolutionLib.files.dicom.headers import damage_named

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, eq=False)
class Source:
    """One DICOM file and its header without pixels."""

    path: Path
    header: Dataset


def sources(name: str, *places: Path) -> list[Source]:
    """The images under some places, by file name; other files are left out, and copies, with a ScanWarning.

    Raises InputError where there is no image, for damaged files, and for two images that claim to be the same.
    """
    files = [path for place in places for path in _files(place)]
    found: list[Source] = []
    others: list[str] = []
    for file in files:
        source = opened(file)
        if source is None:
            others.append(file.name)
        elif not _is_image(source.header):
            others.append(f"{file.name}, {_kind(source.header)}")
        else:
            found.append(source)
    if not found:
        what = f"{len(others)} other files ({'; '.join(others[:3])})" if others else "nothing"
        if places[0].is_file():
            what = f"no pixels; {looks_like(places[0])}"
        raise InputError(f"{name} holds no DICOM images, but {what}. Give a folder of DICOM files, or an image file.")
    return _each_once(name, found)


def _files(place: Path) -> list[Path]:
    return sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]


def opened(file: Path) -> Source | None:
    """The header of a DICOM file (also of a gzipped one), or None for any other file. Raises InputError for damage."""
    named = file.suffix.lower() in (".dcm", ".ima")
    if not named and _is_gzipped_other(file):
        return None
    try:
        with io.BytesIO(content(file)) if _is_gzipped(file) else file.open("rb") as stream:
            header = pydicom.dcmread(stream, stop_before_pixels=True, force=named)
        known = "SOPInstanceUID" in header or "SeriesInstanceUID" in header
        cut = _kind(header).endswith("Image Storage") and not _is_image(header)
    except (OSError, InputError):
        raise
    except Exception as error:  # not DICOM, or damaged: pydicom raises many kinds
        if is_dicom(file):
            raise cut_short(file.name, str(error)[:160] or "it ends within its header") from error
        return None
    if cut:
        raise cut_short(file.name, "it ends within its header")
    return Source(file, header) if known else None


def content(file: Path) -> bytes:
    """The bytes of a file, gunzipped where it is gzipped. Raises InputError for a damaged stream, or a bomb."""
    held = file.read_bytes()
    if held[:2] != _GZIP:
        return held
    most = 100 * len(held) + (1 << 28)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(held)) as stream:
            found = stream.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise cut_short(file.name, str(error)) from error
    if len(found) > most:
        raise InputError(f"{file.name} unpacks to more than {most} bytes, which no scan does; unpack it yourself.")
    return found


def _is_gzipped(file: Path) -> bool:
    with file.open("rb") as raw:
        return raw.read(2) == _GZIP


def _is_gzipped_other(file: Path) -> bool:
    """Whether a file is gzipped and does not start as DICOM files do."""
    if not _is_gzipped(file):
        return False
    try:
        with gzip.open(file) as stream:
            return stream.read(132)[128:] != b"DICM"
    except (OSError, EOFError, zlib.error):
        return True


def _each_once(name: str, found: list[Source]) -> list[Source]:
    """The images without the copies of any: files of one SOPInstanceUID and content, or of the same bytes."""
    kept: dict[str, list[Source]] = {}
    for source in found:
        with damage_named(source.path.name):
            uid = str(source.header.get("SOPInstanceUID") or "") or _digest(source.path.read_bytes())
        same = kept.setdefault(uid, [])
        if not any(_are_copies(other, source) for other in same):
            same.append(source)
    unique = {id(source) for same in kept.values() for source in same}
    if len(unique) < len(found):
        first = next(source.path.name for source in found if id(source) not in unique)
        warnings.warn(
            ScanWarning(
                f"{name}: copies of images it has already (the same SOPInstanceUID) were left out: "
                f"{len(found) - len(unique)}, such as {first}."
            ),
            stacklevel=2,
        )
    return [source for source in found if id(source) in unique]


def _are_copies(one: Source, other: Source) -> bool:
    """Whether two files of one SOPInstanceUID are one image; no, where a program gave all images the same UID.

    Raises InputError where the header is that of one image and the pixels are those of two.
    """
    if one.path.read_bytes() == other.path.read_bytes():
        return True
    if _place(one) != _place(other):
        return False
    if _pixel_digest(one) != _pixel_digest(other):
        raise InputError(
            f"{one.path.name} and {other.path.name} have one SOPInstanceUID and one place, but different pixels; "
            "keep the right one of them, and take the other out of the folder."
        )
    return True


def _place(source: Source) -> list[str]:
    words = (
        "SeriesInstanceUID",
        "SeriesNumber",
        "InstanceNumber",
        "ImageType",
        "EchoTime",
        "ImagePositionPatient",
        "AcquisitionNumber",
        "AcquisitionTime",
        "TemporalPositionIdentifier",
    )
    with damage_named(source.path.name):
        return [str(source.header.get(word)) for word in words]


def _pixel_digest(source: Source) -> str:
    with damage_named(source.path.name):
        whole = pydicom.dcmread(io.BytesIO(content(source.path)), force=True)
        return _digest(bytes(whole.get("PixelData") or b""))


def _digest(whole: bytes) -> str:
    return hashlib.sha256(whole).hexdigest()


def _is_image(header: Dataset) -> bool:
    return all(keyword in header for keyword in ("Rows", "Columns", "BitsAllocated"))


def _kind(header: Dataset) -> str:
    meta = getattr(header, "file_meta", Dataset())
    stated = header.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID")
    return str(getattr(stated, "name", "not an image"))
