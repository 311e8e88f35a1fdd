"""Which part of slices shows a head: the rest is air, and is interpolated, not restored.

A network takes as long for air as for a head, and of noise there it makes a smoothness that the scan does not have.
"""

import numpy as np

SEEN = 0.05  # of the range, in the mean over WIDTH x WIDTH voxels: noise alone stays below
WIDTH = 5
# Voxels beside the head that are restored too. A network sees further (mri-x2: 36), but from this far it is told
# nothing: cut there, no voxel of the head changes by more than 1e-5 of the range (measured on scans of the training).
MARGIN = 16


def in_view(shown: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns of slices (n, h, w), as networks see them, in which there is more than air; never none."""
    from scipy.ndimage import uniform_filter

    seen = (uniform_filter(np.abs(shown), (0, WIDTH, WIDTH)) > SEEN).any(axis=0)
    return _around(seen.any(axis=1)), _around(seen.any(axis=0))


def _around(seen: np.ndarray) -> slice:
    """From the first to the last that is seen, with a margin; all where nothing is."""
    places = np.flatnonzero(seen)
    if not len(places):
        return slice(0, len(seen))
    return slice(max(0, int(places[0]) - MARGIN), min(len(seen), int(places[-1]) + 1 + MARGIN))
