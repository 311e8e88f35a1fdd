"""How far a sharper volume, brought back to its scan's grid, lies from the scan: slice by slice, in plain figures."""

from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.intensity import data_range, head, noise

FAR = 0.05  # of R: what counts as far
BEYOND_NOISE = 4.0  # deviations of the scan's noise, where those are more


@dataclass(frozen=True, eq=False)
class Differences:
    """Of the head, NaN in slices that show none.

    rms: root mean square difference of each slice, share of R. gain: how much brighter each slice came back, 0.01 for
    1 %. far: share of the head that differs by more than `limit`, share of R. together: rms of the whole head.
    """

    rms: np.ndarray
    gain: np.ndarray
    far: float
    limit: float
    together: float

    @property
    def worst(self) -> int:
        """The slice that differs most."""
        return int(np.nanargmax(self.rms)) if np.isfinite(self.rms).any() else 0

    @property
    def uneven(self) -> float:
        """The largest change of brightness of a slice against the median of all."""
        known = self.gain[np.isfinite(self.gain)]
        return float(np.abs(known - np.median(known)).max()) if known.size else 0.0


def differences(scan: np.ndarray, again: np.ndarray) -> Differences:
    """Compare a scan (n, h, w) with what was brought back to its grid."""
    r, inside = data_range(scan), head(scan)
    limit = max(FAR, BEYOND_NOISE * noise(scan) / r)
    away = (again.astype(np.float64) - scan) / r
    rms, gain = np.full(len(scan), np.nan), np.full(len(scan), np.nan)
    counts = inside.sum(axis=(1, 2))
    for k in np.flatnonzero(counts):
        mask = inside[k]
        rms[k] = np.sqrt(np.mean(away[k][mask] ** 2))
        if counts[k] >= counts.max() / 2:
            values = scan[k][mask] / r
            gain[k] = np.sum(away[k][mask] * values) / np.sum(values.astype(np.float64) ** 2)
    whole = away[inside]
    if not whole.size:
        return Differences(rms, gain, 0.0, limit, 0.0)
    return Differences(rms, gain, float(np.mean(np.abs(whole) > limit)), limit, float(np.sqrt(np.mean(whole**2))))
