"""Reading and writing scans: NIfTI, NRRD, MetaImage, MGH (read only), DICOM folders and zips."""

import zipfile
from dataclasses import replace
from pathlib import Path

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import (
    EXTENSIONS,
    READ_ONLY,
    ScanWarning,
    check_exists,
    extension,
    is_dicom,
    looks_like,
    stem,
)
from SuperResolutionLib.files.images import check_takes, read_image, write_image
from SuperResolutionLib.files.kinds import kind_named
from SuperResolutionLib.files.output import check_output, write
from SuperResolutionLib.files.raw_series import with_rawness
from SuperResolutionLib.files.sidecar import sha256, sidecar_path, write_sidecar
from SuperResolutionLib.header import Header
from SuperResolutionLib.volume import SIGNAL, Volume

__all__ = [
    "EXTENSIONS",
    "ScanWarning",
    "check_output",
    "check_takes",
    "read",
    "read_dicom",
    "read_image",
    "sha256",
    "sidecar_path",
    "write",
    "write_image",
    "write_sidecar",
]


def read(path: str | Path, series: str | None = None) -> Volume:
    """Read a scan: an image file, a DICOM file, or a folder or .zip with a DICOM series.

    series: which one, where there are several: its number, its name or a part of that, or the start of its UID.
    Raises InputError, a sentence that names the file, for anything that cannot be used as it is.
    """
    if not isinstance(path, (str, Path)):
        raise InputError(f"A {type(path).__name__} is no path; give the name of a file or folder.")
    path = Path(path)
    check_exists(path)
    try:
        return _read(path, series)
    except OSError as error:
        raise InputError(f"{error.filename or path} cannot be read: {error.strerror or error}.") from error


def read_dicom(path: str | Path, series: str | None = None) -> Volume:
    """Read one DICOM series as a volume, or as a (t, z, y, x) series with its gradients.

    path: a folder (searched to its depths), a .zip, or one file. series: as for `read`.
    Raises InputError for no series, and SeriesError for several and no choice.
    """
    from SuperResolutionLib.files.dicom.series import read_dicom as read_series

    return read_series(path, series)


def _read(path: Path, series: str | None) -> Volume:
    if extension(path) and path.is_file():
        if series is not None:
            raise InputError(f"{path.name} is not DICOM, so it has no series to choose; name none.")
        return with_rawness(_of_kind(read_image(path), kind_named(stem(path))), path)
    if path.is_dir() or is_dicom(path) or zipfile.is_zipfile(path) or path.suffix.lower() in (".zip", ".dcm", ".ima"):
        return read_dicom(path, series)
    known = ", ".join((*EXTENSIONS, *READ_ONLY))
    raise InputError(
        f"{path.name} is no image that can be read: {looks_like(path)}. Known are {known}, "
        "DICOM files, and a folder or .zip of them."
    )


def _of_kind(volume: Volume, kind: str) -> Volume:
    """The volume, with the kind that its name tells where there is one."""
    if not kind or volume.quantity != SIGNAL:
        return volume
    return replace(volume, header=replace(volume.header or Header(), kind=kind))
