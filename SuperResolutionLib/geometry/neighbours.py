"""A slice and its neighbours: what a 2.5-D network is given."""

import numpy as np


def neighbours(k: int | np.ndarray, count: int, channels: int) -> np.ndarray:
    """Indices of `channels` slices around slice k, the middle one being k; the end slices are repeated.

    k: one index -> (channels,); several (n,) -> (n, channels).
    """
    offsets = np.arange(channels) - channels // 2
    return np.clip(np.asarray(k)[..., None] + offsets, 0, count - 1)
