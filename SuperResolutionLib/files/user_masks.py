"""Masks that users bring: which voxels of a scan count."""

import warnings
from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import ScanWarning, read
from SuperResolutionLib.volume import Volume


def read_mask(path: Path, volume: Volume) -> np.ndarray:
    """A mask file as bool (z, y, x) on the grid of a volume or series, True above 0.

    Raises InputError where the grids differ or nothing is inside.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScanWarning)  # that a mask looks like labels is no surprise
        mask = read(path)
    if mask.voxels.shape != volume.voxels.shape[-3:] or np.abs(mask.bounds() - volume.bounds()).max() > 0.1:
        raise InputError(
            f"The mask {path.name} ({' x '.join(map(str, mask.size))} voxels) lies on another grid than its scan "
            f"({' x '.join(map(str, volume.size))}); resample it to the scan's own grid."
        )
    inside = mask.voxels > 0
    if not inside.any():
        raise InputError(f"The mask {path.name} is empty: no voxel is above 0.")
    return inside
