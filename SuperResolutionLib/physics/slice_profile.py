"""Thick slices: how a stack of them comes from fine voxels along one axis, as one matrix, and its Tikhonov inverse.

A slice is no box with sharp walls: its profile is what the selective pulse excites. Each coarse value is the mean of
the fine voxels under that profile. Slices may leave gaps (thickness below spacing) or overlap, and the spacing need not
be a whole number of fine voxels. Slice i is centred (i + 1/2) spacings from the edge of the field of view.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from SuperResolutionLib.errors import InputError, unknown

PROFILES = ("gaussian", "box", "sinc")
REACH = 3.0  # thicknesses from the centre at which every profile has ended
SMOOTHNESS = 3e-3  # the weight of the second differences where there is no noise
_KNOTS = 6001  # of the tables below: a thousandth of the thickness apart


@dataclass(frozen=True)
class Slices:
    """A stack of thick slices along one axis.

    spacing: mm between the centres of neighbours. thickness: mm, full width of the profile at half of its height.
    profile: "gaussian", "box", or "sinc", what a Hann-windowed sinc pulse excites at small flip angles (Bernstein, King
    and Zhou 2004, Handbook of MRI Pulse Sequences, section 2.3). bandwidth: of that pulse, duration x bandwidth; the
    larger, the sharper the walls.
    Raises InputError for a profile that does not exist, or lengths that are not above 0.
    """

    spacing: float
    thickness: float
    profile: str = "gaussian"
    bandwidth: float = 4.0

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise unknown("slice profile", self.profile, PROFILES)
        if not (self.spacing > 0 and self.thickness > 0):
            raise InputError(
                f"Slices {self.thickness:g} mm thick and {self.spacing:g} mm apart cannot be: both must be above 0 mm."
            )

    def count(self, size: int, voxel: float) -> int:
        """How many slices cover `size` fine voxels of `voxel` mm: as many as have their centre in the field of view."""
        return max(1, round(size * voxel / self.spacing))

    def matrix(self, size: int, voxel: float, count: int | None = None) -> np.ndarray:
        """The forward model: (slices, size) float64, each row the integral of the profile over each fine voxel.

        Rows sum to 1: what of a profile lies outside the field of view is dropped, and the rest made up for it.
        count: how many slices, where that is known; by default as many as cover the voxels.
        """
        count = self.count(size, voxel) if count is None else count
        centres = (np.arange(count) + 0.5) * self.spacing
        walls = np.arange(size + 1) * voxel
        distance = (walls - centres[:, None]) / self.thickness
        weights = np.diff(self._below(distance), axis=1)
        return weights / weights.sum(axis=1, keepdims=True)

    def _below(self, distance: np.ndarray) -> np.ndarray:
        """The share of the profile below a distance from its centre, in thicknesses."""
        knots, shares = _cumulative(self.profile, self.bandwidth if self.profile == "sinc" else 0.0)
        return np.interp(distance, knots, shares)


def deconvolution(
    slices: Slices, size: int, voxel: float, weight: float = SMOOTHNESS, count: int | None = None
) -> np.ndarray:
    """The matrix that takes slices y back to fine voxels: argmin |A x - y|^2 + weight |D2 x|^2; (size, slices) float64.

    D2 are the second differences between fine voxels (Tikhonov 1963). The more noise there is, the larger the weight.
    count: as in Slices.matrix.
    slices: how they were acquired. size: fine voxels. voxel: how far these are apart, mm.
    """
    forward = slices.matrix(size, voxel, count)
    second = np.diff(np.eye(size), n=2, axis=0)
    if len(forward) == 1:  # one slice does not tell how steep the signal is
        return np.ones((size, 1))
    return np.linalg.solve(forward.T @ forward + weight * second.T @ second, forward.T)


@lru_cache(maxsize=64)
def _cumulative(profile: str, bandwidth: float) -> tuple[np.ndarray, np.ndarray]:
    """Distances in thicknesses, and the share of the profile that lies below each."""
    knots = np.linspace(-REACH, REACH, _KNOTS)
    if profile == "box":
        return np.array([-0.5, 0.5]), np.array([0.0, 1.0])
    heights = np.exp(-4 * np.log(2) * knots**2) if profile == "gaussian" else _excited(knots, bandwidth)
    middles = (heights[1:] + heights[:-1]) / 2
    shares = np.concatenate([[0.0], np.cumsum(middles)])
    return knots, shares / shares[-1]


def _excited(distance: np.ndarray, bandwidth: float) -> np.ndarray:
    """The profile of a Hann-windowed sinc pulse at distances in thicknesses: the magnitude of its Fourier transform."""
    frequencies = np.linspace(0, bandwidth, 801)
    heights = _spectrum(frequencies, bandwidth)
    half = np.interp(-0.5 * heights[0], -heights, frequencies) if np.all(np.diff(heights) <= 0) else None
    if half is None:  # a flat top ripples: the outermost crossing is the wall
        crossing = np.flatnonzero(heights >= 0.5 * heights[0])[-1]
        pair = heights[crossing : crossing + 2]
        half = np.interp(-0.5 * heights[0], -pair, frequencies[crossing : crossing + 2])
    return _spectrum(2 * half * np.abs(distance), bandwidth)


def _spectrum(frequency: np.ndarray, bandwidth: float) -> np.ndarray:
    """|Fourier transform| of sinc(bandwidth t) (1 + cos 2 pi t) / 2, t from -1/2 to 1/2; frequency in 1/duration."""
    t = (np.arange(256) + 0.5) / 512  # the pulse is even: half of it is enough
    pulse = np.sinc(bandwidth * t) * (1 + np.cos(2 * np.pi * t))
    return np.abs(np.cos(2 * np.pi * np.multiply.outer(frequency, t)) @ pulse) / 512
