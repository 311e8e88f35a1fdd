"""How a volume is cut into slices: which plane they were acquired in, where a slice lies, stacks of them.

Axes are counted x, y, z = 0, 1, 2, as in the file's header; in the array they run backwards.
"""

from dataclasses import replace

import numpy as np

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.volume import Volume

PLANES = ("native", "axial", "coronal", "sagittal")
_NORMAL = {
    "sagittal": 0,
    "coronal": 1,
    "axial": 2,
}  # world axis (L, P, S) that each plane's slices are stacked along


def slice_axis(spacing: tuple[float, float, float]) -> int:
    """The axis (x, y, z = 0, 1, 2) along which the acquired slices are stacked, as far as voxel sizes tell.

    The acquisition plane is that of the two spacings that agree within 1 %; where all three agree, or none
    do, the storage plane (x, y).
    """
    pairs = ((1, 2), (0, 2), (0, 1))
    agree = [abs(spacing[a] - spacing[b]) <= 0.01 * max(spacing[a], spacing[b]) for a, b in pairs]
    return agree.index(True) if sum(agree) == 1 else 2


def stacking_axis(volume: Volume, plane: str = "native") -> int:
    """The axis that slices of the wanted plane are stacked along; anatomical planes go by world orientation.

    The native plane is the one that the file states, as DICOM does, else that of the voxel sizes.
    """
    if plane not in PLANES:
        raise unknown("plane", plane, PLANES)
    if plane == "native":
        stated = None if volume.header is None else volume.header.slices
        return slice_axis(volume.spacing) if stated is None else stated
    # The voxel axes are matched to the world axes one to one: near 45 degrees each plane still gets its own.
    closeness = np.abs(volume.direction)
    best = max(_permutations(), key=lambda p: sum(closeness[p[axis], axis] for axis in range(3)))
    return best.index(_NORMAL[plane])


def anatomical_plane(volume: Volume, plane: str = "native") -> str:
    """The anatomical name of a plane. "native" may go by the spacing, and be another plane on another grid."""
    axis = stacking_axis(volume, plane)
    return next(name for name in _NORMAL if stacking_axis(volume, name) == axis)


def _permutations() -> list[tuple[int, int, int]]:
    return [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]


def single_slice(volume: Volume, axis: int, k: int) -> Volume:
    """Slice k along `axis`, counted from 0, of each 3-D volume: one slice thick and in its place; voxels are a view.

    Raises InputError where there is no such slice.
    """
    count = volume.size[axis]
    if not 0 <= k < count:
        raise InputError(
            f"There is no slice {k}: the scan has {count} in this plane; choose one from 0 to {count - 1}."
        )
    return some_slices(volume, axis, k, 1)


def middle_slices(volume: Volume, axis: int, count: int | None) -> Volume:
    """The `count` slices in the middle of each stack, in their place; all of them for None."""
    total = volume.size[axis]
    return volume if count is None or count >= total else some_slices(volume, axis, (total - count) // 2, count)


def some_slices(volume: Volume, axis: int, first: int, count: int) -> Volume:
    """Slices that follow each other, of each stack, in their place.

    volume: single or a series. axis: x, y, z = 0, 1, 2, along which the slices are stacked.
    first: the index of the first of them. count: how many; the volume must have them.
    """
    keep: list[slice] = [slice(None)] * volume.voxels.ndim
    keep[-1 - axis] = slice(first, first + count)
    origin = np.asarray(volume.origin, dtype=float) + first * volume.spacing[axis] * volume.direction[:, axis]
    return replace(volume, voxels=volume.voxels[tuple(keep)], origin=_triple(origin))


def stacks(volume: Volume, axis: int) -> list[np.ndarray]:
    """The slices of each 3-D volume, stacked along `axis`: views of shape (slices, rows, columns)."""
    series = volume.voxels if volume.voxels.ndim == 4 else volume.voxels[None]
    return [np.moveaxis(voxels, 2 - axis, 0) for voxels in series]


def _triple(values: object) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in np.asarray(values, dtype=float))
    return x, y, z
