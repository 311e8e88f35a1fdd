"""Networks that work on the fine grid: their slices are interpolated first, on geometry's grid."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.physics.interpolating import bicubic
from SuperResolutionLib.physics.kernels import kernel_matrix, sample_positions

SINC_REACH = 12  # coarse voxels on each side; on a training scan at x2 0.10 dB below zero-filling (8: 0.17, 16: 0.06)
KAISER_BETA = 3.0


def windowed_sinc(size: int, position: np.ndarray) -> np.ndarray:
    """Zero-filled k-space, but local: a sinc under a Kaiser window, edge voxels repeated: (positions, size).

    Zero-filling itself sees the whole slice, and wraps around: a patch or a tile would come out otherwise than the
    slice it is cut from.
    """
    taps = np.floor(position).astype(int)[:, None] + np.arange(1 - SINC_REACH, 1 + SINC_REACH)
    distance = position[:, None] - taps
    window = np.i0(KAISER_BETA * np.sqrt(np.clip(1 - (distance / SINC_REACH) ** 2, 0, None)))
    weights = np.sinc(distance) * window
    return kernel_matrix(weights / weights.sum(axis=1, keepdims=True), taps, size, "nearest")


class Method(NamedTuple):
    """An interpolation: its matrix along one axis, and how many coarse voxels it takes on each side."""

    matrix: Callable[[int, np.ndarray], np.ndarray]
    reach: int


METHODS = {"bicubic": Method(bicubic, 2), "windowed_sinc": Method(windowed_sinc, SINC_REACH)}


@lru_cache(maxsize=16)
def matrix(method: str, size: int, scale: int) -> np.ndarray:
    """A method's operator along one axis: (scale x size, size) float64."""
    return METHODS[method].matrix(size, sample_positions(scale * size, 1 / scale))


class OnFineGrid(nn.Module):
    """network(every slice interpolated by `method`): (n, c, h, w) -> (n, 1, scale h, scale w).

    network: one that keeps the matrix. The interpolation is done in float32 at least, whatever the precision of the
    network. Raises InputError for an unknown method, or a scale that is not 1 or more.
    """

    def __init__(self, network: nn.Module, scale: int, method: str) -> None:
        super().__init__()
        if method not in METHODS:
            raise unknown("interpolation before a network", method, METHODS)
        if not isinstance(scale, int) or scale < 1:
            raise InputError(f"A scale of {scale!r} brings no slice onto a finer grid; give a whole number, 1 or more.")
        self.network = network
        self.scale = scale
        self.method = method

    @property
    def tail(self) -> nn.Module:
        """The last convolution of the network."""
        return self.network.tail  # type: ignore[return-value]

    @property
    def radius(self) -> int:
        """How far, in coarse voxels, an output voxel can see: what the network sees, and the interpolation there."""
        fine = int(self.network.radius)  # type: ignore[arg-type]
        if self.scale == 1:
            return fine
        return (2 * fine + self.scale - 1) // (2 * self.scale) + METHODS[self.method].reach

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.network(refine(x, self.scale, self.method))
        return result


def refine(x: torch.Tensor, scale: int, method: str) -> torch.Tensor:
    """Interpolate every slice: (n, c, h, w) -> (n, c, scale h, scale w), of the type of x."""
    if scale == 1:
        return x
    kind = torch.promote_types(x.dtype, torch.float32)
    rows, columns = (torch.from_numpy(matrix(method, n, scale)).to(kind).to(x.device) for n in x.shape[2:])
    with torch.autocast(x.device.type, enabled=False):
        return (rows @ x.to(kind) @ columns.T).to(x.dtype)
