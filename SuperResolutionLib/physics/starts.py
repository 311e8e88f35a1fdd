"""The classical results that a network for thick slices starts from, as matrices along the slice axis."""

import numpy as np

from SuperResolutionLib.physics.interpolating import bspline, positions
from SuperResolutionLib.physics.slice_profile import Slices, deconvolution

# Deconvolutions that are offered beside the B-spline: a profile, and the weight of the second differences.
OFFERS = (("gaussian", 3e-3), ("box", 3e-2))


def starts(slices: Slices, count: int, rows: int, wanted: float, offers: int = len(OFFERS)) -> np.ndarray:
    """The B-spline and the first `offers` deconvolutions: (1 + offers, rows, count) float32.

    slices: spacing and thickness as they are believed to be; the profile is not believed. count: how many slices.
    rows: how many rows, `wanted` mm apart from the same edge.
    """
    spline = bspline(count, positions(rows, wanted, slices.spacing))
    believed = [(Slices(slices.spacing, slices.thickness, profile), weight) for profile, weight in OFFERS[:offers]]
    sharp = [deconvolution(one, rows, wanted, weight, count) for one, weight in believed]
    return np.stack([spline, *sharp]).astype(np.float32)
