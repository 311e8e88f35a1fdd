"""Whether files show that a diffusion series is as the scanner made it, or that its noise was taken out.

Programs say little of what they did, and many leave no word at all, so silence means nothing; only what a converter
writes, or a raw data set is, counts. A name or a record that tells of processing outweighs both.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from SuperResolutionLib.diffusion.guides import has_contrast
from SuperResolutionLib.files.common import stem
from SuperResolutionLib.files.sidecar import read_table, sidecar_path
from SuperResolutionLib.header import Header
from SuperResolutionLib.volume import Volume

_CONVERTED = re.compile(r"dcm2niix|^TE=[\d.e+-]+;Time=[\d.]+", re.I)  # what dcm2niix writes into NIfTI's description
_PROCESSED = re.compile(
    r"(^|_)(desc|space)-|preproc|denois|gibbs|unring|eddy|topup|corrected|(^|[_-])(corr|moco|sdc|superres)([_-]|$)",
    re.I,
)
_DENOISED = re.compile(r"(^|[_-])(denoised?|mp-?pca|patch2self)([_-]|$)", re.I)
_OF_DERIVATIVES = {"Sources", "RawSources", "GeneratedBy", "SkullStripped", "operation", "SuperResolution"}
_SUBJECT = re.compile(r"sub-[A-Za-z0-9+]+")
_SESSION = re.compile(r"ses-[A-Za-z0-9+]+")


def with_rawness(volume: Volume, path: Path) -> Volume:
    """The volume, whose header says what shows that it is a raw or a denoised diffusion series, where something does.

    path: the image that it was read from.
    """
    if not has_contrast(volume):
        return volume
    if _DENOISED.search(stem(path)):
        return replace(volume, header=replace(volume.header or Header(), denoised=f"it is called {path.name}"))
    return marked(volume, _shown(volume, path))


def marked(volume: Volume, shown: str) -> Volume:
    """The volume, with what shows that it is raw; "" is nothing."""
    return replace(volume, header=replace(volume.header or Header(), raw=shown)) if shown else volume


def original(words: list[str]) -> bool:
    """Whether the words of DICOM's ImageType, in capitals, are those of an image as it was acquired."""
    return words[:2] == ["ORIGINAL", "PRIMARY"] and "MOCO" not in words


def _shown(volume: Volume, path: Path) -> str:
    beside = sidecar_path(path)
    table = read_table(beside)
    if _PROCESSED.search(stem(path)) or _OF_DERIVATIVES & set(table) or _among_derivatives(path):
        return ""
    if converted := _converter(table):
        return f"{beside.name} says that {converted} converted it, and of nothing done since"
    if (subject := _dataset_folder(path)) is not None:
        return f"it lies where a BIDS data set keeps raw data, in {path.absolute().parent.relative_to(subject.parent)}"
    description = volume.header.description if volume.header is not None else ""
    return f"its header is as dcm2niix writes it, '{description}'" if _CONVERTED.search(description) else ""


def _converter(table: Mapping[str, object]) -> str:
    """The program that converted an image from the scanner's own, by a JSON; "" where none is named, or a derived one
    was converted.
    """
    kind, program = table.get("ImageType"), table.get("ConversionSoftware")
    if isinstance(kind, list) and not original([str(word).strip().upper() for word in kind]):
        return ""
    return program if isinstance(program, str) else ""


def _dataset_folder(path: Path) -> Path | None:
    """The subject's folder of an image sub-*/[ses-*/]dwi/*_dwi; None of any other."""
    place = path.absolute().parent
    if place.name != "dwi" or not stem(path).endswith("_dwi"):
        return None
    above = place.parent.parent if _SESSION.fullmatch(place.parent.name) else place.parent
    return above if _SUBJECT.fullmatch(above.name) else None


def _among_derivatives(path: Path) -> bool:
    if "derivatives" in path.absolute().parts:
        return True
    subject = _dataset_folder(path)
    about = {} if subject is None else read_table(subject.parent / "dataset_description.json")
    return about.get("DatasetType") == "derivative"
