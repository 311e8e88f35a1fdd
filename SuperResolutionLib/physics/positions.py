"""Where wanted rows lie between thick slices, and the classical methods at any such position.

Positions count slices: 0 is the centre of the first, 0.5 the border to the second. A ratio need not be whole.
"""

from collections.abc import Callable

import numpy as np

from SuperResolutionLib.errors import unknown
from SuperResolutionLib.interpolation import bspline_basis
from SuperResolutionLib.separable import cubic, kernel_matrix

_PAD = 12  # edge voxels repeated before the B-spline's prefilter


def positions(rows: int, wanted: float, spacing: float) -> np.ndarray:
    """Positions of `rows` rows `wanted` mm apart between slices `spacing` mm apart, from the same edge; (rows,)."""
    return (np.arange(rows) + 0.5) * wanted / spacing - 0.5


def nearest(size: int, position: np.ndarray) -> np.ndarray:
    """The slice that each position lies in: (rows, size)."""
    return np.eye(size)[np.clip(np.rint(position).astype(int), 0, size - 1)]


def linear(size: int, position: np.ndarray) -> np.ndarray:
    """Weights by distance to the two neighbours; edge slices repeated: (rows, size)."""
    left = np.floor(position).astype(int)
    right = position - left
    return kernel_matrix(np.stack([1 - right, right], 1), left[:, None] + np.arange(2), size, "nearest")


def bicubic(size: int, position: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution with a = -0.75, as image libraries have it; edge slices repeated: (rows, size)."""
    taps = np.floor(position).astype(int)[:, None] + np.arange(-1, 3)
    return kernel_matrix(cubic(position[:, None] - taps, -0.75), taps, size, "nearest")


def bspline(size: int, position: np.ndarray) -> np.ndarray:
    """The interpolating cubic B-spline (Unser 1993), edge slices repeated 12 times before: (rows, size)."""
    knots = size + 2 * _PAD
    repeat_edges = kernel_matrix(np.ones((knots, 1)), np.arange(-_PAD, size + _PAD)[:, None], size, "nearest")
    coefficients = np.linalg.solve(bspline_basis(np.arange(knots, dtype=float), knots), repeat_edges)
    return bspline_basis(position + _PAD, knots) @ coefficients


def sinc(size: int, position: np.ndarray) -> np.ndarray:
    """Zero-filled k-space: the periodic sinc, Nyquist split evenly so that the result is real: (rows, size)."""
    k = np.fft.fftfreq(size, 1 / size)
    distance = position[:, None] - np.arange(size)
    return np.cos(2 * np.pi * k * distance[..., None] / size).mean(axis=-1)


METHODS: dict[str, Callable[[int, np.ndarray], np.ndarray]] = {
    "nearest": nearest,
    "linear": linear,
    "bicubic": bicubic,
    "bspline": bspline,
    "sinc": sinc,
}


def matrix(method: str, size: int, position: np.ndarray) -> np.ndarray:
    """The operator of a method along the slice axis: (rows, size) float32. Raises InputError for an unknown one."""
    if method not in METHODS:
        raise unknown("interpolation method", method, METHODS)
    return METHODS[method](size, position).astype(np.float32)
