"""Intensities as the 16 bits that MR images have in DICOM, and the factor that gives them back."""

from dataclasses import dataclass

import numpy as np
from pydicom.valuerep import format_number_as_ds

from SuperResolutionLib.files.dicom.series import Series
from SuperResolutionLib.volume import Volume, cast_voxels

_ENOUGH = 1000  # steps between the darkest and the brightest voxel; with fewer, fractions are worth a factor


@dataclass(frozen=True)
class Packing:
    """How intensities are stored: intensity = slope x stored + intercept."""

    dtype: np.dtype
    slope: float = 1.0
    intercept: float = 0.0

    @property
    def plain(self) -> bool:
        """Whether what is stored are the intensities themselves."""
        return (self.slope, self.intercept) == (1, 0)

    def stored(self, voxels: np.ndarray) -> np.ndarray:
        """Intensities as they are stored, of the same shape; rounded, and clipped to what 16 bits hold."""
        return cast_voxels(voxels if self.plain else (voxels - self.intercept) / self.slope, self.dtype)


def packing(volume: Volume, source: Series) -> Packing:
    """How a volume is stored: as it is where that is what its source does and 16 bits are enough, else scaled.

    No factor is better than a fine one: MR images are not meant to have one, and some viewers do not look for it.
    """
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    own = volume.voxels.dtype
    if own in (np.int16, np.uint16):
        return Packing(own)
    if np.issubdtype(own, np.integer) and (dtype := _holding(low, high)) is not None:
        return Packing(dtype)
    plain = all(frame.slope == 1 and frame.intercept == 0 for frames in source.volumes for frame in frames)
    if plain and high - low >= _ENOUGH and (dtype := _holding(low, high)) is not None:
        return Packing(dtype)
    dtype = np.dtype(np.int16 if low < 0 else np.uint16)
    widest = max(abs(low), abs(high)) / np.iinfo(dtype).max
    return Packing(dtype, float(format_number_as_ds(widest)) if widest else 1.0)


def _holding(low: float, high: float) -> np.dtype | None:
    """The type of 16 bits that holds numbers from `low` to `high`; None where none does."""
    kinds = (np.dtype(np.int16), np.dtype(np.uint16))
    return next((kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max), None)
