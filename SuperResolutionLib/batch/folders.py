"""Scans that are named one by one, by patterns, or as folders: a job for each."""

import glob
from collections.abc import Sequence
from pathlib import Path

from SuperResolutionLib.batch.job import Job
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import EXTENSIONS, extension
from SuperResolutionLib.study.subjects import find_scans

LOGS = "logs"


def jobs(inputs: Sequence[Path], out: Path) -> list[Job]:
    """A job for each scan among files, patterns such as '*.nii.gz', and folders, into one folder.

    Raises InputError where there is none, and for a folder that the scans lie in.
    """
    scans = find_scans([path for given in inputs for path in _matching(given)])
    inside = next((scan.path for scan in scans if scan.path.resolve().parent == out.resolve()), None)
    if inside is not None:
        raise InputError(f"{inside.name} lies in {out}, where the results would go; name another folder.")
    made = []
    for scan in scans:
        known = extension(scan.path)
        name = f"{scan.name}_sr"
        output = out / f"{name}{known if known in EXTENSIONS else '.nii.gz'}"
        made.append(Job(scan.path.name, scan.path, output, out / LOGS / f"{name}.log"))
    return made


def _matching(given: Path) -> list[Path]:
    """The paths that a pattern means; a path that is there is no pattern."""
    if given.exists() or not glob.has_magic(str(given)):
        return [given]
    found = sorted(map(Path, glob.glob(str(given), recursive=True)))
    if not found:
        raise InputError(f"No file fits the pattern '{given}'; check it, or name a folder.")
    return found
