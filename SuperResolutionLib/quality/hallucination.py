"""Where does a sharper volume contradict its own scan? Patch-wise Fourier ring correlation in the scan's own band.

The idea is sFRC (Kc, Zeng, Soni, Badano: "sFRC for assessing hallucinations in medical image restoration", arXiv
2603.04673, 2026, of the FDA's Center for Devices and Radiological Health): small patches of the restored image and of
a reference are scanned together, and a patch whose correlation falls too early is suspect. Their reference is a fully
sampled image; here there is none, so the sharper volume is brought back to the scan's grid and the scan is the
reference. What is invented above the scan's Nyquist frequency does not come back, and cannot be found this way.
"""

from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.intensity import head

SIDE, STEP = 16, 4  # voxels of the scan
CORRELATION = 0.75  # below this the ring's power is to 40 % or more not the scan's
AUDIBLE = 0.5  # share of a ring's power that must be signal, not noise, for it to be asked
EARLY = 0.75  # share of the scan's Nyquist frequency below which a fall counts; above, filters alone differ


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far up in frequency each patch agrees with the scan.

    reach: (n, rows, columns) of patches, the share of the scan's Nyquist frequency up to which the correlation holds
    (1: all the way); NaN where less than half of the patch is head. curve: mean correlation by ring, over patches.
    """

    reach: np.ndarray
    curve: np.ndarray

    @property
    def suspect(self) -> np.ndarray:
        """The patches whose correlation falls early, bool."""
        return self.reach < EARLY

    @property
    def share(self) -> float:
        """The share of the head's patches that are suspect; 0 where there are none."""
        known = int(np.isfinite(self.reach).sum())
        return float(self.suspect.sum()) / known if known else 0.0

    def on_grid(self, shape: tuple[int, int, int]) -> np.ndarray:
        """`reach` as an image (n, h, w) on the scan's grid, each voxel that of the nearest patch centre."""
        at = [np.clip(np.round((np.arange(n) - (SIDE - 1) / 2) / STEP).astype(int), 0, None) for n in shape[1:]]
        rows, columns = (np.minimum(a, count - 1) for a, count in zip(at, self.reach.shape[1:], strict=True))
        return self.reach[:, rows][:, :, columns]


def agreement(scan: np.ndarray, again: np.ndarray, noise: float = 0.0) -> Agreement | None:
    """Compare a scan (n, h, w) with the sharper volume brought back to its grid; None for slices under 16 voxels.

    noise: deviation of the scan's noise, in its units, that a result may lack: correlations are raised by what that
    costs, and a ring that holds more noise than signal is not asked.
    """
    if min(scan.shape[1:]) < SIDE:
        return None
    inside = head(scan)
    which = _rings()
    taper = np.outer(np.hanning(SIDE + 2)[1:-1], np.hanning(SIDE + 2)[1:-1])
    reach, curves = [], []
    for one, other, mask in zip(scan, again, inside, strict=True):
        known = _patches(mask).mean(axis=(2, 3)) >= 0.5
        own = _spectra(one, taper)
        correlation = _correlation(own, _spectra(other, taper), which)
        if noise:
            signal = _signal(own, which, noise**2 * float((taper**2).sum()))
            raised = np.clip(correlation / np.sqrt(np.maximum(signal, AUDIBLE)), -1, 1)
            correlation = np.where(signal < AUDIBLE, 1.0, raised)
        reach.append(np.where(known, _first_fall(correlation), np.nan))
        curves.append(correlation[known])
    together = np.concatenate(curves)
    curve = together.mean(axis=0) if len(together) else np.full(SIDE // 2, np.nan)
    return Agreement(np.stack(reach), curve)


def _patches(image: np.ndarray) -> np.ndarray:
    """(rows, columns, SIDE, SIDE)."""
    return np.lib.stride_tricks.sliding_window_view(image, (SIDE, SIDE))[::STEP, ::STEP]


def _spectra(image: np.ndarray, taper: np.ndarray) -> np.ndarray:
    patches = _patches(image).astype(np.float64)
    level = patches.mean(axis=(2, 3), keepdims=True)
    return np.fft.fft2((patches - level) * taper)


def _rings() -> np.ndarray:
    """The ring of each sample of a patch, 1 to SIDE / 2; 0 for the mean and for the corners."""
    k = np.fft.fftfreq(SIDE, 1 / SIDE)
    ring = np.rint(np.hypot(k[:, None], k[None])).astype(int)
    return np.where(ring <= SIDE // 2, ring, 0)


def _correlation(one: np.ndarray, other: np.ndarray, which: np.ndarray) -> np.ndarray:
    """(rows, columns, rings); 1 where both have nothing."""
    rings = np.stack([which == ring for ring in range(1, SIDE // 2 + 1)]).reshape(SIDE // 2, -1).T.astype(float)

    def sums(power: np.ndarray) -> np.ndarray:
        return power.reshape(*power.shape[:2], -1) @ rings

    cross, a, b = sums((one.conj() * other).real), sums(np.abs(one) ** 2), sums(np.abs(other) ** 2)
    floor = 1e-6 * np.maximum(a.sum(axis=2, keepdims=True), b.sum(axis=2, keepdims=True)) + 1e-30
    return (cross + floor) / np.sqrt((a + floor) * (b + floor))


def _signal(spectra: np.ndarray, which: np.ndarray, noise: float) -> np.ndarray:
    """The share of a scan's power that is no noise, by ring: (rows, columns, rings).

    noise: the mean power of the noise in a sample of the spectra.
    """
    rings = range(1, SIDE // 2 + 1)
    power = np.stack([np.mean(np.abs(spectra[..., which == ring]) ** 2, axis=-1) for ring in rings], axis=-1)
    return np.clip(1 - noise / np.maximum(power, 1e-30), 0, 1)


def _first_fall(correlation: np.ndarray) -> np.ndarray:
    """The share of Nyquist at which the correlation first falls below CORRELATION; 1 where it never does."""
    low = correlation < CORRELATION
    first = np.argmax(low, axis=2)
    return np.where(low.any(axis=2), first / correlation.shape[2], 1.0)
