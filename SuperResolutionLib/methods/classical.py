"""The classical methods: nearest, linear, bicubic, cubic B-spline and sinc, along any axes, by any factor."""

import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.diffusion import log_euclidean
from SuperResolutionLib.errors import unknown
from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.methods.method import Record, Restoration, Runtime
from SuperResolutionLib.physics.interpolating import METHODS, matrix
from SuperResolutionLib.physics.kernels import apply, apply_through
from SuperResolutionLib.physics.shrinking import area_matrix
from SuperResolutionLib.progress import Progress, finish
from SuperResolutionLib.volume import TENSOR, Volume, cast_voxels

SLAB = 8  # slices of the result at a time: what lies between input and output stays small


@dataclass(frozen=True)
class Classical:
    """A classical method, by its name. Raises InputError for a name that is none."""

    name: str
    classical = True

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or self.name not in METHODS:
            raise unknown("interpolation method", str(self.name), METHODS)

    def steps(self, _volume: Volume, _sampling: Sampling) -> int:
        """How many steps of progress a restoration has."""
        return 1

    def restore(self, volume: Volume, sampling: Sampling, _runtime: Runtime) -> Generator[Progress, None, Restoration]:
        """The volume on the wanted grid (twice as fine in plane where none is asked for), in its own voxel type.

        Tensors are refined through their logarithms (log_euclidean).
        """
        began = time.monotonic()
        grids = sampling.usually(2).finer(volume)
        yield Progress(0, 1, 0.0)
        if volume.quantity == TENSOR:
            logs = log_euclidean.logarithms(volume)
            result = logs.undone(resample(logs.series, grids, self.name), grids)
        else:
            result = resample(volume, grids, self.name)
        seconds = time.monotonic() - began
        yield Progress(1, 1, seconds)
        return Restoration(result, None, Record(method=self.name, sampling=grids.record(), seconds=seconds))


def upsample(
    volume: Volume, method: str = "bicubic", scale: float | None = None, *, sampling: Sampling | None = None
) -> Volume:
    """Refine a volume by a classical method; the field of view and the voxel type stay.

    volume: signals, or tensors, which are refined through their logarithms.
    method: nearest, linear, bicubic, bspline or sinc.
    scale: how many times finer in plane, any number from 1 to 16; 2 where neither it nor `sampling` is given.
    sampling: any other finer grid, or one slice of it.
    Raises InputError for a method, plane or slice that does not exist, or a grid that cannot be had.
    """
    return finish(Classical(method).restore(volume, Sampling.of(scale, sampling), Runtime())).volume


def resample(volume: Volume, grids: Grids, method: str, through: np.ndarray | None = None) -> Volume:
    """A volume or series of signals on the wanted grid, or its one slice, by a classical method; same voxel type.

    through: a matrix along the stack in the method's place, (wanted slices, given slices).
    grids: the volume's own and the wanted one. method: the name of one of METHODS.
    """
    axis, only = grids.axis, grids.only
    result = grids.empty(volume)
    few, many = grids.given.size[axis], grids.wanted.size[axis]
    if through is None and few != many:
        through = _between(method, few, many)
    for source, target in zip(stacks(volume, axis), stacks(result, axis), strict=True):
        rows, columns = (
            None if n == m else _between(method, n, m) for n, m in zip(source.shape[1:], target.shape[1:], strict=True)
        )
        for first in range(0, len(target), SLAB):
            wanted = slice(first, first + SLAB) if only is None else slice(only, only + 1)
            part = source[wanted] if through is None else _through(through[wanted], source)
            target[first : first + SLAB] = cast_voxels(apply(rows, columns, part), target.dtype)
    return result


def _between(method: str, few: int, many: int) -> np.ndarray:
    """The matrix of a method; of an axis that becomes coarser, whatever the method, the mean over each new voxel."""
    return matrix(method, few, many) if many >= few else area_matrix(few, many).astype(np.float32)


def _through(rows: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Slices between slices: rows of a matrix along the stack, from no more slices than they take."""
    taken = np.flatnonzero(rows.any(axis=0))
    first, last = taken[0], taken[-1] + 1
    return apply_through(rows[:, first:last], source[first:last])
