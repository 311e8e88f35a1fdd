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


def noise(slices: np.ndarray) -> float:
    """The standard deviation of the noise in a stack (n, h, w), in its units; fine structure adds to it.

    By the median, over the head, of second differences along rows and columns, which are blind to anything smooth
    (after Immerkaer 1996). 0 where there is no head, or slices are under 3 voxels.
    """
    inside = head(slices)[:, 1:-1, 1:-1]
    if not inside.any():
        return 0.0
    bent = np.diff(np.diff(slices.astype(np.float32), n=2, axis=1), n=2, axis=2)
    return float(np.median(np.abs(bent[inside]))) / (6 * 0.6745)


def relative_noise(slices: np.ndarray) -> float:
    """The deviation of the noise (`noise`) over the mean of the head; 0 where there is no head."""
    inside = head(slices)
    return noise(slices) / max(float(np.abs(slices[inside]).mean()), 1e-12) if inside.any() else 0.0
