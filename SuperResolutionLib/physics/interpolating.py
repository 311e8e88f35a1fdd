"""How a coarse line of voxels becomes a fine one: nearest, linear, bicubic, cubic B-spline and sinc.

Each is the matrix that gives the value at any positions, counted in voxels of the line: 0 is the centre of the first,
0.5 the border to the second. A ratio of the two grids need not be whole.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from SuperResolutionLib.errors import unknown
from SuperResolutionLib.physics.kernels import cubic, kernel_matrix, sample_positions

_PAD = 12  # edge voxels repeated before the B-spline's prefilter


def positions(rows: int, wanted: float, spacing: float) -> np.ndarray:
    """Positions of `rows` rows `wanted` mm apart between slices `spacing` mm apart, from the same edge; (rows,)."""
    return sample_positions(rows, wanted / spacing)


def nearest(size: int, position: np.ndarray) -> np.ndarray:
    """The voxel that each position lies in: (rows, size)."""
    return np.eye(size)[np.clip(np.floor(position + 0.5).astype(int), 0, size - 1)]


def linear(size: int, position: np.ndarray) -> np.ndarray:
    """Weights by distance to the two neighbours; edge voxels repeated: (rows, size)."""
    left = np.floor(position).astype(int)
    right = position - left
    return kernel_matrix(np.stack([1 - right, right], 1), left[:, None] + np.arange(2), size, "nearest")


def bicubic(size: int, position: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution with a = -0.75, as image libraries have it; edge voxels repeated: (rows, size)."""
    taps = np.floor(position).astype(int)[:, None] + np.arange(-1, 3)
    return kernel_matrix(cubic(position[:, None] - taps, -0.75), taps, size, "nearest")


def bspline(size: int, position: np.ndarray) -> np.ndarray:
    """The interpolating cubic B-spline (Unser 1993), edge voxels repeated 12 times before: (rows, size)."""
    knots = size + 2 * _PAD
    repeat_edges = kernel_matrix(np.ones((knots, 1)), np.arange(-_PAD, size + _PAD)[:, None], size, "nearest")
    coefficients = np.linalg.solve(bspline_basis(np.arange(knots, dtype=float), knots), repeat_edges)
    return bspline_basis(position + _PAD, knots) @ coefficients


def sinc(size: int, position: np.ndarray) -> np.ndarray:
    """Zero-filled k-space: the periodic sinc, Nyquist split evenly so that the result is real: (rows, size)."""
    angle = np.pi * (position[:, None] - np.arange(size)) / size
    whole = np.abs(np.sin(angle)) < 1e-12  # a voxel's own centre, and those a whole period away
    below = np.where(whole, 1.0, np.sin(angle) if size % 2 else np.tan(angle))
    return np.where(whole, 1.0, np.sin(size * angle) / (size * below))


def bspline_basis(position: np.ndarray, size: int) -> np.ndarray:
    """The four cubic B-splines that reach each position, mirrored about the outermost knots."""
    taps = np.floor(position).astype(int)[:, None] + np.arange(-1, 3)
    x = np.abs(position[:, None] - taps)
    weights = np.where(x < 1, (4 - 6 * x**2 + 3 * x**3) / 6, np.clip(2 - x, 0, None) ** 3 / 6)
    mirrored = (size - 1) - np.abs((size - 1) - np.abs(taps))
    return kernel_matrix(weights, mirrored, size, "nearest")


METHODS: dict[str, Callable[[int, np.ndarray], np.ndarray]] = {
    "nearest": nearest,
    "linear": linear,
    "bicubic": bicubic,
    "bspline": bspline,
    "sinc": sinc,
}


def matrix_at(method: str, size: int, position: np.ndarray) -> np.ndarray:
    """The operator of a method at any positions: (rows, size) float32. Raises InputError for an unknown method."""
    if method not in METHODS:
        raise unknown("interpolation method", method, METHODS)
    return METHODS[method](size, position).astype(np.float32)


@lru_cache(maxsize=64)
def matrix(method: str, size: int, outputs: int) -> np.ndarray:
    """The operator from `size` voxels to `outputs` over the same field of view: (outputs, size) float32, kept.

    Raises InputError for an unknown method.
    """
    return matrix_at(method, size, sample_positions(outputs, size / outputs))
