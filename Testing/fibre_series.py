"""A small diffusion series with noise."""

import numpy as np
from known_tensors import series, tensors

from SuperResolutionLib.volume import Volume


def fibres(sigma: float = 30.0) -> Volume:
    """Twelve weighted volumes and their b0 images, int16, with noise of a standard deviation in the same units."""
    clean = series(tensors((4, 12, 10)))
    noise = sigma * np.random.default_rng(5).standard_normal(clean.voxels.shape)
    return clean.with_voxels(np.abs(clean.voxels + noise)).cast(np.int16)
