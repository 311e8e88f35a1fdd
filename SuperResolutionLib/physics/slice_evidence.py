"""Are slices as thick as their header says? A stack of them against stacks that its own plane would give.

Anatomy is about equally fine in all directions. So the sharp in-plane axes of a scan, sliced by the forward model, show
how much neighbouring slices of the stated thickness differ. Where the real ones differ much less, they are thicker than
stated, or were interpolated. The reverse says nothing: gaps, noise and sharp profiles make slices differ more.
"""

import numpy as np

from SuperResolutionLib.intensity import noise
from SuperResolutionLib.physics.kernels import apply_through
from SuperResolutionLib.physics.slice_profile import Slices

SHOWN = 0.1  # of the 99.9th percentile: above it lies what is compared
LEAST = 200  # voxels of it, below which nothing is said
FEW = 8  # slices, real or simulated, below which nothing is said
THICK = 1.5  # pixels: slices that are nearer cannot be simulated from the plane
THICKER = 1.4  # times the stated thickness, which scans with a true header never seemed to reach
OUTER = 8  # of height and width the outermost eighths, where there is air and coils fade, are left out


def smoother(stack: np.ndarray, slices: Slices, pixels: tuple[float, float], times: float = THICKER) -> bool:
    """Whether a stack (n, h, w) is smoother along its axis than slices `times` as thick as is stated would be.

    slices: as the header states them. pixels: mm along rows of voxels (h) and columns (w). Both in-plane axes must say
    so. False where too little is in view to tell.
    """
    h, w = stack.shape[1:]
    inner = stack[:, h // OUTER : h - h // OUTER, w // OUTER : w - w // OUTER].astype(np.float32)
    if len(inner) < FEW or slices.spacing < THICK * max(pixels):
        return False
    supposed = Slices(slices.spacing, times * slices.thickness)
    return all(_smoother_than(inner, axis, slices, supposed, pixels) for axis in (1, 2))


def _smoother_than(stack: np.ndarray, axis: int, slices: Slices, supposed: Slices, pixels: tuple[float, float]) -> bool:
    """Against slices cut along one in-plane axis; the other one is blurred to the thickness in the real stack, so that
    both stacks have one sharp and one thick axis within their slices.
    """
    beside, variance = 3 - axis, noise(stack) ** 2
    blur = Slices(slices.thickness / 2, slices.thickness).matrix(stack.shape[beside], pixels[beside - 1])
    cut = supposed.matrix(stack.shape[axis], pixels[axis - 1])
    if min(len(blur), len(cut)) < FEW:
        return False
    real = _bend(_along(blur, stack, beside), blur, variance)
    expected = _bend(np.moveaxis(_along(cut, stack, axis), axis, 0), cut, variance)
    return real is not None and expected is not None and real < expected


def _along(matrix: np.ndarray, stack: np.ndarray, axis: int) -> np.ndarray:
    """A matrix applied along one axis of a stack."""
    turned = np.ascontiguousarray(np.moveaxis(stack, axis, 0))
    return np.moveaxis(apply_through(matrix.astype(np.float32), turned), 0, axis)


def _bend(stack: np.ndarray, averaged: np.ndarray, variance: float) -> float | None:
    """Second differences over first ones between slices (mean squares, without noise): the smoother, the smaller.

    averaged: the matrix that has averaged noise of this variance. None where too little is in view.
    """
    shown = stack > SHOWN * np.percentile(stack, 99.9)
    left = variance * float((averaged**2).sum(axis=1).mean())
    pairs, threes = shown[1:] & shown[:-1], shown[2:] & shown[1:-1] & shown[:-2]
    if threes.sum() < LEAST:
        return None
    first = float(np.mean(np.diff(stack, axis=0)[pairs].astype(np.float64) ** 2)) - 2 * left
    second = float(np.mean(np.diff(stack, n=2, axis=0)[threes].astype(np.float64) ** 2)) - 6 * left
    return second / first if first > 0 else None
