"""What a scan shows of each spatial frequency, found from the scan itself and its restoration, and put back by that.

A scanner's image is what truncated k-space gives, every sample times a weight: a window, the decay of the signal, zero
where nothing was measured. Which window is seldom known. A restoration tells: over many samples of like frequency the
scan is the restoration times the weight (a regression), and what remains is noise, and what the network got wrong. Of
what remains only so much is put back as is not noise (Wiener 1949); how strong the noise is, the background shows,
where a network has nothing else to get wrong.
"""

from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.physics.forward_models import KSpace
from SuperResolutionLib.physics.projection import apply_forward, spread_back

TRUNCATION = KSpace()
# How far from the middle of k-space, in samples, weights and powers are averaged, and over how many: in the middle,
# where most of the signal is, each sample is sure enough.
SMOOTH = ((1.5, 0.75), (3.0, 1.5))
SMALL = 0.3  # weights far below this are not undone: they would raise noise
ITERATIONS = 2  # for the phase, of which a scanner gives the magnitude
INSIDE = 0.05  # of the range: what is darker is background
LEAST = 0.01  # share of the voxels that has to be background to tell the noise
MEDIAN = 0.6745  # median distance from the median, of normal deviates of deviation 1
RAYLEIGH = 0.4485  # and of their magnitudes in two channels


@dataclass(frozen=True, eq=False)
class Transfer:
    """What a scan shows of each sample of its k-space, (h, w) in the FFT's order.

    weights: from 0 to 1. signal: the share of what the restoration leaves that is not noise. noise: its deviation.
    denoise: the share of the noise that stays out when the scan is put back; 0 puts all of it back.
    """

    weights: np.ndarray
    signal: np.ndarray
    noise: float
    denoise: float = 1.0

    @classmethod
    def between(cls, fine: np.ndarray, coarse: np.ndarray) -> "Transfer":
        """Of slices of a scan, coarse (n, h, w), and what they were restored to, fine (n, H, W), range 1."""
        samples = np.fft.fft2(apply_forward(fine, TRUNCATION, coarse.shape))
        weights, noise = np.ones(coarse.shape[1:], np.float32), 0.0
        for _ in range(ITERATIONS):
            scan = _scan(samples, coarse, weights, noise)
            cross, power = (samples.conj() * scan).real.sum(axis=0), np.square(np.abs(samples)).sum(axis=0)
            sure = power / (power + len(coarse) * _flat(noise, coarse) + 1e-12)
            ratios = sure * cross / (power + 1e-12)
            weights = np.clip(_smoothed(ratios) / (_smoothed(sure) + 1e-12), 0, 1)
            noise = noise_of(coarse, np.abs(np.fft.ifft2(weights * samples)))
        left = _smoothed(np.square(np.abs(_scan(samples, coarse, weights, noise) - weights * samples)).mean(axis=0))
        return cls(weights, np.clip(1 - _flat(noise, coarse) / (left + 1e-12), 0, 1), noise)

    def apply(self, fine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Fine slices (n, H, W) as the scanner shows them: (n, h, w) float32 magnitudes."""
        image = np.fft.ifft2(self.weights * np.fft.fft2(apply_forward(fine, TRUNCATION, shape)))
        return np.abs(image).astype(np.float32)

    def agreement(self, fine: np.ndarray, coarse: np.ndarray) -> float:
        """How near (dB) fine slices (n, H, W), as the scanner shows them, come to coarse ones (n, h, w), range 1."""
        error = self.apply(fine, coarse.shape) - coarse
        return -10 * float(np.log10(np.square(error, dtype=np.float64).mean() + 1e-12))

    def put_back(self, fine: np.ndarray, coarse: np.ndarray) -> np.ndarray:
        """Fine slices (n, H, W) moved to where the scanner gives coarse ones (n, h, w), as far as noise allows."""
        kept = 1 - self.denoise * (1 - self.signal)
        gain = kept * self.weights / (np.square(self.weights) + SMALL**2)
        for _ in range(ITERATIONS):
            samples = np.fft.fft2(apply_forward(fine, TRUNCATION, coarse.shape))
            scan = _scan(samples, coarse, self.weights, self.denoise * self.noise)
            missing = np.fft.ifft2(gain * (scan - self.weights * samples)).astype(np.complex64)
            fine = fine + spread_back(missing, TRUNCATION, fine.shape)
        return fine


def noise_of(coarse: np.ndarray, shown: np.ndarray) -> float:
    """The deviation of the noise in each channel of a scan (n, h, w), of which a restoration shows as much; range 1.

    By the background; where that has one value, the noise of the head is taken for all that is left there, and where
    there is none to see, everything that is left is taken for noise.
    """
    left, inside = coarse - shown, shown > INSIDE
    if np.mean(~inside) < LEAST:
        return float(np.sqrt(np.square(left).mean()))
    outside = coarse[~inside]
    if np.mean(outside == np.median(outside)) > 0.5:
        return float(np.median(np.abs(left[inside]))) / MEDIAN if inside.any() else 0.0
    away = left[~inside] - np.median(left[~inside])
    return float(np.median(np.abs(away))) / RAYLEIGH


def _flat(noise: float, coarse: np.ndarray) -> float:
    """The power of noise in each sample of a slice's k-space."""
    return noise**2 * coarse.shape[1] * coarse.shape[2]


def _scan(samples: np.ndarray, coarse: np.ndarray, weights: np.ndarray, noise: float) -> np.ndarray:
    """The k-space of a scan (n, h, w), with the phase that a restoration's `samples` give it.

    Without what noise adds to magnitudes on average, most where there is no signal (Gudbjartsson and Patz 1995).
    """
    image = np.fft.ifft2(weights * samples)
    shown = np.abs(image)
    added = np.hypot(shown, np.sqrt(np.pi / 2) * noise) - shown
    return np.asarray(np.fft.fft2((coarse - added) * np.exp(1j * np.angle(image))))


def _smoothed(power: np.ndarray) -> np.ndarray:
    """An array over k-space in the FFT's order, averaged over like frequencies."""
    from scipy.ndimage import gaussian_filter

    rows, columns = (np.fft.fftfreq(n, 1 / n) for n in power.shape)
    away = np.hypot(rows[:, None], columns)
    result = power
    for begin, width in SMOOTH:
        result = np.where(away >= begin, gaussian_filter(power, width, mode="wrap"), result)
    return result
