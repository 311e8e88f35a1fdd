"""Does the sharper volume still agree with the scan? Degrade it again, or slice it, and compare."""

import numpy as np

from SuperResolutionLib.geometry.grid import stacking_axis, stacks
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.intensity import Normalisation
from SuperResolutionLib.physics.agreement import measured_from
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.forward_models import Degradation
from SuperResolutionLib.physics.kernels import apply_through
from SuperResolutionLib.physics.slice_profile import Slices
from SuperResolutionLib.quality.metrics import score
from SuperResolutionLib.volume import Volume


def agreement(low: Volume, enhanced: Volume, degradation: str | Degradation) -> float:
    """PSNR (dB, whole) of the enhanced volume, degraded again onto the scan's grid, against the scan.

    low: the scan. enhanced: what was made of it, on any finer grid over the same field of view.
    """
    x, y, z = (fine / coarse for fine, coarse in zip(enhanced.size, low.size, strict=True))
    again = degrade(_raised(enhanced, low).cast(np.float32), degradation, sampling=Sampling(factors=(x, y, z)))
    return score(_raised(low, low), again, stacking_axis(low), with_ssim=False).psnr


def as_slices(restored: Volume, low: Volume, grids: Grids, slices: Slices) -> Volume:
    """Thin slices made thick again, on the grid of the scan that they were made of; float32.

    restored: one volume on the wanted grid. low: the scan. grids: from one to the other. slices: of the scan.
    """
    rows, axis = grids.wanted.size[grids.axis], grids.axis
    forward = slices.matrix(rows, grids.wanted.spacing[axis], grids.given.size[axis]).astype(np.float32)
    result = low.with_voxels(np.empty(low.voxels.shape, np.float32))
    for fine, thick in zip(stacks(restored, axis), stacks(result, axis), strict=True):
        thick[...] = apply_through(forward, fine)
    return result


def _raised(volume: Volume, scan: Volume) -> Volume:
    """A volume from where the scan's magnitudes are taken."""
    levels = measured_from(scan)
    if volume.voxels.ndim == 3:
        return volume.with_voxels(Normalisation(levels[0]).above(volume.voxels))
    pairs = zip(volume.voxels, levels, strict=True)
    return volume.with_voxels(np.stack([Normalisation(level).above(voxels) for voxels, level in pairs]))
