"""Quality by the angle at which a slice lies on the grid: whether a method has learnt one orientation only.

As in work E: the truth is turned, degraded, restored and measured. Flips and multiples of 90 degrees move voxels
without changing them; any other angle resamples the truth first (cubic spline), which smooths it for all methods.
"""

import time
from collections.abc import Callable, Generator, Mapping

import numpy as np

from SuperResolutionLib.intensity import head
from SuperResolutionLib.physics.forward_models import Degradation, Level
from SuperResolutionLib.progress import Progress, within
from SuperResolutionLib.quality.comparison import Method, restoring, steps_of
from SuperResolutionLib.volume import Volume

ANGLES = (0, 15, 30, 45, 60, 75, 90)
FLIPS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as it is": lambda x: x,
    "left-right": lambda x: x[:, :, ::-1],
    "up-down": lambda x: x[:, ::-1],
    "both": lambda x: x[:, ::-1, ::-1],
}


def square(slices: np.ndarray, multiple: int) -> np.ndarray:
    """A stack padded with zeros, evenly, to squares whose side `multiple` divides."""
    side = -(-max(slices.shape[1:]) // multiple) * multiple
    more = [(side - n) for n in slices.shape[1:]]
    return np.pad(slices, [(0, 0), *((m // 2, m - m // 2) for m in more)])


def turned(slices: np.ndarray, angle: float) -> np.ndarray:
    """A stack of squares turned by degrees: exactly at multiples of 90, else by cubic spline; zeros come in."""
    if angle % 90 == 0:
        return np.ascontiguousarray(np.rot90(slices, int(angle // 90), (1, 2)))
    from scipy.ndimage import rotate

    return np.asarray(rotate(slices, angle, (1, 2), reshape=False, order=3, mode="constant"))


def turning(
    slices: np.ndarray,
    r: float,
    methods: Mapping[str, Method],
    degradation: Degradation,
    scale: int,
    angles: tuple[int, ...] = ANGLES,
    seed: int = 0,
) -> Generator[Progress, None, dict[str, dict[str, dict[str, float]]]]:
    """psnr_head (dB) by "angle" and "flip" of every method: {"angle": {"0": {"sinc": 31.2, ...}, ...}, "flip": ...}.

    slices: (n, h, w) float32 of the truth. r: its range R. The methods see a series, one volume an orientation.
    Yields progress; a step is a slice that a network has refined, or a method.
    """
    whole = square(slices, scale)
    places = [("angle", str(angle)) for angle in angles] + [("flip", name) for name in FLIPS]
    truths = [turned(whole, angle) for angle in angles] + [flip(whole) for flip in FLIPS.values()]
    coarse = np.stack([_coarse(truth, r, degradation, scale, seed) for truth in truths])
    low = Volume(coarse, (float(scale), float(scale), 4.0 * scale))
    found: dict[str, dict[str, dict[str, float]]] = {"angle": {}, "flip": {}}
    count = low.count * low.size[2]
    total = sum(steps_of(method, count) for method in methods.values())
    began, done = time.monotonic(), 0
    for name, method in methods.items():
        fine = yield from within(restoring(method, low, scale), done, total, began)
        for (kind, key), truth, restored in zip(places, truths, fine.voxels, strict=True):
            found[kind].setdefault(key, {})[name] = _psnr_head(truth, restored, r)
        done += steps_of(method, count)
        yield Progress(done, total, time.monotonic() - began)
    return found


def _coarse(truth: np.ndarray, r: float, degradation: Degradation, scale: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    inside = head(truth)
    level = Level(r, float(truth[inside].mean()) if inside.any() else 1.0)
    coarse = degradation.draw(rng).slices(np.ascontiguousarray(truth, np.float32), scale, level, rng)
    return np.asarray(coarse, np.float32)


def _psnr_head(truth: np.ndarray, restored: np.ndarray, r: float) -> float:
    error = (restored - truth)[head(truth)].astype(np.float64)
    return float(10 * np.log10(r**2 / (float(np.mean(error**2)) + 1e-12 * r**2)))
