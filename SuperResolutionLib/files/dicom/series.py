"""A DICOM series from a folder, a .zip or a single file, whatever the files are called."""

import itertools
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from SuperResolutionLib.diffusion.guides import has_contrast
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import ScanWarning, check_exists
from SuperResolutionLib.files.dicom.archives import unpacked
from SuperResolutionLib.files.dicom.choosing import chosen, described
from SuperResolutionLib.files.dicom.described import Image
from SuperResolutionLib.files.dicom.frames import Frame, frames_of
from SuperResolutionLib.files.dicom.grouping import Candidate, candidates
from SuperResolutionLib.files.dicom.headers import damage_named, image_type
from SuperResolutionLib.files.dicom.sources import sources
from SuperResolutionLib.files.dicom.stack import arranged, stack
from SuperResolutionLib.files.raw_series import marked, original
from SuperResolutionLib.header import Header
from SuperResolutionLib.volume import Volume


@dataclass(frozen=True, eq=False)
class Series:
    """A DICOM series that was read: the volume, and the headers that it came from.

    name: of the folder or file, for sentences. label: the number by which it is offered, such as "5" or "5b".
    volumes: the frame of each slice of each volume, by time and by place, without its pixels.
    """

    name: str
    label: str
    volume: Volume
    volumes: list[list[Frame]]


def read_dicom(path: str | Path, series: str | None = None) -> Volume:
    """Read one DICOM series as a volume, or as a (t, z, y, x) series with its gradients.

    path: a folder (searched to its depths), a .zip, or one file. series: which one, where there are several: its
    number, its name or a part of that, or the start of its UID. Slices are placed by ImagePositionPatient.
    Raises InputError for no series (SeriesError for several and no choice), and for one that is no regular stack.
    """
    return read_series(path, series).volume


def read_series(path: str | Path | Sequence[str | Path], series: str | None = None) -> Series:
    """Read one DICOM series with its headers. The arguments and what is raised are those of `read_dicom`.

    path: as there, or all files of the series, wherever they lie.
    """
    paths = [Path(one).absolute() for one in ([path] if isinstance(path, (str, Path)) else path)]
    if not paths:
        raise InputError("There are no DICOM files to read; give a folder, or all files of a series.")
    for one_path in paths:
        check_exists(one_path)
    path = paths[0] if len(paths) == 1 else paths[0].parent
    with ExitStack() as folders, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pydicom")
        places = [folders.enter_context(unpacked(one_path)) for one_path in paths]
        with damage_named(path.name):
            one = chosen(path.name, candidates(sources(path.name, *places)), series)
        framed = [(images[0], _frames(images)) for images in _by_file(one.images)]
        volumes = arranged(path.name, [frame for _, frames in framed for frame in frames])
        volume = stack(path.name, volumes)
        with damage_named(path.name):
            _warn_of_lost(path.name, framed)
            about = _of_what(path.name, one)
        volume = replace(volume, header=replace(volume.header or Header(), modality=about[0], kind=about[1]))
        if has_contrast(volume) and original(image_type(one.images[0].levels)):
            volume = marked(volume, "its DICOM headers call it ORIGINAL and PRIMARY")
        return Series(path.name, one.label, volume, [[_described(frame) for frame in some] for some in volumes])


def series_in(path: Path) -> tuple[list[str], list[str]]:
    """The labels of the series in a folder that are volumes by themselves; and the others, a line for each.

    Raises InputError for a folder without images.
    """
    check_exists(path)
    path = path.absolute()
    with unpacked(path) as place, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pydicom")
        with damage_named(path.name):
            every = candidates(sources(path.name, place))
            volumes = [one for one in every if one.is_volumetric and not one.kind and not one.joined]
            left = [one for one in every if one not in volumes]
            return [one.label for one in volumes], [f"{one.label}, {described(one, every)}" for one in left]


def _by_file(images: list[Image]) -> list[list[Image]]:
    files: dict[int, list[Image]] = {}
    for image in images:
        files.setdefault(id(image.source), []).append(image)
    return list(files.values())


def _frames(images: list[Image]) -> list[Frame]:
    with damage_named(images[0].name):
        return list(frames_of(images))


def _described(frame: Frame) -> Frame:
    return replace(frame, pixels=np.empty((0, 0), frame.pixels.dtype))


def _of_what(name: str, one: Candidate) -> tuple[str, str]:
    """The modality and the kind of image, with a ScanWarning where it is no magnitude image of MR, or is inverted."""
    header = one.images[0].header
    modality = str(header.get("Modality") or "").strip().upper()
    found = []
    if modality not in ("", "MR"):
        found.append(f"its modality is {modality}, and the models know magnetic resonance (MR) only")
    if one.kind:
        found.append(f"it is no magnitude image ({one.kind}), and the models know no other")
    if str(header.get("PhotometricInterpretation") or "").strip() == "MONOCHROME1":
        found.append("it is stored inverted, bright for little signal (MONOCHROME1), and read as it is stored")
    if found:
        warnings.warn(ScanWarning(f"{name}: {'; '.join(found)}."), stacklevel=3)
    return modality, one.kind


def _warn_of_lost(name: str, framed: list[tuple[Image, list[Frame]]]) -> None:
    lost = _lost_volumes(framed)
    if lost:
        warnings.warn(ScanWarning(f"{name} seems to lack volumes ({lost}). Was all exported?"), stacklevel=3)


def _lost_volumes(framed: list[tuple[Image, list[Frame]]]) -> str:
    """What the headers of several files tell of volumes that are not there; '' where there is nothing to tell."""
    headers, frames = [image.header for image, _ in framed], [frame for _, some in framed for frame in some]
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
