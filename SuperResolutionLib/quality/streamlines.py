"""Deterministic tractography of tensors, and how far the tracts of a restored series agree with the true ones.

Streamlines follow the principal direction, in both senses, from the middle of every voxel that is a seed. They end
where FA falls below 0.15 or the direction turns by more than 45 degrees in a step (EuDX of DIPY; Garyfallidis 2012);
those shorter than 10 mm are left out.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from SuperResolutionLib.diffusion.dipy_parts import dipy
from SuperResolutionLib.diffusion.tensors import Tensors

LEAST_FA = 0.15
LARGEST_ANGLE = 45.0  # degrees in a step
STEP = 0.5  # of the smallest side of a voxel
SHORTEST = 10.0  # mm
SPHERE = "repulsion724"  # of DIPY: the directions that it works with, some 4 degrees apart


@dataclass(frozen=True, eq=False)
class Tracts:
    """The streamlines of a tensor field. count: how many. passed: (z, y, x) bool, the voxels that they pass."""

    count: int
    passed: np.ndarray


@dataclass(frozen=True)
class TractErrors:
    """The tracts of a restored series beside those of the truth, from the same seeds.

    dice: of the voxels that streamlines pass, 1 where they are the same; None where neither has any. count,
    true_count: of streamlines.
    """

    dice: float | None
    count: int
    true_count: int


def tracts(tensors: Tensors, seeds: np.ndarray) -> Tracts:
    """The streamlines of a tensor field.

    seeds: (z, y, x) bool, the voxels in whose middle streamlines begin.
    Raises InputError where DIPY is missing.
    """
    utils = dipy("tracking.utils")
    fa = tensors.fa.T.astype(np.float64)
    spacing = np.asarray(tensors.tensor.spacing, float)
    places = np.diag([*spacing, 1.0])  # mm along the grid's own axes: directions are turned to them
    ends = dipy("tracking.stopping_criterion").ThresholdStoppingCriterion(fa, LEAST_FA)
    begins = np.argwhere(seeds.T) * spacing
    with warnings.catch_warnings():
        # DIPY 1.12 points to its eudx_tracking, which gives other streamlines each time it is called, by one seed too.
        warnings.simplefilter("ignore", DeprecationWarning)
        local = dipy("tracking.local_tracking").LocalTracking
        lines = list(local(_followed(tensors, fa), ends, begins, places, step_size=STEP * spacing.min()))
    kept = [line for line in lines if _length(line) >= SHORTEST]
    return Tracts(len(kept), np.asarray(utils.density_map(kept, places, fa.shape)).T > 0)


def tract_errors(true: Tracts, found: Tracts) -> TractErrors:
    """How far the tracts of a restored series, `found`, agree with those of the truth."""
    passed = int(true.passed.sum()) + int(found.passed.sum())
    dice = 2 * float((true.passed & found.passed).sum()) / passed if passed else None
    return TractErrors(dice, found.count, true.count)


def _followed(tensors: Tensors, fa: np.ndarray) -> Any:
    """What DIPY follows: one direction a voxel, along the axes x, y, z of the grid. fa: (x, y, z)."""
    sphere = dipy("data").get_sphere(name=SPHERE)
    along_grid = np.transpose(tensors.direction, (2, 1, 0, 3)).astype(np.float64) @ tensors.tensor.direction
    nearest = np.stack([np.argmax(np.abs(layer @ sphere.vertices.T), axis=-1) for layer in along_grid])
    peaks = dipy("direction.peaks").PeaksAndMetrics()
    peaks.sphere = sphere
    peaks.peak_dirs = np.ascontiguousarray(along_grid[..., None, :])
    peaks.peak_values = np.ascontiguousarray(fa[..., None])
    peaks.peak_indices = np.ascontiguousarray(nearest[..., None].astype(np.int32))
    peaks.qa_thr, peaks.ang_thr, peaks.total_weight = LEAST_FA, LARGEST_ANGLE, 0.5
    return peaks


def _length(line: np.ndarray) -> float:
    """mm."""
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
