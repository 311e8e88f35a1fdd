"""Checkpoints: written whole or not at all, the one before kept beside; read back if they can be."""

import os
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from SuperResolutionLib.errors import InputError


def save(state: dict[str, Any], path: Path) -> None:
    """Write beside, then rename; the checkpoint from before is kept as well, in case this one is damaged.

    Raises InputError where the disk refuses; the checkpoint that is there stays.
    """
    beside = path.with_suffix(".tmp")
    try:
        torch.save(state, beside)
    except (OSError, RuntimeError) as error:
        beside.unlink(missing_ok=True)
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
            state: dict[str, Any] = torch.load(candidate, map_location=device, weights_only=True)
        except (RuntimeError, EOFError, OSError, UnpicklingError) as error:
            log(f"{candidate.name} cannot be read ({str(error).splitlines()[0]})")
            continue
        return state
    if there:
        raise InputError(f"No checkpoint in {path.parent} can be read; begin again in another folder (--out).")
    return None


def _before(path: Path) -> Path:
    return path.with_suffix(".before.pt")
