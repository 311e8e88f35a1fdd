"""The classical methods: nearest, linear, bicubic, cubic B-spline and sinc, all on geometry's grid."""

import numpy as np

from SuperResolutionLib.diffusion import log_euclidean
from SuperResolutionLib.geometry.grid import map_slices, single_slice, stacking_axis
from SuperResolutionLib.physics.interpolating import matrix
from SuperResolutionLib.physics.kernels import apply
from SuperResolutionLib.volume import TENSOR, Volume


def upsample(
    volume: Volume, method: str = "bicubic", scale: int = 2, plane: str = "native", only: int | None = None
) -> Volume:
    """Refine every slice by `scale` with a classical method; tensors through their logarithms (log_euclidean).

    The field of view and the voxel type stay. only: this slice alone, counted from 0 along the plane's stacking axis.
    Raises InputError for a method, plane or slice that does not exist.
    """
    axis = stacking_axis(volume, plane)
    if volume.quantity == TENSOR:
        logs = log_euclidean.logarithms(volume)
        part = logs if only is None else logs.slice(axis, only)
        return part.undone(refine(part.series, method, scale, axis), axis, scale)
    return refine(volume if only is None else single_slice(volume, axis, only), method, scale, axis)


def refine(volume: Volume, method: str, scale: int, axis: int) -> Volume:
    """Every slice along `axis` of a volume or series of signals refined; the voxel type stays."""

    def refined(slices: np.ndarray) -> np.ndarray:
        rows, columns = (matrix(method, n, scale) for n in slices.shape[1:])
        return apply(rows, columns, slices)

    return map_slices(volume, axis, scale, refined)
