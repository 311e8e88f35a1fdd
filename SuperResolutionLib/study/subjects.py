"""What is studied: the scans among files and folders, and the subject that each belongs to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import check_exists, extension, is_dicom, stem
from SuperResolutionLib.files.subject_rule import subject_at

BIDS_SCANS = ("T1w", "T2w", "PDw", "FLAIR", "inplaneT1", "inplaneT2")
BIDS_SERIES = ("dwi",)
DERIVED = ("derivatives", "sourcedata", "code")


@dataclass(frozen=True)
class Scan:
    """A volume or diffusion series to study. name: unlike any other scan's of the study. subject: whom it shows."""

    path: Path
    name: str
    subject: str

    def base(self, degradation: str) -> str:
        """What names of files about this scan, made coarse by a forward model, begin with."""
        return f"{self.name}-{degradation.replace(':', '-')}"


def find_scans(inputs: Sequence[Path], pattern: str | None = None, series: bool = False) -> list[Scan]:
    """The scans among files and folders; a folder is searched through, a BIDS folder for its structural scans.

    A folder of DICOM files, without images of another kind, is one scan.
    series: whether the diffusion series of BIDS folders are wanted, too.
    pattern: a regular expression with one group that finds the subject in the path. Without one, the rule is that of
    training (`files.subject_rule`): patient01_T1W and patient01_T2W are one subject, scan_1 and scan_2 two.
    Raises InputError where there is no scan, or the pattern does not fit.
    """
    found: list[Path] = []
    for path in inputs:
        check_exists(path)
        found += (_within(path, series) or _dicom(path)) if path.is_dir() else [path]
    unique = list({path.resolve(): path for path in found}.values())
    if not unique:
        raise InputError(f"There is no scan in {', '.join(map(str, inputs))}; name files, or folders that hold some.")
    rule = _compiled(pattern)
    names = _names(unique)
    return [Scan(path, name, _subject(path, rule)) for path, name in zip(unique, names, strict=True)]


def held_out(folder: Path) -> list[Scan]:
    """The scans of a folder that no training takes: those under folders called "test", or all where there are none.

    Raises InputError where there is no folder, or no scan in it.
    """
    if not folder.is_dir():
        raise InputError(f"The data folder {folder} does not exist; give --data a folder of scans.")
    scans = find_scans([folder])
    kept = [scan for scan in scans if "test" in scan.path.resolve().relative_to(folder.resolve()).parts]
    return kept or scans


def _within(folder: Path, series: bool) -> list[Path]:
    """The images under a folder, sorted; gradients, hidden files and a study's own folder hold none."""
    images = [p for p in sorted(folder.rglob("*")) if extension(p) and p.is_file() and not _hidden(p, folder)]
    if not (folder / "dataset_description.json").is_file() and not any(folder.glob("sub-*/")):
        return images
    inside = [p for p in images if not set(DERIVED) & set(p.relative_to(folder).parts)]
    return [p for p in inside if stem(p).rpartition("_")[2] in BIDS_SCANS + BIDS_SERIES * series]


def _dicom(folder: Path) -> list[Path]:
    """The folder itself, if it holds a DICOM series."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not _hidden(path, folder))
    return [folder] if any(is_dicom(path) for path in files) else []


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _names(paths: Sequence[Path]) -> list[str]:
    """File names without extension; where two are the same, a number is added."""
    names: list[str] = []
    for path in paths:
        name, count = stem(path), 2
        while name in names:
            name, count = f"{stem(path)}-{count}", count + 1
        names.append(name)
    return names


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        rule = re.compile(pattern)
    except re.error as error:
        raise InputError(f"'{pattern}' is not a regular expression: {error}.") from error
    if rule.groups != 1:
        raise InputError(f"'{pattern}' has {rule.groups} groups; put the part that names the subject into one (...).")
    return rule


def _subject(path: Path, rule: re.Pattern[str] | None) -> str:
    if rule is not None:
        match = rule.search(path.as_posix())
        if match is None:
            raise InputError(f"The subject pattern '{rule.pattern}' does not fit {path}; change it, or leave it out.")
        return match[1]
    return subject_at(path)
