"""The scans of a BIDS data set that can be enhanced, and what the data set says of each in other files.

BIDS: https://bids-specification.readthedocs.io. A file of a higher folder holds for all below whose names have its
suffix and all of its entities (the inheritance principle).
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from SuperResolutionLib.batch.job import Described
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import stem
from SuperResolutionLib.files.kinds import kind_named

SUFFIXES = ("T1w", "T2w", "PDw", "FLAIR", "inplaneT1", "inplaneT2", "dwi")
DATATYPES = ("anat", "dwi")
_IMAGES = (".nii.gz", ".nii")
_FOLDER = re.compile(r"(sub|ses)-[A-Za-z0-9+]+")


@dataclass(frozen=True)
class Selection:
    """Which scans are meant; an empty tuple means all. participants, sessions: labels, with or without sub- or ses-."""

    participants: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = SUFFIXES


@dataclass(frozen=True)
class Found:
    """The scans of a data set, and what was left alone and why.

    participants: the folders that were looked into, as "sub-01".
    """

    scans: tuple[Path, ...]
    left: dict[Path, str]
    participants: tuple[str, ...]


def find(folder: Path, selection: Selection) -> Found:
    """The scans that are meant. Raises InputError for no data set, a participant that is not there, and no scan."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give the folder of a BIDS data set.")
    subjects = _chosen(_folders(folder, "sub-"), "sub-", selection.participants, folder)
    scans: list[Path] = []
    left: dict[Path, str] = {}
    sessions: set[str] = set()
    for subject in subjects:
        places = _folders(subject, "ses-")
        sessions |= {place.name for place in places}
        wanted = {_label(name, "ses-") for name in selection.sessions}
        chosen = [place for place in places if not wanted or place.name in wanted]
        for place in (*chosen, *(() if wanted else (subject,))):
            for path in _images(place):
                if entities(path)[1] in selection.suffixes:
                    kind = kind_named(stem(path))
                    left.update({path: kind}) if kind else scans.append(path)
    _check_sessions(selection.sessions, sessions)
    if not scans:
        raise InputError(
            f"{folder} has no scan to enhance: no sub-*/[ses-*/](anat|dwi)/*_({'|'.join(selection.suffixes)}).nii.gz; "
            "check the folder, the labels, or --suffix."
        )
    return Found(tuple(scans), left, tuple(subject.name for subject in subjects))


def described(root: Path, scan: Path) -> Described:
    """What the data set says of a scan: the JSON files and the gradients that hold for it.

    root: the folder of the data set.
    """
    places = [root, *[root / part for part in _upwards(scan.relative_to(root).parent)]]
    tables = [path for place in places for path in _holding(place, ".json", scan)]
    bval, bvec = ([path for place in places for path in _holding(place, end, scan)][-1:] for end in (".bval", ".bvec"))
    gradients = (bval[0], bvec[0]) if bval and bvec else None
    return Described(f"bids:raw:{scan.relative_to(root).as_posix()}", tuple(tables), gradients)


def entities(path: Path) -> tuple[tuple[tuple[str, str], ...], str]:
    """The entities of a file's name, in order, and its suffix: sub-01_run-1_T1w is ((sub, 01), (run, 1)), T1w."""
    *parts, suffix = path.name.split(".", 1)[0].split("_")
    pairs = [(key, value) for key, _, value in (part.partition("-") for part in parts)]
    return tuple(pairs), suffix


def _upwards(relative: Path) -> list[Path]:
    return [Path(*relative.parts[: k + 1]) for k in range(len(relative.parts))]


def _holding(place: Path, end: str, scan: Path) -> list[Path]:
    """The files of a folder that hold for a scan, the most special last."""
    own, suffix = entities(scan)
    matching = []
    for path in _listed(place, end):
        named, of = entities(path)
        if of == suffix and set(named) <= set(own):
            matching.append((len(named), path.name, path))
    return [path for _, _, path in sorted(matching)]


@cache
def _listed(place: Path, end: str) -> tuple[Path, ...]:
    return tuple(sorted(path for path in place.glob(f"*{end}") if path.is_file()))


def _images(place: Path) -> list[Path]:
    """The images of a subject's or a session's own folder; a link to nothing counts, for it is told when it is read."""
    folders = (place / datatype for datatype in DATATYPES)
    paths = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
    return [path for path in paths if path.name.lower().endswith(_IMAGES) and not path.name.startswith(".")]


def _folders(place: Path, prefix: str) -> list[Path]:
    paths = sorted(place.glob(f"{prefix}*"))
    return [path for path in paths if path.is_dir() and _FOLDER.fullmatch(path.name)]


def _label(name: str, prefix: str) -> str:
    return name if name.startswith(prefix) else prefix + name


def _chosen(folders: Sequence[Path], prefix: str, labels: Sequence[str], root: Path) -> list[Path]:
    """The folders with these labels, or all. Raises InputError for a label that there is not."""
    if not labels:
        return list(folders)
    known = {path.name: path for path in folders}
    wanted = dict.fromkeys(_label(name, prefix) for name in labels)
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"it has {len(known)} participants."
            raise InputError(f"{root} has no participant '{name}'; {hint}")
    return [known[name] for name in wanted]


def _check_sessions(labels: Sequence[str], known: set[str]) -> None:
    for name in (_label(label, "ses-") for label in labels):
        if name not in known:
            have = ", ".join(sorted(known)) or "none"
            raise InputError(f"None of the participants has a session '{name}'; they have: {have}.")
