"""A derived DICOM series: an enhanced volume with the patient, the study and the physics of the series it was made of.

MR Image Storage, one file a slice, explicit little endian, 16 bits (PS3.3 A.4), whatever object the source is. What
Slicer and others split a series by (times, acquisition number, orientation) is the same in all files.
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import ScanWarning
from SuperResolutionLib.files.dicom.headers import image_type
from SuperResolutionLib.files.dicom.instances import Derivation, Made, public_levels, write_instance
from SuperResolutionLib.files.dicom.kept import missing
from SuperResolutionLib.files.dicom.matching import match
from SuperResolutionLib.files.dicom.packing import packing
from SuperResolutionLib.files.dicom.series import Series
from SuperResolutionLib.files.dicom.watermark import watermark
from SuperResolutionLib.files.output import write_new_folder
from SuperResolutionLib.files.sidecar import write_sidecar
from SuperResolutionLib.volume import Volume, check_finite

__all__ = ["Derivation", "check_source", "sidecar_of", "write_series"]


def check_source(source: Series) -> list[str]:
    """What is to be said of a series from which another is derived; [] for nothing.

    Raises InputError for one from which none can be: of another modality, with slices missing, or without what every
    MR image has to say.
    """
    first, name = source.volumes[0][0], source.name
    modality = str(first.image.header.get("Modality") or "").strip().upper()
    if modality != "MR":
        raise InputError(
            f"The modality of {name} is {modality or 'not stated'}, and only MR images can be written as a derived "
            "DICOM series; name a file such as enhanced.nii.gz."
        )
    if (lost := source.volume.size[2] - len(source.volumes[0])) > 0:
        raise InputError(
            f"{name} lacks {lost} of {source.volume.size[2]} slices, and a derived series must not hide that; export "
            "the whole series again, or name a file such as enhanced.nii.gz."
        )
    for frame in (frame for frames in source.volumes for frame in frames):
        lacking = [word for word in ("SOPClassUID", "SOPInstanceUID") if not frame.image.header.get(word)]
        if lacking := lacking or (missing(public_levels(frame.image)) if frame is first else []):
            raise InputError(
                f"{frame.image.name} lacks {' and '.join(lacking)}, without which no DICOM series can be derived from "
                f"{name} (anonymising may have removed it); export it again, or name a file such as enhanced.nii.gz."
            )
    return [f"{name} is a derived series itself"] if "DERIVED" in image_type(first.image.levels) else []


def sidecar_of(folder: Path) -> Path:
    """Where the sidecar of a series lies: beside its folder, which holds nothing but DICOM."""
    whole = Path(os.path.abspath(folder))
    return whole.with_name(whole.name + ".json")


def write_series(
    volume: Volume, source: Series, folder: Path, how: Derivation, record: dict[str, Any] | None = None
) -> None:
    """Write a volume as a series derived from `source`: all of its files, or nothing.

    volume: enhanced from that series: in its field of view, of any voxel size, in any order of axes. folder: new, or
    empty. how: what made it, for the headers. record: what the sidecar beside the folder says; None for no sidecar.
    Whether the volume shows the same patient is asked by `check_alike`, for a volume whose way is not known.
    Raises InputError where no series can be derived (`check_source`), where the volume does not lie where that series
    does (`match`), and where the folder is not empty or the disk refuses.
    """
    folder = Path(os.path.abspath(folder))
    made = _made(volume, source, how, f"The result for {folder.name}")
    if record is not None and made.mark is not None:
        record = {**record, "watermark": made.mark.record()}
    beside = {} if record is None else {sidecar_of(folder): partial(write_sidecar, record=record)}
    write_new_folder(folder, _slice_writers(made), beside)


def _made(volume: Volume, source: Series, how: Derivation, name: str) -> Made:
    """What the files of a derived series are written from. name: of the volume, for sentences."""
    check_source(source)
    check_finite(volume.voxels, name)
    found = match(name, volume, source)
    made = Made(found, how, packing(found.volume, source))
    if not how.watermark:
        return made
    mark = watermark(made.series, source.name)
    if not mark.in_air:
        said = f"No corner of {source.name} shows nothing but air; the watermark covers part of the image."
        warnings.warn(ScanWarning(said), stacklevel=1)
    return replace(made, mark=mark)


def _slice_writers(made: Made) -> dict[str, Callable[[Path], None]]:
    """What writes each file of a derived series, by file name."""
    places = [(t, k) for t in range(made.volume.count) for k in range(made.volume.size[2])]
    digits = max(4, len(str(len(places))))
    return {f"IM{n:0{digits}d}.dcm": partial(write_instance, made, t, k) for n, (t, k) in enumerate(places, 1)}
