"""Does a scan look like those that the models were trained on? Contrast, noise and sharpness, in numbers and words."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.intensity import data_range, head, noise
from SuperResolutionLib.quality.spectrum import centres, spectrum


@dataclass(frozen=True)
class Look:
    """What a scan looks like, free of units.

    contrast: (90th - 10th percentile) / median in the head. noise: standard deviation / R, as
    `intensity.noise` estimates it. sharpness: share of the spectral power
    above a tenth of the Nyquist frequency that lies above half of it.
    """

    contrast: float
    noise: float
    sharpness: float


WORDS = {
    "contrast": ("flatter", "stronger"),
    "noise": ("less noisy", "noisier"),
    "sharpness": ("softer", "sharper or noisier"),
}


def look(slices: np.ndarray) -> Look:
    """Measure a stack (n, h, w). Raises InputError where there is no head in it, or slices are under 3 voxels."""
    inside = head(slices)
    if not inside.any() or min(slices.shape[1:]) < 3:
        raise InputError("There is no head to measure in these slices.")
    values = slices[inside].astype(np.float64)
    low, middle, high = np.percentile(values, [10, 50, 90])
    power = spectrum(slices, slices).truth
    sharpness = float(power[centres() > 0.5].sum() / power[centres() > 0.1].sum())
    return Look(float((high - low) / middle), noise(slices) / data_range(slices), sharpness)


def unlike(own: Look, ranges: Mapping[str, tuple[float, float]]) -> list[str]:
    """A sentence for each thing in which a scan lies outside the range of the training scans.

    ranges: lowest and highest contrast, noise and sharpness, as a model's card has them (`Card.looks`); what it does
    not have is not looked at.
    """
    found = []
    for name, (low, high) in ranges.items():
        value, (below, above) = getattr(own, name), WORDS[name]
        if not low <= value <= high:
            word = below if value < low else above
            found.append(f"it is {word} than the training scans: {name} {value:.3g}, there {low:.3g} to {high:.3g}")
    return found
