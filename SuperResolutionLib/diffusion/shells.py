"""Shells: the volumes of a diffusion series that have the same b-value along different directions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.volume import UNWEIGHTED, Gradients, Volume

ALIKE = 0.1  # volumes whose b-values differ by less than this share belong together
FEWEST = 6  # directions of a shell
MOST_OUTSIDE = 0.1  # of the weighted volumes; where more lie on no shell, the series was sampled on a grid (DSI)


@dataclass(frozen=True, eq=False)
class Shell:
    """b: s/mm2, the median of its volumes. volumes: their indices in the series, (n,), rising."""

    b: float
    volumes: np.ndarray

    @property
    def label(self) -> str:
        """Its b-value as a whole number."""
        return f"{self.b:.0f}"


def shells(gradients: Gradients) -> list[Shell]:
    """The shells of a series, the lowest b-value first, b0 images apart; empty for a grid of b-values, as in DSI.

    A shell is all volumes whose b-values lie within a tenth of each other and a tenth from any other, in at least six
    directions. Where more than a tenth of the weighted volumes lie on no shell, there is none.
    """
    weighted = np.flatnonzero(gradients.bvals > UNWEIGHTED)
    if not weighted.size:
        return []
    order = weighted[np.argsort(gradients.bvals[weighted], kind="stable")]
    gaps = np.flatnonzero(~np.diagonal(alike(gradients.bvals[order]), 1)) + 1
    groups = [np.sort(group) for group in np.split(order, gaps)]
    found = [Shell(float(np.median(gradients.bvals[group])), group) for group in groups if _is_shell(gradients, group)]
    outside = weighted.size - sum(len(shell.volumes) for shell in found)
    return found if outside <= MOST_OUTSIDE * weighted.size else []


def _is_shell(gradients: Gradients, volumes: np.ndarray) -> bool:
    """Whether volumes without a gap between their b-values are alike as a whole, and in enough directions."""
    return bool(alike(gradients.bvals[volumes]).all()) and distinct(gradients.bvecs[volumes]) >= FEWEST


def alike(bvals: np.ndarray) -> np.ndarray:
    """(t, t) bool: which b-values are so near each other that they mean the same."""
    near: np.ndarray = np.abs(bvals[:, None] - bvals) <= ALIKE * np.maximum(bvals[:, None], bvals)
    return near


def distinct(bvecs: np.ndarray) -> int:
    """Directions that are more than about a degree apart; opposite ones are one, vectors of zero are none."""
    bvecs = bvecs[bvecs.any(axis=1)]
    same = np.abs(bvecs @ bvecs.T) > 0.9998
    return int(sum(not same[k, :k].any() for k in range(len(bvecs))))


def mean_signals(volume: Volume, groups: Sequence[np.ndarray], mask: np.ndarray) -> np.ndarray:
    """The mean over each group of volumes (indices) in every voxel of the mask: (voxels, groups) float64."""
    means = [sum(volume.voxels[k][mask].astype(np.float64) for k in group) / len(group) for group in groups]
    return np.stack(means, axis=1)
