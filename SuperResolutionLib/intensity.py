"""Intensity scales of a volume: its range R, its head, and the plain factor that networks work in."""

import numpy as np


def data_range(voxels: np.ndarray) -> float:
    """R: the 99.9th percentile of a volume; the largest magnitude where that is not above 0; 1 if all is zero."""
    r = float(np.percentile(voxels, 99.9))
    if r <= 0:
        r = float(np.max(np.abs(voxels)))
    return r if r > 0 else 1.0


def head(voxels: np.ndarray) -> np.ndarray:
    """Where the volume exceeds 5 % of its range: a mask of the head, bool, same shape."""
    return voxels > 0.05 * data_range(voxels)
