"""The classical methods: nearest, linear, bicubic, cubic B-spline and sinc, all on geometry's grid."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from SuperResolutionLib.diffusion import log_euclidean
from SuperResolutionLib.errors import unknown
from SuperResolutionLib.geometry import map_slices, single_slice, stacking_axis
from SuperResolutionLib.separable import apply, cubic, kernel_matrix, sample_positions
from SuperResolutionLib.volume import TENSOR, Volume


def nearest(size: int, scale: int) -> np.ndarray:
    """Repeat each voxel: (scale x size, size)."""
    return np.repeat(np.eye(size), scale, axis=0)


def linear(size: int, scale: int) -> np.ndarray:
    """Weights by distance to the two neighbours; edge voxels repeated: (scale x size, size)."""
    position = sample_positions(size * scale, 1 / scale)
    left = np.floor(position).astype(int)
    right = position - left
    return kernel_matrix(np.stack([1 - right, right], 1), left[:, None] + np.arange(2), size, "nearest")


def bicubic(size: int, scale: int) -> np.ndarray:
    """Keys' cubic convolution with a = -0.75, as image libraries have it; edge voxels repeated."""
    position = sample_positions(size * scale, 1 / scale)
    taps = np.floor(position).astype(int)[:, None] + np.arange(-1, 3)
    return kernel_matrix(cubic(position[:, None] - taps, -0.75), taps, size, "nearest")


def bspline(size: int, scale: int) -> np.ndarray:
    """The interpolating cubic B-spline (Unser 1993), edge voxels repeated 12 times before the prefilter."""
    pad = 12
    knots = size + 2 * pad
    repeat_edges = kernel_matrix(np.ones((knots, 1)), np.arange(-pad, size + pad)[:, None], size, "nearest")
    coefficients = np.linalg.solve(bspline_basis(np.arange(knots, dtype=float), knots), repeat_edges)
    return bspline_basis(sample_positions(size * scale, 1 / scale) + pad, knots) @ coefficients


def bspline_basis(position: np.ndarray, size: int) -> np.ndarray:
    """The four cubic B-splines that reach each position, mirrored about the outermost knots."""
    taps = np.floor(position).astype(int)[:, None] + np.arange(-1, 3)
    x = np.abs(position[:, None] - taps)
    weights = np.where(x < 1, (4 - 6 * x**2 + 3 * x**3) / 6, np.clip(2 - x, 0, None) ** 3 / 6)
    mirrored = (size - 1) - np.abs((size - 1) - np.abs(taps))
    return kernel_matrix(weights, mirrored, size, "nearest")


def sinc(size: int, scale: int) -> np.ndarray:
    """Zero-filled k-space: the periodic sinc (Dirichlet kernel), Nyquist split evenly so that the result is real."""
    k = np.fft.fftshift(np.fft.fftfreq(size, 1 / size))
    distance = sample_positions(size * scale, 1 / scale)[:, None] - np.arange(size)
    matrix = np.zeros(distance.shape)
    for frequency in k:
        matrix += np.cos(2 * np.pi * frequency * distance / size) / size
    return matrix


METHODS: dict[str, Callable[[int, int], np.ndarray]] = {
    "nearest": nearest,
    "linear": linear,
    "bicubic": bicubic,
    "bspline": bspline,
    "sinc": sinc,
}


@lru_cache(maxsize=64)
def matrix(method: str, size: int, scale: int) -> np.ndarray:
    """The operator of a method along one axis: (scale x size, size) float32."""
    if method not in METHODS:
        raise unknown("interpolation method", method, METHODS)
    return METHODS[method](size, scale).astype(np.float32)


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
