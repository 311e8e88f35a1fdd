"""Does the sharper volume still agree with the scan? Degrade it again and compare; or make it agree exactly.

For k-space truncation the scanner measured the centre of k-space. A network may fill in what lies outside; it
has no business changing the inside. The projection puts the measured centre back and keeps the rest. Where the
forward model is exact and free of noise, this cannot raise the squared error: the truth lies in the set that
is projected onto.
"""

import numpy as np

from SuperResolutionLib.degradation import Degradation, KSpace, degrade, operator
from SuperResolutionLib.geometry import anatomical_plane, map_slices, stacking_axis, stacks
from SuperResolutionLib.metrics import score
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
        return np.stack([project_slice(f, c, scale) for f, c in zip(fine, next(sources), strict=True)])

    return map_slices(enhanced, axis, 1, project)


def project_slice(fine: np.ndarray, coarse: np.ndarray, scale: int) -> np.ndarray:
    """Move a slice (s h, s w) the least distance so that truncating its k-space gives `coarse` (h, w)."""
    rows, columns = (operator(KSpace(), n, scale) for n in fine.shape)
    # The rows of a truncation are orthogonal: its pseudo-inverse is s times its conjugate transpose.
    back_rows, back_columns = rows.conj().T * scale, columns.conj().T * scale
    fine = fine.astype(np.float32)
    for _ in range(ITERATIONS):
        seen = rows @ fine @ columns.T
        wanted = coarse * np.exp(1j * np.angle(seen)).astype(np.complex64)
        fine = fine + (back_rows @ (wanted - seen) @ back_columns.T).real
    return fine
