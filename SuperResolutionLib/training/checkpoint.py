"""Checkpoints: written whole or not at all, the one before kept beside; read back if they can be."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch

from SuperResolutionLib.errors import InputError


def save(state: dict[str, Any], path: Path) -> None:
    """Write beside, then rename; the checkpoint from before is kept as well, in case this one is damaged.

    Raises InputError where the disk refuses; the checkpoint that is there stays.
    """
    beside = path.with_suffix(".tmp")  # the folder is claimed by one training
    try:
        torch.save(state, beside)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if not isinstance(error, (OSError, RuntimeError)):
            raise
        reason = str(error).splitlines()[0]
        raise InputError(
            f"The checkpoint in {path.parent} could not be written ({reason}); free some space, "
            "then go on with --resume from the one before."
        ) from error
    if path.exists():
        os.replace(path, _before(path))
    os.replace(beside, path)


def load(path: Path, device: torch.device, log: Callable[[str], None]) -> dict[str, Any] | None:
    """The newest checkpoint that can be read, None where there is none. Raises InputError if all are damaged."""
    there = [p for p in (path, _before(path)) if p.exists()]
    for candidate in there:
        try:
            _check_sums(candidate)  # which torch does not
            state: dict[str, Any] = torch.load(candidate, map_location=device, weights_only=True)
        except Exception as error:  # a damaged file raises whatever its reader meets first
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            log(f"{candidate.name} cannot be read ({reason[:200]})")
            continue
        if not isinstance(state, dict):
            log(f"{candidate.name} is no checkpoint")
            continue
        if candidate != path:
            log(f"going on with {candidate.name}, the checkpoint from before")
            os.replace(candidate, path)  # or the next one would push it out by the damaged one
        return state
    if there:
        raise InputError(f"No checkpoint in {path.parent} can be read; begin again in another folder (--out).")
    return None


def is_there(path: Path) -> bool:
    """Whether a training has begun, also where it stopped between two names of its checkpoint."""
    return path.exists() or _before(path).exists()


def _check_sums(path: Path) -> None:
    """Raise an error for a checkpoint with a flipped bit anywhere."""
    with ZipFile(path) as archive:
        if damaged := archive.testzip():
            raise BadZipFile(f"{damaged} is damaged")


def _before(path: Path) -> Path:
    return path.with_suffix(".before.pt")
