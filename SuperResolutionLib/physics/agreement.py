"""Does the sharper volume still agree with the scan? Degrade it again and compare; or make it agree exactly.

For k-space truncation the scanner measured the centre of k-space. A network may fill in what lies outside; it
has no business changing the inside. The projection puts the measured centre back and keeps the rest. Where the
forward model is exact and free of noise, this cannot raise the squared error: the truth lies in the set that
is projected onto.
"""

from functools import lru_cache

import numpy as np

from SuperResolutionLib.geometry.grid import anatomical_plane, map_slices, stacking_axis, stacks
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.forward_models import Degradation, KSpace, operator
from SuperResolutionLib.quality.metrics import score
from SuperResolutionLib.volume import Volume, signal_only

ITERATIONS = 12  # the unpaired Nyquist sample halves its error each time, the phase settles faster


def agreement(low: Volume, enhanced: Volume, degradation: str | Degradation, scale: int, plane: str) -> float:
    """PSNR (dB, whole) of the enhanced volume, degraded again, against the scan it was made from."""
    axis = stacking_axis(low, plane)
    again = degrade(enhanced.cast(np.float32), degradation, scale, anatomical_plane(low, plane))
    return score(low, again, axis, with_ssim=False).psnr


def consistent(low: Volume, enhanced: Volume, scale: int, plane: str = "native") -> Volume:
    """The enhanced volume with the scan's own k-space centre put back: truncated again, it gives the scan.

    low: the scan. enhanced: on the refined grid of `low`. Keeps the voxel type of `enhanced`.
    Raises InputError for tensors, which have no k-space.
    """
    signal_only(low, "made consistent with its k-space")
    axis = stacking_axis(low, plane)
    sources = iter(stacks(low, axis))

    def project(fine: np.ndarray) -> np.ndarray:
        pairs = zip(fine.astype(np.float32), next(sources), strict=True)
        return np.stack([projected(f, c, KSpace(), scale, ITERATIONS) for f, c in pairs])

    return map_slices(enhanced, axis, 1, project)


def seen(fine: np.ndarray, model: Degradation, scale: int) -> np.ndarray:
    """Slices (..., s h, s w) as the scanner sees them, (..., h, w); complex for k-space."""
    rows, columns = (operator(model, n, scale) for n in fine.shape[-2:])
    if np.iscomplexobj(rows) and not np.iscomplexobj(fine):
        return (rows.real @ fine + 1j * (rows.imag @ fine)) @ columns.T  # half the work of a complex product
    return rows @ fine @ columns.T


def projected(
    fine: np.ndarray, coarse: np.ndarray, model: Degradation, scale: int, iterations: int, small: float = 0.0
) -> np.ndarray:
    """Slices (..., s h, s w) moved the least distance so that the model gives `coarse` (..., h, w).

    iterations: for the phase of k-space, of which a scanner gives the magnitude. small: singular values of the model
    far below this share of the largest are not inverted: they would raise noise.
    """
    for _ in range(iterations):
        now = seen(fine, model, scale)
        if not np.iscomplexobj(now):
            return fine + _back(coarse - now, model, fine.shape, scale, small)
        phase = np.exp(1j * np.angle(now)).astype(np.complex64)
        fine = fine + _back(coarse * phase - now, model, fine.shape, scale, small)
    return fine


def unseen(fine: np.ndarray, model: Degradation, scale: int, small: float = 0.0) -> np.ndarray:
    """The part of slices that the model takes away."""
    return fine - _back(seen(fine, model, scale), model, fine.shape, scale, small)


def _back(coarse: np.ndarray, model: Degradation, shape: tuple[int, ...], scale: int, small: float) -> np.ndarray:
    rows, columns = (_inverse(model, n, scale, small) for n in shape[-2:])
    wide = rows @ coarse
    fine = wide.real @ columns.real.T
    if np.iscomplexobj(wide):
        fine -= wide.imag @ columns.imag.T
    return fine.astype(np.float32, copy=False)


@lru_cache(maxsize=64)
def _inverse(model: Degradation, size: int, scale: int, small: float) -> np.ndarray:
    """The pseudo-inverse of a model along one axis, damped (Tikhonov) where its singular values are small."""
    left, values, right = np.linalg.svd(operator(model, size, scale), full_matrices=False)
    damped = values / (values**2 + (small * values[0]) ** 2)
    inverse: np.ndarray = (right.conj().T * damped) @ left.conj().T
    return inverse
