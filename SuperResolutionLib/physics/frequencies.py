"""What a coarse slice cannot hold: the samples of k-space beyond its Nyquist frequency, and the power there."""

import numpy as np


def beyond_band(rows: int, columns: int, scale: int) -> np.ndarray:
    """Which samples of a 2-D FFT lie outside the low-resolution band: (rows, columns) bool, in the FFT's order.

    The band is what `degradation.KSpace` keeps at `scale`: the central 1/scale of each axis.
    """
    return ~(_in_band(rows, scale)[:, None] & _in_band(columns, scale))


def _in_band(size: int, scale: int) -> np.ndarray:
    k = (np.arange(size) + size // 2) % size - size // 2
    kept = size // scale
    return (k >= -(kept // 2)) & (k < kept - kept // 2)


def power_beyond(slices: np.ndarray, scale: int) -> float:
    """The power of (n, h, w) at the frequencies that slices `scale` times as coarse cannot hold."""
    rows, columns = slices.shape[1:]
    beyond = beyond_band(rows, columns, scale)
    return float(sum(np.square(np.abs(np.fft.fft2(one, norm="ortho")[beyond])).sum() for one in slices))
