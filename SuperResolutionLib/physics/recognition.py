"""Which forward model made a scan? And, where it is known: every measured number put back.

A network restores a scan; each candidate makes the result coarse again; what is left against the scan is a profile of
errors, one for each candidate. The smallest error is no safe sign: a local network leaves truncated k-space, whose
ringing reaches across the whole image, further from its scan than a box average would be. So the profile is compared
with those that the same network left on training scans, whose forward model was known (linear discriminants, Fisher
1936). A profile far from all of them, or errors that lie in the background as much as in the head (noise, which the
network took away), and nothing is touched.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from SuperResolutionLib.physics.agreement import projected, seen
from SuperResolutionLib.physics.degradation import by_name
from SuperResolutionLib.volume import cast_voxels

SLICES = 5  # of a volume that are looked at
FARTHEST = 20.0  # squared Mahalanobis distance beyond which a profile belongs to no model: one in 200 of its own are
NOISE = 0.6  # median error in the background over that in the head: edges leave less, noise leaves 0.8 and more
ITERATIONS = 3  # of a truncated k-space, for its phase: 72 dB of agreement, more is not seen in the result
SMALL = {"k_space_tukey": 0.2}  # singular values far below this share of the largest are not inverted: they raise noise
SMALL_ELSE = 0.05


@dataclass(frozen=True, eq=False)
class Recogniser:
    """The profiles that a network leaves: `profiles` (models, models) in dB, each row under another true model.

    precision: the inverse of their common covariance, (models, models).
    """

    models: tuple[str, ...]
    profiles: np.ndarray
    precision: np.ndarray

    @classmethod
    def of(cls, table: dict[str, Any]) -> "Recogniser":
        """From a model's card."""
        profiles, precision = (np.array(table[key], np.float64) for key in ("profiles", "precision"))
        return cls(tuple(table["models"]), profiles, precision)

    def table(self) -> dict[str, Any]:
        """For a model's card."""
        return {
            "models": list(self.models),
            "profiles": np.round(self.profiles, 2).tolist(),
            "precision": np.round(self.precision, 5).tolist(),
        }

    def model_of(self, fine: np.ndarray, coarse: np.ndarray, scale: int) -> str | None:
        """The forward model of slices: fine (n, s h, s w) made by the network from coarse (n, h, w), range 1."""
        distances = self.distances(profile(fine, coarse, self.models, scale))
        name = self.models[int(distances.argmin())]
        if distances.min() > FARTHEST or noisy(fine, coarse, name, scale):
            return None
        return name

    def distances(self, found: np.ndarray) -> np.ndarray:
        """The squared Mahalanobis distance of a profile from that of every model."""
        away = found - self.profiles
        result: np.ndarray = np.einsum("ij,jk,ik->i", away, self.precision, away)
        return result


def profile(fine: np.ndarray, coarse: np.ndarray, models: tuple[str, ...], scale: int) -> np.ndarray:
    """How near (dB) each model takes fine slices (n, s h, s w) to coarse ones (n, h, w) of range 1."""
    errors = [np.square(np.abs(seen(fine, by_name(name), scale)) - coarse).mean() for name in models]
    return -10 * np.log10(np.array(errors) + 1e-12)


def noisy(fine: np.ndarray, coarse: np.ndarray, name: str, scale: int) -> bool:
    """Whether what a model leaves lies in the background too: noise does, a network's errors lie at edges."""
    errors = np.abs(np.abs(seen(fine, by_name(name), scale)) - coarse)
    inside = coarse > 0.05
    if inside.all() or not inside.any():
        return False
    return bool(np.median(errors[~inside]) > NOISE * np.median(errors[inside]))


def shown(count: int) -> np.ndarray:
    """Which slices of a stack are looked at: evenly over its middle half."""
    return np.unique((np.linspace(0.25, 0.75, SLICES) * count).astype(int))


def put_back(coarse: np.ndarray, fine: np.ndarray, name: str, unit: np.float32, scale: int) -> None:
    """Move each slice of `fine` (n, s h, s w), in place, the least distance to where the model gives `coarse` back.

    coarse: (n, h, w). unit: the range of the whole volume. Keeps the type of `fine`.
    """
    for target, source in zip(fine, coarse, strict=True):
        target[...] = cast_voxels(agreed(target / unit, source / unit, name, scale) * unit, target.dtype)


def agreed(fine: np.ndarray, coarse: np.ndarray, name: str, scale: int) -> np.ndarray:
    """Slices (..., s h, s w) of range 1, moved the least distance to where the model gives (..., h, w) back."""
    return projected(fine, coarse, by_name(name), scale, ITERATIONS, SMALL.get(name, SMALL_ELSE))
