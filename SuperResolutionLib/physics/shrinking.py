"""How a fine line of voxels becomes a coarse one: filters, blur and truncation, one matrix an axis.

A line of `size` voxels becomes one of `outputs` over the same field of view; their ratio may be any real number.
"""

from collections.abc import Callable

import numpy as np

from SuperResolutionLib.physics.kernels import cubic, kernel_matrix, sample_positions


def coarse_size(size: int, scale: float) -> int:
    """How many voxels `scale` times as large are nearest to the field of view of `size` voxels; at least one."""
    return max(1, round(size / scale))


def bicubic_matrix(size: int, outputs: int) -> np.ndarray:
    """Antialiased bicubic shrinking, a = -0.5: the kernel widened by the ratio (as PIL and MATLAB do)."""
    scale = size / outputs
    position = sample_positions(outputs, scale)
    reach = int(np.ceil(2 * scale))
    taps = np.floor(position).astype(int)[:, None] + np.arange(1 - reach, 1 + reach)
    return kernel_matrix(cubic((position[:, None] - taps) / scale, -0.5), taps, size, "drop")


def area_matrix(size: int, outputs: int) -> np.ndarray:
    """The mean over each coarse voxel; a fine voxel on the border of two counts for each by its share."""
    edges = np.arange(outputs + 1) * (size / outputs)
    fine = np.arange(size)
    overlap = np.minimum(edges[1:, None], fine + 1) - np.maximum(edges[:-1, None], fine)
    matrix: np.ndarray = np.clip(overlap, 0, None) * (outputs / size)
    return matrix


def gaussian_matrix(size: int, sigma: float) -> np.ndarray:
    """Convolution with a centred Gaussian, edge voxels repeated. sigma in voxels; cut at 4 sigma."""
    radius = max(1, int(4 * sigma + 0.5))
    return convolution(size, np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2))


def convolution(size: int, kernel: np.ndarray) -> np.ndarray:
    """Convolution with a symmetric kernel of odd length, edge voxels repeated: (size, size)."""
    radius = len(kernel) // 2
    taps = np.arange(size)[:, None] + np.arange(-radius, radius + 1)
    return kernel_matrix(np.broadcast_to(kernel / kernel.sum(), taps.shape), taps, size, "nearest")


def frequencies(count: int) -> np.ndarray:
    """The `count` samples in the middle of k-space, in cycles over the field of view."""
    return np.arange(count) - count // 2


def k_space_transforms(size: int, outputs: int, kept: int) -> tuple[np.ndarray, np.ndarray]:
    """From `size` voxels to the central `kept` samples of k-space, and from these to `outputs` voxels.

    Neither is divided by `size`; one of them has to be. The inverse transform is taken at the centres of the output
    voxels (the half-voxel phase ramp). Complex.
    """
    k, centres = frequencies(kept), sample_positions(outputs, size / outputs)
    there = np.exp(-2j * np.pi * np.outer(k, np.arange(size)) / size)
    back = np.exp(2j * np.pi * np.outer(centres, k) / size)
    return there, back


def k_space_matrix(size: int, outputs: int, kept: int, window: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Keep the central `kept` samples of k-space, weight them, and transform back onto `outputs` voxels.

    window: weight as a function of |k| / (kept / 2), from 0 at the centre to 1 at the edge. Complex: the unpaired
    Nyquist sample of an even truncation leaves a phase, which the magnitude removes as on a scanner.
    size: of the given voxels.
    """
    weights = window(np.abs(frequencies(kept)) / (kept / 2))
    there, back = k_space_transforms(size, outputs, kept)
    return (back * weights) @ there / size
