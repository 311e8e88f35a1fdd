"""A simple segmentation into three tissues, and how well it survives restoring."""

import numpy as np


def thresholds(voxels: np.ndarray) -> tuple[float, float] | None:
    """Otsu's two thresholds (Liao 2001) between three classes of intensity; None where there are not three."""
    from skimage.filters import threshold_multiotsu

    try:
        low, high = threshold_multiotsu(voxels, classes=3)
    except ValueError:
        return None
    return float(low), float(high)


def dice(truth: np.ndarray, restored: np.ndarray, mask: np.ndarray) -> tuple[float, float, float] | None:
    """Dice of the dark, middle and bright class inside a mask (of T1: fluid, grey, white), each volume by its own Otsu.

    None where either volume does not fall into three classes.
    """
    inside, mended = truth[mask], restored[mask]
    own, others = thresholds(inside), thresholds(mended)
    if own is None or others is None:
        return None
    a, b = np.digitize(inside, own), np.digitize(mended, others)
    dark, middle, bright = (_dice(a == k, b == k) for k in range(3))
    return dark, middle, bright


def _dice(a: np.ndarray, b: np.ndarray) -> float:
    total = int(a.sum() + b.sum())
    return float(2 * (a & b).sum() / total) if total else 1.0
