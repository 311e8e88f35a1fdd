"""Intensity scales of a volume: its range R, its head, and the level and unit that networks work in."""

from dataclasses import dataclass

import numpy as np

BACKGROUND = 0.06  # share of the voxels near the lowest above which it is that of a background
RINGING = 0.25  # how far below a background, as a share of what lies above it, ringing reaches at most
SIGNED = 0.25  # how far below 0, as a share of the largest voxel, ringing does not reach


def data_range(voxels: np.ndarray) -> float:
    """R: the 99.9th percentile of a volume; the largest magnitude where that is not above 0; 1 if all is zero."""
    r = float(np.percentile(voxels, 99.9))
    if r <= 0:
        r = float(np.max(np.abs(voxels)))
    return r if r > 0 else 1.0


def head(voxels: np.ndarray) -> np.ndarray:
    """Where the volume exceeds 5 % of its range: a mask of the head, bool, same shape."""
    return voxels > 0.05 * data_range(voxels)


def noise(slices: np.ndarray) -> float:
    """The standard deviation of the noise in a stack (n, h, w), in its units; fine structure adds to it.

    By the median, over the head, of second differences along rows and columns, which are blind to anything smooth
    (after Immerkaer 1996). 0 where there is no head, or slices are under 3 voxels.
    """
    inside = head(slices)[:, 1:-1, 1:-1]
    if not inside.any():
        return 0.0
    bent = np.diff(np.diff(slices.astype(np.float32), n=2, axis=1), n=2, axis=2)
    return float(np.median(np.abs(bent[inside]))) / (6 * 0.6745)


def told_noise(shown: np.ndarray) -> float:
    """What a network is told of the noise of slices (n, h, w) as it is shown them: ten times its deviation."""
    return 10 * noise(shown)


def relative_noise(slices: np.ndarray) -> float:
    """The deviation of the noise (`noise`) over the mean of the head; 0 where there is no head."""
    inside = head(slices)
    return noise(slices) / max(float(np.abs(slices[inside]).mean()), 1e-12) if inside.any() else 0.0


@dataclass(frozen=True)
class Normalisation:
    """What networks are shown of intensities: (voxels - level) / unit, from 0 in the background to about 1.

    Networks were trained on magnitudes, whose background is 0. level: the value that stands for it; exactly 0 in a
    magnitude scan with air in it. unit: above 0, or 0 where all voxels have the level.
    """

    level: float = 0.0
    unit: float = 1.0

    @classmethod
    def of(cls, voxels: np.ndarray, level: float) -> "Normalisation":
        """Of a 3-D volume, with the level of its series (`background_level`)."""
        unit = float(np.percentile(voxels, 99.9)) - level
        return cls(level, unit if unit > 0 else float(np.max(voxels)) - level)

    def above(self, voxels: np.ndarray) -> np.ndarray:
        """Voxels - level, in the voxels' own precision; the same array where the level is 0."""
        if self.level == 0:
            return voxels
        return np.subtract(voxels, self.level, dtype=np.result_type(voxels.dtype, np.float32))

    def shown(self, voxels: np.ndarray) -> np.ndarray:
        """Voxels as networks see them."""
        shown: np.ndarray = self.above(voxels) / np.float32(self.unit or 1)
        return shown

    def undone(self, shown: np.ndarray) -> np.ndarray:
        """Back to the scan's intensities, from what a network makes of them; float64 where the level is not 0."""
        raised = shown * np.float32(self.unit)
        return raised if self.level == 0 else np.add(raised, self.level, dtype=np.float64)


def background_level(voxels: np.ndarray) -> float:
    """The value that stands for no signal in a volume: the lowest, if it is no outlier.

    It moves with the intensities, whatever is added to them or whatever they are multiplied by. Where the background is
    one exact value, it is that, for what lies below it is ringing. Where the lowest values lie further below all the
    others than these lie apart, it is the 0.1st percentile.
    """
    lowest, edge = float(np.min(voxels)), value_at_the_edges(voxels)
    low, high = (float(p) for p in np.percentile(voxels, [0.1, 99.9]))
    if edge - lowest < RINGING * (high - edge) and np.mean(voxels == edge) > BACKGROUND:
        return edge
    return low if low - lowest > high - low else lowest


def value_at_the_edges(voxels: np.ndarray) -> float:
    """The most frequent value at the edges of a 3-D volume's rows and columns."""
    values, counts = np.unique(at_the_edges(voxels), return_counts=True)
    return float(values[counts.argmax()])


def at_the_edges(array: np.ndarray) -> np.ndarray:
    """The voxels at the edges of a volume's rows and columns."""
    return np.concatenate([np.moveaxis(array, axis, 0)[[0, -1]].ravel() for axis in (1, 2)])


def shows_background(voxels: np.ndarray, level: float) -> bool:
    """Whether a share of a volume that is not by chance has about its background level."""
    return bool(np.mean(voxels < level + 0.05 * Normalisation.of(voxels, level).unit) > BACKGROUND)


def signed_level(voxels: np.ndarray) -> float:
    """The background level of intensities that are signed, 0 of a magnitude scan: ringing alone makes few negatives."""
    level = background_level(voxels)
    return level if level < -SIGNED * max(float(np.max(voxels)), 0.0) else 0.0
