"""Shells: the volumes of a diffusion series that have the same b-value along different directions."""

import numpy as np

ALIKE = 0.1  # volumes whose b-values differ by less than this share belong together


def alike(bvals: np.ndarray) -> np.ndarray:
    """(t, t) bool: which b-values are so near each other that they mean the same."""
    near: np.ndarray = np.abs(bvals[:, None] - bvals) <= ALIKE * np.maximum(bvals[:, None], bvals)
    return near


def distinct(bvecs: np.ndarray) -> int:
    """Directions that are more than about a degree apart; opposite ones are one, vectors of zero are none."""
    bvecs = bvecs[bvecs.any(axis=1)]
    same = np.abs(bvecs @ bvecs.T) > 0.9998
    return int(sum(not same[k, :k].any() for k in range(len(bvecs))))
