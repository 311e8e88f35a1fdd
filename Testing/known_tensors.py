"""Diffusion series whose tensors are known exactly."""

import numpy as np

from SuperResolutionLib.volume import Gradients, Volume


def directions(count: int) -> np.ndarray:
    """Unit vectors spread over the half sphere: (count, 3)."""
    height = (np.arange(count) + 0.5) / count
    angle = np.arange(count) * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), height], 1)


def tensors(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """Symmetric positive matrices in LPS: (z, y, x, 3, 3), eigenvalues 0.3 to 2.0e-3 mm2/s."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(*shape, 3, 3)))[0]
    values = rng.uniform(0.3e-3, 2e-3, (*shape, 3))
    return np.einsum("...ij,...j,...kj->...ik", axes, values, axes)


def series(true: np.ndarray, count: int = 12, b: float = 1000.0, s0: float | np.ndarray = 800.0) -> Volume:
    """The signals of tensors, b0 first: float64, on an oblique left-handed grid."""
    bvecs = np.concatenate([np.zeros((1, 3)), directions(count)])
    bvals = np.concatenate([[0.0], np.full(count, b)])
    exponents = bvals[:, None, None, None] * np.einsum("ti,zyxij,tj->tzyx", bvecs, true, bvecs)
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
    direction = turn * (-np.sign(np.linalg.det(turn)), 1, 1)
    return Volume(s0 * np.exp(-exponents), (2.0, 2.0, 3.0), (5.0, -7.0, 9.0), direction, Gradients(bvals, bvecs))


def head(size: int = 24, depth: int = 6) -> tuple[Volume, np.ndarray]:
    """A series of a head: white matter (FA 0.7) in grey (FA 0), fluid in the middle; and its true tensors."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (depth, size, size)), indexing="ij")
    radius = np.hypot(x, y)
    true = np.broadcast_to(0.8e-3 * np.eye(3), (*radius.shape, 3, 3)).copy()
    true[(radius > 0.35) & (radius < 0.6)] = np.diag([1.5e-3, 0.4e-3, 0.4e-3])
    true[radius < 0.3] = 3e-3 * np.eye(3)
    bright = np.where(radius < 0.9, 700 + 50 * np.cos(3 * x) * np.cos(2 * y) + 20 * z, 2.0)
    return series(true, s0=bright), true


def shelled(bvals: tuple[float, ...] = (1000.0, 2500.0), count: int = 20, s0: np.ndarray | None = None) -> Volume:
    """The head as a series of several shells, b0 first: half of the water 1.5, half 0.5 times as fast as its tensor.

    Of such water the kurtosis is 0.75 in every direction, 3 times the variance of diffusivity by its mean squared.
    count: directions of each shell. s0: signal of b0 in every voxel; by default the head's.
    """
    about, true = head()
    bright = about.voxels[0] if s0 is None else s0
    parts = [[series(speed * true, count, b, bright) for b in bvals] for speed in (0.5, 1.5)]
    mixed = [(slow.voxels + fast.voxels) / 2 for slow, fast in zip(*parts, strict=True)]
    gradients = [one.gradients for one in parts[0]]
    voxels = np.concatenate([mixed[0][:1], *(one[1:] for one in mixed)])
    return Volume(
        voxels,
        about.spacing,
        about.origin,
        about.direction,
        Gradients(
            np.concatenate([[0.0], *(one.bvals[1:] for one in gradients)]),
            np.concatenate([np.zeros((1, 3)), *(one.bvecs[1:] for one in gradients)]),
        ),
    )
