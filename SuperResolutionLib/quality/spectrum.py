"""What is restored at which frequency: power spectra and Fourier ring correlation of slices.

Frequencies are in cycles a voxel as a fraction of the fine grid's Nyquist frequency, whatever the direction, so that
1 / scale is the Nyquist frequency of the coarse scan and scans of different voxels share one axis.
"""

from dataclasses import dataclass

import numpy as np

RINGS = 40


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Ring sums over a stack, of a restored volume beside its truth: arrays (RINGS,), from 0 to the Nyquist frequency.

    truth, restored, error: power. cross: real part of restored times the truth's conjugate.
    """

    truth: np.ndarray
    restored: np.ndarray
    error: np.ndarray
    cross: np.ndarray

    @property
    def correlation(self) -> np.ndarray:
        """Fourier ring correlation with the truth (Saxton and Baumeister 1982): 1 where both agree; NaN where empty."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.cross / np.sqrt(self.truth * self.restored)

    def band(self, low: float, high: float = 1.0) -> tuple[float, float]:
        """What a band (fractions of Nyquist) holds: shares of the truth's power that are restored, and that are wrong.

        In each ring the restored slice is split into the part that follows the truth and the rest: the first is right
        (1 if the truth itself), the second is wrong. Zero filling, which adds nothing, still has a little of both: the
        square that a truncation keeps has corners, which reach up to 1.41 times its Nyquist frequency.
        """
        chosen = (centres() > low) & (centres() <= high) & (self.truth > 0)
        whole = float(self.truth[chosen].sum())
        if whole <= 0:
            return 0.0, 0.0
        follows = np.maximum(self.cross[chosen], 0) ** 2 / self.truth[chosen]
        return float(follows.sum()) / whole, float((self.restored[chosen] - follows).clip(0).sum()) / whole


def centres() -> np.ndarray:
    """The frequency in the middle of each ring, as a fraction of Nyquist."""
    return (np.arange(RINGS) + 0.5) / RINGS


def spectrum(truth: np.ndarray, restored: np.ndarray) -> Spectrum:
    """The ring sums of two stacks (n, h, w), tapered towards their edges."""
    h, w = truth.shape[1:]
    taper = np.outer(_tukey(h), _tukey(w))
    which = rings(h, w)
    sums = np.zeros((4, RINGS))
    for t, p in zip(truth, restored, strict=True):
        a, b = (np.fft.fft2(x.astype(np.float64) * taper) for x in (t, p))
        for total, part in zip(sums, (abs(a) ** 2, abs(b) ** 2, abs(b - a) ** 2, (a.conj() * b).real), strict=True):
            total += np.bincount(which.ravel(), part.ravel(), RINGS + 1)[:RINGS]
    return Spectrum(*sums)


def spectrum_through(truth: np.ndarray, restored: np.ndarray) -> Spectrum:
    """The same sums by the frequency along the first axis of two stacks (n, h, w) alone, tapered towards both ends."""
    n, size = len(truth), max(len(truth), 4 * RINGS)  # filled with zeros, so that no ring is empty
    which = np.minimum((2 * np.fft.rfftfreq(size) * RINGS).astype(int), RINGS - 1)
    sums = np.zeros((4, RINGS))
    for t, p in zip(np.moveaxis(truth, 1, 0), np.moveaxis(restored, 1, 0), strict=True):
        a, b = (np.fft.rfft(x.astype(np.float64) * _tukey(n)[:, None], size, axis=0) for x in (t, p))
        for total, part in zip(sums, (abs(a) ** 2, abs(b) ** 2, abs(b - a) ** 2, (a.conj() * b).real), strict=True):
            total += np.bincount(which, part.sum(axis=1), RINGS)
    return Spectrum(*sums)


def rings(h: int, w: int) -> np.ndarray:
    """The ring of each sample of an (h, w) spectrum; RINGS beyond Nyquist, in the corners."""
    radius = 2 * np.hypot(*np.meshgrid(np.fft.fftfreq(h), np.fft.fftfreq(w), indexing="ij"))
    return np.minimum((radius * RINGS).astype(int), RINGS)


def _tukey(size: int) -> np.ndarray:
    """Flat, falling to 0 over the outer tenth of each side."""
    away = np.minimum(np.arange(size) + 0.5, size - np.arange(size) - 0.5) / (0.1 * size)
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(away, 0, 1))
