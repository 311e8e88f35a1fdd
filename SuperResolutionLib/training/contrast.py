"""Other contrasts from the same anatomy: intensities through a random curve."""

import numpy as np

KNOTS = 6
BLACK = 0.9  # the share of curves that leave what is black black


def curve(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A curve through a few random points, rising or going up and down, with a largest value of 1: places and heights.

    Intensities are scaled so that their range is 1; the curve goes on to 1.3.
    """
    places = np.linspace(0, 1.3, KNOTS)
    if rng.random() < 0.5:
        heights = np.concatenate([[0.0], np.cumsum(rng.exponential(size=KNOTS - 1))])
    else:
        heights = rng.uniform(0.05, 1, KNOTS)
        heights[0] = 0.0 if rng.random() < BLACK else heights[0]
    return places, heights / heights[: KNOTS - 1].max()


def recolour(voxels: np.ndarray, places: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Intensities through a curve; float32, same shape."""
    return np.interp(voxels, places, heights).astype(np.float32)
