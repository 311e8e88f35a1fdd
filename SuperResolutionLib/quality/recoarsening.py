"""Does the sharper volume still agree with the scan? Degrade it again and compare."""

import numpy as np

from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import Normalisation
from SuperResolutionLib.physics.agreement import measured_from
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.forward_models import Degradation
from SuperResolutionLib.quality.metrics import score
from SuperResolutionLib.volume import Volume


def agreement(low: Volume, enhanced: Volume, degradation: str | Degradation) -> float:
    """PSNR (dB, whole) of the enhanced volume, degraded again onto the scan's grid, against the scan.

    low: the scan. enhanced: what was made of it, on any finer grid over the same field of view.
    """
    x, y, z = (fine / coarse for fine, coarse in zip(enhanced.size, low.size, strict=True))
    again = degrade(_raised(enhanced, low).cast(np.float32), degradation, sampling=Sampling(factors=(x, y, z)))
    return score(_raised(low, low), again, stacking_axis(low), with_ssim=False).psnr


def _raised(volume: Volume, scan: Volume) -> Volume:
    """A volume from where the scan's magnitudes are taken."""
    levels = measured_from(scan)
    if volume.voxels.ndim == 3:
        return volume.with_voxels(Normalisation(levels[0]).above(volume.voxels))
    pairs = zip(volume.voxels, levels, strict=True)
    return volume.with_voxels(np.stack([Normalisation(level).above(voxels) for voxels, level in pairs]))
