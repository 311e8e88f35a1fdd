"""A zip of DICOM files, unpacked into a temporary folder."""

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.claims import temporary
from SuperResolutionLib.files.common import looks_like

_LARGE, _UNLIKELY = 1 << 29, 100  # bytes of a zip's content, and how tightly no scan of that size is packed
_ENCRYPTED = 1  # of a zip entry's flags


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The folder or file itself, or a temporary folder with what the zip holds.

    Raises InputError for a zip that is damaged, encrypted, too large, or would write outside the folder.
    """
    if path.is_dir() or not (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)):
        yield path
        return
    with temporary() as folder:
        _unzip(path, folder)
        yield folder


def _unzip(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            _check(path, archive, folder)
            archive.extractall(folder)
    except InputError:
        raise
    except (NotImplementedError, OSError) as error:
        raise InputError(
            f"{path.name} cannot be unpacked ({_said(error)}); unpack it yourself and give the folder."
        ) from error
    except Exception as error:  # a damaged zip raises whatever zipfile and the decoders meet first
        raise InputError(
            f"{path.name} is not a whole zip ({_said(error)}): {looks_like(path)}. Export it again."
        ) from error


def _said(error: Exception) -> str:
    return str(error)[:160] or type(error).__name__


def _check(path: Path, archive: zipfile.ZipFile, folder: Path) -> None:
    """Refuse, before anything is unpacked, what needs a password, or would be written outside or be too large."""
    entries = archive.infolist()
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise InputError(f"{path.name} is encrypted; unpack it yourself with its password and give the folder.")
    for entry in entries:
        inside = (folder / entry.filename).resolve().is_relative_to(folder.resolve())
        if not inside or ".." in Path(entry.filename).parts:
            raise InputError(f"{path.name} holds '{entry.filename}', which would be written outside; it is not safe.")
    whole, held = sum(entry.file_size for entry in entries), path.stat().st_size
    if whole > _LARGE and whole > _UNLIKELY * held:
        raise InputError(
            f"{path.name} would unpack from {held} bytes to {whole / 1e9:.3g} GB, which no scan does; if it is whole "
            "nevertheless, unpack it yourself and give the folder."
        )
    free = shutil.disk_usage(folder).free
    if whole > free:
        raise InputError(
            f"{path.name} unpacks to {whole / 1e9:.3g} GB, and the folder for temporary files has {free / 1e9:.3g} GB "
            "left; unpack it yourself and give the folder."
        )
