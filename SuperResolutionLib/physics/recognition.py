"""Which forward model made a scan?

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

from SuperResolutionLib.physics.degradation import by_name
from SuperResolutionLib.physics.projection import apply_forward
from SuperResolutionLib.physics.transfer import Transfer

SLICES = 5  # of a volume that are looked at
FARTHEST = 20.0  # squared Mahalanobis distance beyond which a profile belongs to no model: one in 200 of its own are
NOISE = 0.6  # median error in the background over that in the head: edges leave less, noise leaves 0.8 and more
# Of a diffusion series, whose volumes are looked at together, no discriminants are needed.
CANDIDATES = ("k_space", "k_space_tukey", "k_space_hamming", "bicubic", "area", "bicubic_blur3")
RESIZED = ("bicubic", "area", "bicubic_blur3")
AGREEMENT = 36.0  # dB below which no model is taken for the scan's
CLEARLY = 1.5  # dB by which what a scan shows of each frequency has to explain it better than any model with a name
SCANNER = "scanner"  # a forward model without a name, known by what it shows of each frequency


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

    def model_of(self, fine: np.ndarray, coarse: np.ndarray) -> str | None:
        """The forward model of slices: fine (n, H, W) made by the network from coarse (n, h, w), range 1."""
        distances = self.distances(profile(fine, coarse, self.models))
        name = self.models[int(distances.argmin())]
        if distances.min() > FARTHEST or noisy(fine, coarse, name):
            return None
        return name

    def distances(self, found: np.ndarray) -> np.ndarray:
        """The squared Mahalanobis distance of a profile from that of every model."""
        away = found - self.profiles
        result: np.ndarray = np.einsum("ij,jk,ik->i", away, self.precision, away)
        return result


def profile(fine: np.ndarray, coarse: np.ndarray, models: tuple[str, ...]) -> np.ndarray:
    """How near (dB) each model takes fine slices (n, H, W) to coarse ones (n, h, w) of range 1."""
    errors = [np.square(np.abs(apply_forward(fine, by_name(name), coarse.shape)) - coarse).mean() for name in models]
    return -10 * np.log10(np.array(errors) + 1e-12)


def nearest_resized(fine: np.ndarray, coarse: np.ndarray) -> float:
    """How near (dB) the nearest model that shrinks in the image, as no scanner does, takes fine slices to coarse ones.

    fine (n, H, W), coarse (n, h, w), range 1.
    """
    return float(profile(fine, coarse, RESIZED).max())


def noisy(fine: np.ndarray, coarse: np.ndarray, name: str) -> bool:
    """Whether what a model leaves lies in the background too: noise does, a network's errors lie at edges."""
    errors = np.abs(np.abs(apply_forward(fine, by_name(name), coarse.shape)) - coarse)
    inside = coarse > 0.05
    if inside.all() or not inside.any():
        return False
    return bool(np.median(errors[~inside]) > NOISE * np.median(errors[inside]))


def model_of_series(fine: np.ndarray, coarse: np.ndarray) -> str | Transfer | None:
    """The forward model that takes all volumes of a series nearest to their scan, at one slice position.

    By name, or what the scan shows of each frequency where that explains it clearly better: a scan with partial Fourier
    lies near to one with a window, and taken for it would be sharpened where it was never measured.
    fine (t, H, W) and coarse (t, h, w), each of range 1. None where no name comes as near as AGREEMENT.
    """
    near = profile(fine, coarse, CANDIDATES)
    if near.max() <= AGREEMENT:
        return None
    transfer = Transfer.between(fine, coarse)
    if transfer.agreement(fine, coarse) > near.max() + CLEARLY:
        return transfer
    return CANDIDATES[int(near.argmax())]


def name_of(model: str | Transfer | None) -> str | None:
    """What a forward model is called."""
    return SCANNER if isinstance(model, Transfer) else model


def shown(count: int) -> np.ndarray:
    """Which slices of a stack are looked at: evenly over its middle half."""
    return np.unique((np.linspace(0.25, 0.75, SLICES) * count).astype(int))
