"""The scans that are learnt from: which axes may play the slice axis, and where nothing may be learnt."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from SuperResolutionLib import files
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.physics.degradation import reference_volume
from SuperResolutionLib.training import split
from SuperResolutionLib.training.blanked import blanked
from SuperResolutionLib.training.through_plane.thick_recipe import AUTO, ThickGroup, ThickRecipe
from SuperResolutionLib.volume import signal_only

LONGER = 1.5  # than the second finest voxels of a scan: such an axis' slices are thick already


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


def training_scans(folder: Path, recipe: ThickRecipe) -> list[Scan]:
    """Every scan of the recipe's groups; a group's weight is shared by its scans.

    Raises InputError for none, and for one that is too small for the recipe's patches.
    """
    chosen = split.training_files(folder, recipe)
    shares = split.shares(chosen)
    return [_fitting(read(path, group, share), recipe) for (path, group), share in zip(chosen, shares, strict=True)]


def read(path: Path, group: ThickGroup, weight: float = 1.0) -> Scan:
    """One scan by the rules of its group; of a series the one volume that its noise is measured against."""
    volume = files.read(path)
    signal_only(volume, f"learnt from ({path.name})")
    voxels = reference_volume(volume).astype(np.float32)
    voxels /= np.float32(data_range(voxels))
    spacing = volume.spacing[::-1]
    trusted = ~blanked(voxels, group.margin) if group.margin else None
    return Scan(split.stem(path), voxels, spacing, _axes(group, spacing), weight, trusted)


def _axes(group: ThickGroup, spacing: tuple[float, float, float]) -> tuple[int, ...]:
    """The axes of a group as positions in (z, y, x)."""
    if group.axes == AUTO:
        return tuple(k for k in (2, 1, 0) if spacing[k] <= LONGER * sorted(spacing)[1])
    return tuple(2 - "xyz".index(letter) for letter in group.axes)


def _fitting(scan: Scan, recipe: ThickRecipe) -> Scan:
    """The scan, of whose axes those may be sliced that are long enough for the patches."""
    axes = tuple(k for k in scan.axes if recipe.fits(scan.voxels.shape[k], scan.spacing[k]))
    if len(axes) < 2:
        size = " x ".join(str(n) for n in scan.voxels.shape[::-1])
        raise InputError(
            f"{scan.name} of {size} voxels is too small for the recipe's patches, which need two longer axes; "
            "take it out of the folder, or give smaller rows, columns, late_rows and late_columns in the recipe."
        )
    return replace(scan, axes=axes)
