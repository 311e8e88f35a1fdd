"""What a forward model shows of a fine slice, and the nearest fine slice that shows a given coarse one.

A coarse slice y = D x fixes a part of the fine slice x; the rest, the null space of D, is free. A network may fill in
what is free; it has no business changing what was measured. Where the forward model is exact and free of noise, moving
a slice to where D gives the scan cannot raise the squared error: the truth lies in the set that is projected onto.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from SuperResolutionLib.physics.forward_models import Degradation, operator


@dataclass(frozen=True)
class Projection:
    """How measured values are put back.

    iterations: for the phase of k-space, of which a scanner gives the magnitude. small: singular values of the model
    far below this share of the largest are not inverted: they would raise noise.
    """

    iterations: int
    small: float


def apply_forward(fine: np.ndarray, model: Degradation, shape: tuple[int, ...]) -> np.ndarray:
    """Fine slices (..., H, W) as the scanner sees them, (..., h, w) as in `shape`; complex for k-space."""
    rows, columns = (operator(model, n, m) for n, m in zip(fine.shape[-2:], shape[-2:], strict=True))
    if np.iscomplexobj(rows) and not np.iscomplexobj(fine):
        return (rows.real @ fine + 1j * (rows.imag @ fine)) @ columns.T  # half the work of a complex product
    return rows @ fine @ columns.T


def projected(fine: np.ndarray, coarse: np.ndarray, model: Degradation, how: Projection) -> np.ndarray:
    """Fine slices (..., H, W) moved the least distance so that the model gives `coarse` (..., h, w).

    fine: slices of range 1. model: the forward model. how: the constants of the projection.
    """
    for _ in range(how.iterations):
        now = apply_forward(fine, model, coarse.shape)
        if not np.iscomplexobj(now):
            return fine + spread_back(coarse - now, model, fine.shape, how.small)
        phase = np.exp(1j * np.angle(now)).astype(np.complex64)
        fine = fine + spread_back(coarse * phase - now, model, fine.shape, how.small)
    return fine


def null_space(fine: np.ndarray, model: Degradation, shape: tuple[int, ...], small: float = 0.0) -> np.ndarray:
    """The part of fine slices (..., H, W) that the model takes away when it makes (..., h, w) of them.

    shape: of the coarse slices. small: what counts as no measurement, as a share of the largest.
    """
    return fine - spread_back(apply_forward(fine, model, shape), model, fine.shape, small)


def spread_back(coarse: np.ndarray, model: Degradation, shape: tuple[int, ...], small: float = 0.0) -> np.ndarray:
    """The least fine slices (..., H, W) of which the model makes coarse ones (..., h, w); float32.

    shape: of the fine slices. small: what counts as no measurement, as a share of the largest.
    """
    rows, columns = (_inverse(model, n, m, small) for n, m in zip(shape[-2:], coarse.shape[-2:], strict=True))
    wide = rows @ coarse
    fine = wide.real @ columns.real.T
    if np.iscomplexobj(wide):
        fine -= wide.imag @ columns.imag.T
    return fine.astype(np.float32, copy=False)


@lru_cache(maxsize=64)
def _inverse(model: Degradation, size: int, outputs: int, small: float) -> np.ndarray:
    """The pseudo-inverse of a model along one axis, damped (Tikhonov) where its singular values are small."""
    left, values, right = np.linalg.svd(operator(model, size, outputs), full_matrices=False)
    damped = values / (values**2 + (small * values[0]) ** 2)
    inverse: np.ndarray = (right.conj().T * damped) @ left.conj().T
    return inverse
