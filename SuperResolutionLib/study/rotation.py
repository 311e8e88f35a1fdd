"""Quality by the angle at which a slice lies on the grid: whether a method has learnt one orientation only.

As in work E: the truth is turned, degraded, restored and measured. Flips and multiples of 90 degrees move voxels
without changing them; any other angle resamples the truth first (cubic spline), which smooths it for all methods.
"""

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import head
from SuperResolutionLib.methods.method import Method, Runtime
from SuperResolutionLib.physics.forward_models import Degradation, Level
from SuperResolutionLib.progress import Progress, within
from SuperResolutionLib.volume import Volume

Figures = dict[str, dict[str, dict[str, float]]]
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


@dataclass(frozen=True, eq=False)
class Turned:
    """What is turned: slices (n, h, w) float32 of the truth, its range R, and how it is made coarse in each turn."""

    slices: np.ndarray
    r: float
    degradation: Degradation
    scale: int
    seed: int = 0
    angles: tuple[int, ...] = ANGLES


def turning(
    given: Turned, methods: Mapping[str, Method], runtime: Runtime
) -> Generator[Progress, None, dict[str, dict[str, dict[str, float]]]]:
    """psnr_head (dB) by "angle" and "flip" of every method: {"angle": {"0": {"sinc": 31.2, ...}, ...}, "flip": ...}.

    The methods see a series, one volume an orientation.
    Yields progress; a step is a slice that a network has refined, or a method.
    """
    scale, r = given.scale, given.r
    whole = square(given.slices, scale)
    places = [("angle", str(angle)) for angle in given.angles] + [("flip", name) for name in FLIPS]
    truths = [turned(whole, angle) for angle in given.angles] + [flip(whole) for flip in FLIPS.values()]
    coarse = np.stack([_coarse(truth, given) for truth in truths])
    low = Volume(coarse, (float(scale), float(scale), 4.0 * scale))
    found: dict[str, dict[str, dict[str, float]]] = {"angle": {}, "flip": {}}
    finer = Sampling(factor=scale, plane="axial")
    work = {name: method.steps(low, finer) for name, method in methods.items()}
    total, began, done = sum(work.values()), time.monotonic(), 0
    for name, method in methods.items():
        fine = yield from within(method.restore(low, finer, runtime), done, total, began)
        for (kind, key), truth, restored in zip(places, truths, fine.volume.voxels, strict=True):
            found[kind].setdefault(key, {})[name] = _psnr_head(truth, restored, r)
        done += work[name]
        yield Progress(done, total, time.monotonic() - began)
    return found


def _coarse(truth: np.ndarray, given: Turned) -> np.ndarray:
    rng = np.random.default_rng(given.seed)
    inside = head(truth)
    level = Level(given.r, float(truth[inside].mean()) if inside.any() else 1.0)
    fine = np.ascontiguousarray(truth, np.float32)
    coarse = given.degradation.draw(rng).slices(fine, given.scale, level, rng)
    return np.asarray(coarse, np.float32)


def _psnr_head(truth: np.ndarray, restored: np.ndarray, r: float) -> float:
    error = (restored - truth)[head(truth)].astype(np.float64)
    return float(10 * np.log10(r**2 / (float(np.mean(error**2)) + 1e-12 * r**2)))
