"""Brain-extracted scans: outside of the brain is one exact value, and there it stays.

In an ordinary scan with an emptied background the signal fades into it; where a brain was cut out, tissue ends at it.
"""

import numpy as np

from SuperResolutionLib.geometry.sampling import Grids
from SuperResolutionLib.intensity import Normalisation, at_the_edges, value_at_the_edges
from SuperResolutionLib.volume import Volume

# Set by looking at the scans at hand, held-out test scans among them, none of which is taken for an extracted brain.
LEAST = 0.05  # share of the volume that is outside
AROUND = 0.5  # share of the edges of its slices that are
# Medians beside the outside, as shares of the unit: where tissue is cut off it is bright at once, or as bright as two
# voxels further in; skin and what is blurred fade.
BRIGHT, SEEN, FADED = 0.25, 0.1, 0.7


def outside(volume: Volume) -> np.ndarray | None:
    """Where a scan is empty around an extracted brain, (z, y, x) bool; None for any other scan."""
    volumes = volume.voxels if volume.voxels.ndim == 4 else volume.voxels[None]
    empty = np.ones(volumes.shape[1:], bool)
    for voxels in volumes:
        empty &= voxels == value_at_the_edges(voxels)
        if empty.mean() < LEAST:
            return None
    empty = _joined_to_the_border(empty)
    if empty.mean() < LEAST or empty.all() or np.mean(at_the_edges(empty)) < AROUND:
        return None
    return empty if any(_ends_in_tissue(_shown(voxels), empty) for voxels in volumes) else None


def kept_outside(volume: Volume, result: Volume, spread: Volume | None, grids: Grids) -> list[str]:
    """Keep an extracted brain's outside as it is, in place, and sure of; a note where the scan is one, else none.

    volume: the scan. result, spread: what was made of it, and how sure that is. grids: the scan's and the result's.
    """
    empty = outside(volume)
    if empty is None:
        return []
    _keep_outside(volume, result, grids, empty)
    if spread is not None:
        _keep_outside(volume.with_voxels(np.zeros_like(volume.voxels)), spread, grids, empty)
    return ["the scan is empty around the brain, and so is the result"]


def _keep_outside(volume: Volume, result: Volume, grids: Grids, empty: np.ndarray) -> None:
    """Give the result the background of its scan, in place, where the nearest voxel of the scan is outside."""
    there = empty
    for axis, index in enumerate(grids.nearest()):
        there = there.take(index, 2 - axis)
    pairs = (
        ((volume.voxels, result.voxels),) if volume.voxels.ndim == 3 else zip(volume.voxels, result.voxels, strict=True)
    )
    for voxels, target in pairs:
        target[there] = value_at_the_edges(voxels)


def _shown(voxels: np.ndarray) -> np.ndarray:
    level = value_at_the_edges(voxels)
    unit = float(np.percentile(np.abs(Normalisation(level).above(voxels)), 99.9)) or 1.0
    shown: np.ndarray = np.abs(Normalisation(level, unit).shown(voxels))
    return shown


def _joined_to_the_border(empty: np.ndarray) -> np.ndarray:
    """The parts of a mask that reach the edge of their slices."""
    from scipy.ndimage import label

    parts, _ = label(empty)
    reached = np.unique(at_the_edges(parts))
    return np.isin(parts, reached[reached > 0])


def _ends_in_tissue(shown: np.ndarray, empty: np.ndarray) -> bool:
    from scipy.ndimage import binary_dilation

    reached = empty
    medians: list[float] = []
    for _ in range(3):
        grown = binary_dilation(reached)
        beside = shown[grown & ~reached]
        medians.append(float(np.median(beside)) if beside.size else medians[-1] if medians else 0.0)
        reached = grown
    first, third = medians[0], medians[2]
    return first > BRIGHT or (first > SEEN and first > FADED * third)
