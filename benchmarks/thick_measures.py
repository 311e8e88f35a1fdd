"""How far reformats of a restored stack lie from the truth: intensities, structure, stair-steps, tissues, place."""

from typing import Any

import numpy as np
from skimage.filters import threshold_multiotsu

from SuperResolutionLib.quality.metrics import mean_ssim

SHOWN = 6  # slices of each plane that SSIM is measured on
TISSUES = 3
SLOW = 0.6  # of the slices' own Nyquist frequency: below it the phase tells where things lie


def measures(truth: np.ndarray, restored: np.ndarray, inside: np.ndarray, period: float) -> dict[str, Any]:
    """All figures of one result, by name.

    truth, restored: (reformats, rows, columns) of range 1. inside: where the head is. period: rows from slice to slice.
    psnr_head: dB. ssim_coronal, ssim_sagittal: in both planes through the slice axis. stairs: the error's power at the
    slice frequency, 1e-6. dice: mean of three tissues. shift: rows by which the result lies too far along the slices.
    """
    error = restored - truth
    square = float(np.square(error, dtype=np.float64)[inside].mean())
    coronal, sagittal = (mean_ssim(*_some(truth, restored, inside, axis), 1.0) for axis in (0, 2))
    return {
        "psnr_head": -10 * float(np.log10(square)),
        "ssim_coronal": coronal,
        "ssim_sagittal": sagittal,
        "stairs": _stairs(error, inside, period),
        "dice": dice(truth, restored, inside),
        "shift": shift(truth, restored, period),
    }


def _some(truth: np.ndarray, restored: np.ndarray, inside: np.ndarray, axis: int) -> list[np.ndarray]:
    chosen = (np.linspace(0.2, 0.8, SHOWN) * truth.shape[axis]).astype(int)
    pair = [np.moveaxis(a, axis, 0)[chosen].astype(np.float64) for a in (truth, restored)]
    return [*pair, np.moveaxis(inside, axis, 0)[chosen]]


def _stairs(error: np.ndarray, inside: np.ndarray, period: float) -> float:
    rows = error.shape[1]
    wave = np.exp(-2j * np.pi * (np.arange(rows) + 0.5) / period)
    power = np.square(np.abs(np.tensordot(error, wave, (1, 0))))
    return 1e6 * float(power[inside.any(axis=1)].mean()) / rows**2


def dice(truth: np.ndarray, restored: np.ndarray, inside: np.ndarray) -> float:
    """Mean Dice of three classes of intensity in the head, told apart by the truth's own thresholds (Otsu 1979)."""
    limits = threshold_multiotsu(truth[inside], TISSUES)
    ours, theirs = (np.digitize(a[inside], limits) for a in (restored, truth))
    shares = [
        2
        * np.count_nonzero((ours == k) & (theirs == k))
        / (np.count_nonzero(ours == k) + np.count_nonzero(theirs == k))
        for k in range(TISSUES)
    ]
    return float(np.mean(shares))


def shift(truth: np.ndarray, restored: np.ndarray, period: float) -> float:
    """By how many rows the result is displaced: the slope of the phase between the two, at what slices can show."""
    cross = (np.fft.fft(restored, axis=1) * np.conj(np.fft.fft(truth, axis=1))).sum(axis=(0, 2))
    frequency = np.fft.fftfreq(truth.shape[1])
    slow = (frequency > 0) & (frequency < SLOW / (2 * period))
    weight, slope = np.abs(cross[slow]), -2 * np.pi * frequency[slow]
    return float((weight * slope * np.angle(cross[slow])).sum() / (weight * slope**2).sum())
