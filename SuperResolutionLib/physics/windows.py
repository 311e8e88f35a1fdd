"""How much samples of k-space count: u is 0 in the middle, 1 at the edge of what is measured."""

import numpy as np


def none(u: np.ndarray) -> np.ndarray:
    """All samples alike."""
    return np.ones_like(u)


def hamming(u: np.ndarray, width: float = 0.92) -> np.ndarray:
    """A raised cosine that takes `width` away at the edge; 0.54 + 0.46 cos(pi u) by default, as scanners have it."""
    return (1 - width / 2) + width / 2 * np.cos(np.pi * u)


def tukey(u: np.ndarray, width: float) -> np.ndarray:
    """Flat but for a cosine taper over the outer fraction `width`."""
    return 0.5 * (1 + np.cos(np.pi * np.clip((u - (1 - width)) / width, 0, 1)))


def fermi(u: np.ndarray, width: float) -> np.ndarray:
    """Half at the edge, falling over about `width` around it."""
    return 1 / (1 + np.exp(np.minimum((u - 1) / width, 50)))
