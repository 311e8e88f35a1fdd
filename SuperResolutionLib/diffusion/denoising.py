"""Removing noise from a series of volumes by its principal components (MP-PCA; Veraart et al. 2016, NeuroImage 142).

In a small window of space the volumes of a series are few signals and much noise. The eigenvalues of noise alone fill a
known interval (Marchenko and Pastur 1967); the components whose eigenvalues lie there are left out. Windows overlap,
and each counts the more, the fewer components it kept (Manjon et al. 2013).
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

WINDOW = 5  # voxels along each axis
STEP = 2  # voxels from one window to the next
FEWEST = 6  # volumes from which noise can be told


class Denoiser:
    """A series without its noise, slice by slice; one slice alone is the same as in the whole.

    stacks: the slices (n, h, w) of each volume. step: voxels from one window to the next, 1 for the published method.
    """

    def __init__(self, stacks: Sequence[np.ndarray], step: int = STEP) -> None:
        self.stacks, self.step = stacks, step
        self._layer = lru_cache(maxsize=WINDOW // step + 2)(self._layer_from)

    def slice(self, k: int) -> np.ndarray:
        """Slice k of every volume, (t, h, w) float32."""
        count = len(self.stacks[0])
        firsts = [first for first in _firsts(count, self.step) if first <= k < first + WINDOW]
        layers = [(k - first, *self._layer(first)) for first in firsts]
        total: np.ndarray = np.sum([made[:, place] for place, made, _ in layers], axis=0)
        return total / np.sum([weight[place] for place, _, weight in layers], axis=0)

    def _layer_from(self, first: int) -> tuple[np.ndarray, np.ndarray]:
        """The windows that begin at a slice: weighted sums (t, slices, h, w), and their weights (slices, h, w)."""
        slab = np.stack([stack[first : first + WINDOW] for stack in self.stacks]).astype(np.float32)
        total, weights = np.zeros_like(slab), np.zeros_like(slab[0])
        rows, columns = (_firsts(size, self.step) for size in slab.shape[2:])
        for row in rows:
            strip = slab[:, :, row : row + WINDOW]
            windows = np.stack([strip[..., column : column + WINDOW] for column in columns])
            cleared, weight = _cleared(windows.reshape(*windows.shape[:2], -1))
            for made, one, column in zip(cleared, weight, columns, strict=True):
                where = (slice(None), slice(row, row + WINDOW), slice(column, column + WINDOW))
                total[:, *where] += one * made.reshape(windows.shape[1:])
                weights[where] += one
        return total, weights


def _firsts(size: int, step: int) -> list[int]:
    """Where windows begin along an axis: every few voxels, and so that the last one ends with the axis."""
    last = max(size - WINDOW, 0)
    return sorted({*range(0, last, step), last})


def _cleared(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Windows (m, t, voxels) without the components of noise, and how much each counts (m,)."""
    means = windows.mean(axis=2, keepdims=True)
    centred = (windows - means).astype(np.float64)
    voxels = centred.shape[2]
    wide = centred.shape[1] > voxels  # then the components over voxels are fewer, and the same
    series = centred.swapaxes(1, 2) if wide else centred
    values, vectors = np.linalg.eigh(series @ series.swapaxes(1, 2) / voxels)
    noisy = _noisy(values, voxels)
    count = values.shape[1]
    vectors = vectors * (np.arange(count) >= noisy[:, None])[:, None]
    kept = vectors @ (vectors.swapaxes(1, 2) @ series)
    cleared = (kept.swapaxes(1, 2) if wide else kept) + means
    return cleared.astype(np.float32), (1 / (1 + count - noisy)).astype(np.float32)


def _noisy(values: np.ndarray, voxels: int) -> np.ndarray:
    """How many of the eigenvalues (m, t), rising, are those of noise, (m,)."""
    beyond = max(values.shape[1] - (voxels - 1), 0)  # of more volumes than voxels the first are zero
    values = np.maximum(values[:, beyond:], 0)  # rounding makes some of them negative
    counts = np.arange(1, values.shape[1] + 1)
    variances = np.cumsum(values, axis=1) / counts
    as_noise = values - values[:, :1] <= 4 * np.sqrt(counts / voxels) * variances
    return beyond + values.shape[1] - np.argmax(as_noise[:, ::-1], axis=1)
