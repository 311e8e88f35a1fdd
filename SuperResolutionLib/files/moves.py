"""Finished files move from a hidden folder to their places: all of them, or, whatever happens meanwhile, none.

In the hidden folder, `new` holds the files that are whole, `old` those that they replace, and `moving` says which move.
Once `moving` is gone everything is done; while it is there, `undo` puts back what was, also after the process is gone.
"""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

NEW, OLD, MOVING = "new", "old", "moving"


def fresh(workshop: Path) -> Path:
    """The empty folder in a hidden one where files are made."""
    for name in (NEW, OLD):
        shutil.rmtree(workshop / name, ignore_errors=True)
        (workshop / name).mkdir()
    return workshop / NEW


def move(workshop: Path, gone: Iterable[str] = ()) -> None:
    """Move all new files beside the hidden folder, and files called `gone` out of the way, so that `undo` can undo it.

    Raises OSError.
    """
    names = sorted(path.name for path in (workshop / NEW).iterdir())
    leaving = [name for name in gone if name not in names]
    (workshop / MOVING).write_text(json.dumps({"new": names, "gone": leaving}), encoding="ascii")
    for name in leaving:
        if os.path.lexists(workshop.parent / name):
            os.replace(workshop.parent / name, workshop / OLD / name)
    for name in names:
        _keep(workshop.parent / name, workshop / OLD / name)
        os.replace(workshop / NEW / name, workshop.parent / name)


def settle(workshop: Path) -> None:
    """What was moved stays."""
    (workshop / MOVING).unlink(missing_ok=True)


def undo(workshop: Path) -> None:
    """Put back what lay where files were moved to, unless that was settled. Raises OSError."""
    try:
        names = json.loads((workshop / MOVING).read_text(encoding="ascii"))
    except (OSError, ValueError):  # nothing was moved, or it stopped before the first
        return
    for name in (*names["new"], *names["gone"]):
        if os.path.lexists(workshop / OLD / name):
            os.replace(workshop / OLD / name, workshop.parent / name)
        elif name in names["new"] and not os.path.lexists(workshop / NEW / name):
            (workshop.parent / name).unlink(missing_ok=True)
    settle(workshop)


def _keep(path: Path, kept: Path) -> None:
    """A second name for a file that is about to be replaced; where the disk has no second names, it moves."""
    if not os.path.lexists(path):
        return
    try:
        os.link(path, kept, follow_symlinks=False)
    except (OSError, NotImplementedError):
        os.replace(path, kept)
