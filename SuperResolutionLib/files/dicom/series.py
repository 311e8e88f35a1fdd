"""A DICOM series from a folder, a .zip or a single file, whatever the files are called."""

import gzip
import itertools
import lzma
import shutil
import warnings
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pydicom

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.claims import temporary
from SuperResolutionLib.files.common import ScanWarning, check_exists, cut_short, looks_like
from SuperResolutionLib.files.common import is_dicom as is_dicom
from SuperResolutionLib.files.dicom.frames import Frame, Source, frames_of
from SuperResolutionLib.files.dicom.stack import stack
from SuperResolutionLib.volume import Volume

_LARGE, _UNLIKELY = 1 << 29, 100  # bytes of a zip's content, and how tightly no scan of that size is packed


def read_dicom(path: str | Path, series: str | None = None) -> Volume:
    """Read one DICOM series as a volume, or as a (t, z, y, x) series with its gradients.

    path: a folder (searched to its depths), a .zip, or one file. series: the start of a SeriesInstanceUID.
    Slices are placed by ImagePositionPatient. Raises InputError for no series, or several and no choice.
    """
    check_exists(Path(path))
    path = Path(path).absolute()
    with _unpacked(path) as place, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pydicom")
        chosen = _choose(path, _series(path, place), series)
        framed = [(source, _frames(source)) for source in chosen]
        volume = stack(path.name, [frame for _, frames in framed for frame in frames])
        with _damage_named(path.name):
            lost = _lost_volumes(framed)
        if lost:
            warnings.warn(ScanWarning(f"{path.name} seems to lack volumes ({lost}). Was all exported?"), stacklevel=2)
        return volume


def _lost_volumes(framed: list[tuple[Source, list[Frame]]]) -> str:
    """What the headers of several files tell of volumes that are not there; '' where there is nothing to tell."""
    headers, frames = [source.header for source, _ in framed], [frame for _, some in framed for frame in some]
    if len(headers) == 1:
        return ""
    if all(len(some) > 1 for _, some in framed):  # each file is a volume
        numbers = sorted(int(header.get("InstanceNumber") or 0) for header in headers)
        gaps = [n for below, above in itertools.pairwise(numbers) for n in range(below + 1, min(above, below + 7))]
        if gaps:
            which = ", ".join(map(str, gaps[:5])) + (" ..." if len(gaps) > 5 else "")
            return f"its files are numbered {numbers[0]} to {numbers[-1]}, without {which}"
    announced = int(headers[0].get("NumberOfTemporalPositions") or 1)
    found = sum(bool(np.abs(frame.position - frames[0].position).max() < 0.01) for frame in frames)
    return f"its headers announce {announced}, and it has {found}" if found < announced else ""


def _frames(source: Source) -> list[Frame]:
    with _damage_named(source.path.name):
        return list(frames_of(source))


@contextmanager
def _damage_named(name: str) -> Iterator[None]:
    """A damaged header raises whatever pydicom meets first; it becomes a sentence."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise cut_short(name, f"{type(error).__name__}: {error}"[:160]) from error


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """The folder or file itself, or a temporary folder with what the zip holds."""
    if path.is_dir() or not (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)):
        yield path
        return
    with temporary() as folder:
        _unzip(path, folder)
        yield folder


def _unzip(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(path, archive, folder)
            for name in archive.namelist():
                if not (folder / name).resolve().is_relative_to(folder.resolve()) or ".." in Path(name).parts:
                    raise InputError(f"{path.name} holds '{name}', which would be written outside; it is not safe.")
            archive.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path.name} is not a whole zip ({error}): {looks_like(path)}. Export it again.") from error
    except (RuntimeError, OSError, EOFError) as error:
        raise InputError(
            f"{path.name} cannot be unpacked ({error}); unpack it yourself and give the folder."
        ) from error


def _check_size(path: Path, archive: zipfile.ZipFile, folder: Path) -> None:
    """Refuse, before anything is unpacked, what no scan packs to, or what the disk has no room for."""
    whole, held = sum(info.file_size for info in archive.infolist()), path.stat().st_size
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


def _series(path: Path, place: Path) -> dict[str, list[Source]]:
    """The images under a place by SeriesInstanceUID; other DICOM objects are left out."""
    files = sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]
    found: dict[str, list[Source]] = defaultdict(list)
    others: list[str] = []
    for file in files:
        source = _open(file)
        if source is None:
            others.append(file.name)
        elif not _is_image(source.header):
            others.append(f"{file.name}, {_kind(source.header)}")
        else:
            found[str(source.header.get("SeriesInstanceUID", ""))].append(source)
    if not found:
        what = f"{len(others)} other files ({'; '.join(others[:3])})" if others else "nothing"
        if place.is_file():
            what = f"no pixels; {looks_like(place)}"
        raise InputError(
            f"{path.name} holds no DICOM images, but {what}. Give a folder of DICOM files, or an image file."
        )
    return found


def _open(file: Path) -> Source | None:
    """The header of a DICOM file (also of a gzipped one), or None for any other file."""
    try:
        with file.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        with gzip.open(file) if zipped else file.open("rb") as content:
            named = file.suffix.lower() in (".dcm", ".ima")
            header = pydicom.dcmread(content, stop_before_pixels=True, force=named)
            known = "SOPInstanceUID" in header or "SeriesInstanceUID" in header
            cut = _kind(header).endswith("Image Storage") and not _is_image(header)
    except OSError as error:
        if not isinstance(error, gzip.BadGzipFile):
            raise
        return None
    except Exception as error:  # not DICOM, or damaged: pydicom raises many kinds
        if is_dicom(file):
            raise cut_short(file.name, str(error) or "it ends within its header") from error
        return None
    if cut:
        raise cut_short(file.name, "it ends within its header")
    return Source(file, header) if known else None


def _is_image(header: pydicom.Dataset) -> bool:
    return all(keyword in header for keyword in ("Rows", "Columns", "BitsAllocated"))


def _kind(header: pydicom.Dataset) -> str:
    meta = getattr(header, "file_meta", pydicom.Dataset())
    stated = header.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID")
    return str(getattr(stated, "name", "not an image"))


def _choose(path: Path, found: dict[str, list[Source]], series: str | None) -> list[Source]:
    fitting = [uid for uid in found if series is None or uid.startswith(series)]
    fitting = [series] if series in found else fitting
    if len(fitting) == 1:
        return found[fitting[0]]
    lines = [_line(uid, sources) for uid, sources in found.items()]
    which = "" if series is None else f" whose UID starts with '{series}'"
    problem = f"{path.name} has {len(fitting) or 'no'} DICOM series{which}"
    raise InputError(f"{problem}; choose one with --series UID (its first digits are enough):\n" + "\n".join(lines))


def _line(uid: str, sources: list[Source]) -> str:
    images = sum(int(source.header.get("NumberOfFrames") or 1) for source in sources)
    return f"  {uid}  {sources[0].header.get('SeriesDescription', '-')}  ({images} images)"
