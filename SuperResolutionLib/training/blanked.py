"""Where a face was cut away: a straight edge to exact zeros that is no anatomy, and that nothing is learnt from."""

import numpy as np


def blanked(voxels: np.ndarray, margin: int) -> np.ndarray:
    """The largest connected region of exact zeros, grown by `margin` voxels: bool, the volume's shape (z, y, x)."""
    from scipy import ndimage

    regions, _ = ndimage.label(voxels == 0)
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    grown: np.ndarray = ndimage.binary_dilation(regions == sizes.argmax(), iterations=margin)
    return grown
