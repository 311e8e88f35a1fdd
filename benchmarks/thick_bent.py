"""The model for a finer plane, bent to thick slices by hand: what could be had without a network for them.

Reformats are taken for slices and made four times as fine in both directions; what is too fine along the columns is
removed in k-space, and the slices by the header's thickness are put back.
"""

import numpy as np

from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.methods.network import NetworkMethod
from SuperResolutionLib.physics.agreement import soft_inverse
from SuperResolutionLib.physics.shrinking import k_space_matrix
from SuperResolutionLib.physics.slice_profile import Slices
from SuperResolutionLib.progress import finish
from SuperResolutionLib.volume import Volume

MODEL, SCALE = "mri-x4", 4
WEIGHT = 0.1  # of putting back, as `physics.agreement` takes it without noise


def bent(thick: np.ndarray, slices: Slices, voxel: float) -> np.ndarray:
    """Reformats (n, slices, columns) with four times as many rows, `voxel` mm apart: (n, 4 slices, columns)."""
    method = NetworkMethod(zoo.load(MODEL), put_back="none")
    fine = finish(method.restore(Volume(thick), Sampling(factor=SCALE, plane="axial"), Runtime())).volume.voxels
    columns = thick.shape[2]
    narrow = fine @ k_space_matrix(SCALE * columns, columns, columns, np.ones_like).real.T.astype(np.float32)
    forward = slices.matrix(fine.shape[1], voxel, thick.shape[1])
    return narrow + soft_inverse(forward, WEIGHT).astype(np.float32) @ (thick - forward.astype(np.float32) @ narrow)
