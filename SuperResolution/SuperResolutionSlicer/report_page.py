"""The report of a study of one volume: what it takes, and a folder of its own that was not there before."""

import contextlib
import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.output import check_group
from SuperResolutionSlicer import nodes
from SuperResolutionSlicer.engine_work import time_left
from SuperResolutionSlicer.jobs import Step
from SuperResolutionSlicer.process import Event

PAGE = "report.html"
LONGEST = 60  # characters of a volume's name in a path, for Windows' sake


def check(node: Any) -> None:
    """Raise InputError, one sentence, for a volume that a study does not take."""
    nodes.check(node)
    if node.GetClassName() != nodes.SCALAR:
        raise InputError(
            _("{name} is a series or holds tensors, and a report is on one volume; choose a scalar volume.").format(
                name=node.GetName()
            )
        )


def check_folder(folder: Path) -> None:
    """Raise InputError, one sentence, for a folder that cannot take a report; before any work."""
    if not folder.is_dir():
        raise InputError(_("There is no folder {folder}; choose one for the report.").format(folder=folder))
    check_group(folder, [])


def file_name(node: Any) -> str:
    """A volume's name as every file system takes it; the report shows it."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", node.GetName())[:LONGEST].strip("-") or "volume"


def words(event: Event) -> Step:
    """Words for a study's progress: the share that is done, and the time left."""
    if not event.get("total"):
        return Step(1.0, _("Finishing")) if event else Step(None, _("Starting the engine"))
    share = (event["done"] + event["part"]) / event["total"]
    return Step(share, _("{share:.0%} of the report").format(share=share) + time_left(event))


def keep(made: Path, parent: Path, name: str) -> Path:
    """Move a report out of a job's folder into a fresh one, NAME-report or NAME-report-2 ...; returns the page.

    Raises InputError, and leaves nothing, where the disk refuses.
    """
    folder = None
    try:
        folder = _fresh(parent, f"{name}-report")
        for path in made.iterdir():
            if not path.name.startswith("."):  # what a study keeps to go on from
                shutil.move(path, folder / path.name)
    except OSError as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise InputError(
            _("The report could not be saved in {parent} ({strerror}); choose another folder.").format(
                parent=parent, strerror=error.strerror
            )
        ) from error
    return folder / PAGE


def _fresh(parent: Path, name: str) -> Path:
    """A new folder: making it fails where there is one, so that no report is ever written over another."""
    places = numbered(parent / name)
    while True:
        folder = next(places)
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder


def numbered(path: Path) -> Iterator[Path]:
    """Places beside each other, without end: NAME, NAME-2, NAME-3 ..."""
    yield path
    yield from (path.with_name(f"{path.name}-{number}") for number in itertools.count(2))
