"""The scans that are learnt from: which axes may play the slice axis, and where nothing may be learnt."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SuperResolutionLib import files
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.training.blanked import blanked
from SuperResolutionLib.training.split import stem, volume_files
from SuperResolutionLib.training.through_plane.thick_recipe import Group, Recipe


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan: voxels (z, y, x) float32 of range 1, spacing in mm and axes as positions in that order.

    trusted: where something may be learnt, bool, None for everywhere. weight: how often it is drawn.
    """

    name: str
    voxels: np.ndarray
    spacing: tuple[float, float, float]
    axes: tuple[int, ...]
    weight: float = 1.0
    trusted: np.ndarray | None = None


def training_scans(folder: Path, recipe: Recipe) -> list[Scan]:
    """Every scan of the recipe's groups; a group's weight is shared by its scans. Raises InputError for none."""
    chosen = [(path, recipe.group_of(stem(path))) for path in volume_files(folder)]
    found = [(path, group) for path, group in chosen if group is not None]
    if not found:
        raise InputError(f"No volume under {folder} belongs to a group of '{recipe.name}'; check its patterns.")
    alike = {group: sum(other is group for _, other in found) for _, group in found}
    return [read(path, group, group.weight / alike[group]) for path, group in found]


def read(path: Path, group: Group, weight: float = 1.0) -> Scan:
    """One scan by the rules of its group."""
    volume = files.read(path)
    voxels = volume.voxels.astype(np.float32)
    voxels /= np.float32(data_range(voxels))
    axes = tuple(2 - "xyz".index(letter) for letter in group.axes)
    trusted = ~blanked(voxels, group.margin) if group.margin else None
    return Scan(stem(path), voxels, volume.spacing[::-1], axes, weight, trusted)
