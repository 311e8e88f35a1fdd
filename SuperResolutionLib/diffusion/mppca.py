"""A diffusion series without its noise, by DIPY's MP-PCA (Veraart et al. 2016, NeuroImage 142), a slab at a time.

`denoising.py` does the same without DIPY, faster and with fewer windows, for what is put back into a result; this is
the step that a user asks for before a series is enhanced, by the library that the field knows.
"""

import time
import warnings
from collections.abc import Callable, Generator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from SuperResolutionLib.diffusion.denoising import FEWEST, WINDOW
from SuperResolutionLib.diffusion.dipy_parts import dipy
from SuperResolutionLib.diffusion.guides import background_levels, combine, is_diffusion
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.intensity import head
from SuperResolutionLib.progress import Progress
from SuperResolutionLib.volume import TENSOR, Volume, cast_voxels

SLAB_VALUES = 2**24  # measurements that DIPY is given at once; it makes some five arrays of that size
WIDEST = 12  # voxels that a slab gains: the work can be stopped between two slabs
WIDEST_WINDOW = 9  # voxels along each axis
LEAST_SAMPLES = WINDOW**2  # voxels of a window; fewer say nothing of noise


@dataclass(frozen=True, eq=False)
class Cleared:
    """A series without its noise, in its own voxel type. about: what was done, for the record, as plain values.

    about: method, the version of dipy, sigma (the noise's standard deviation in the scan's units, its median over the
    head), window (voxels along x, y, z).
    """

    volume: Volume
    about: dict[str, Any]


def check(volume: Volume) -> None:
    """Raise InputError for what is no diffusion series, or one too short or too small, and where DIPY is missing."""
    if volume.quantity == TENSOR:
        raise InputError("Tensors cannot be denoised by MP-PCA; denoise the series that they were fitted to.")
    if volume.count == 1:
        raise InputError(
            "The scan is a single volume, and MP-PCA tells noise by the many volumes of a diffusion series; leave "
            "denoising out."
        )
    if not is_diffusion(volume):
        raise InputError(
            "The series has no b-values, and only diffusion series are denoised; put its .bval and .bvec beside it, or "
            "leave denoising out."
        )
    if volume.count < FEWEST:
        raise InputError(
            f"The series has {volume.count} volumes, too few to tell noise from signal by MP-PCA ({FEWEST} or more); "
            "leave denoising out."
        )
    if np.prod(window(volume)) < LEAST_SAMPLES:
        size = " x ".join(map(str, volume.size))
        raise InputError(f"The series has {size} voxels, too few to tell noise by MP-PCA; leave denoising out.")
    _dipy()


def steps(volume: Volume) -> int:
    """How many steps of progress denoising has: one for each layer of each volume."""
    return volume.count * max(volume.size)


def window(volume: Volume) -> tuple[int, int, int]:
    """Voxels of a window along x, y, z: odd numbers, as many as give more voxels than the series has volumes."""
    for wide in range(WINDOW, WIDEST_WINDOW + 1, 2):
        x, y, z = (min(wide, n - 1 + n % 2) for n in volume.size)
        if x * y * z > volume.count:
            break
    return x, y, z


def denoising(volume: Volume) -> Generator[Progress, None, Cleared]:
    """Take the noise out of a series. What it gives does not hang on the slabs. Raises InputError as `check` does.

    Rician noise keeps its floor: what MP-PCA leaves is the mean of the noisy magnitude, not of the signal.
    """
    check(volume)
    _, release = _dipy()
    began, total = time.monotonic(), steps(volume)
    yield Progress(0, total, 0.0, f"first MP-PCA (DIPY {release}) takes the noise out of {volume.count} volumes")
    voxels, wide = volume.voxels, window(volume)
    axis = int(np.argmax(voxels.shape[1:]))  # the longest, so that slabs are small
    radius = np.array([n // 2 for n in wide[::-1]])
    lowest = voxels.min()
    cleared, sigma = np.empty_like(voxels), np.empty(voxels.shape[1:], np.float32)
    for kept, given in _slabs(voxels.shape, axis, int(radius[axis])):
        series = _along(axis, given, voxels).astype(np.float32) - np.float32(lowest)
        made, spread = _cleared(series, radius)
        inner = slice(kept.start - given.start, kept.stop - given.start)
        clean = _along(axis, inner, made) + np.float32(lowest)
        _along(axis, kept, cleared)[...] = cast_voxels(clean, voxels.dtype)
        _along(axis, kept, sigma[None])[...] = _along(axis, inner, spread[None])
        yield Progress(kept.stop * volume.count, total, time.monotonic() - began)
    about = {"method": "MP-PCA", "dipy": release, "sigma": _typical(volume, sigma), "window": list(wide)}
    return Cleared(volume.with_voxels(cleared), about)


def _cleared(series: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A slab (t, z, y, x) from 0 up without its noise, and sigma (z, y, x): NaN where a window shows none, as in air
    that is masked. radius: of a window along z, y, x.
    """
    mppca, _ = _dipy()
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of windows that show no noise, which are left as they are
        made, sigma = mppca(
            np.ascontiguousarray(np.moveaxis(series, 0, -1)),
            patch_radius=radius,
            return_sigma=True,
            suppress_warning=True,  # about windows of fewer voxels than volumes, where the scan has no wider ones
        )
    return np.moveaxis(made, -1, 0), sigma


def _slabs(shape: tuple[int, ...], axis: int, radius: int) -> list[tuple[slice, slice]]:
    """For each slab along a spatial axis what is kept of it, and what its windows, and those that overlap, look at."""
    around, length = 2 * radius, shape[1 + axis]
    layer = int(np.prod(shape)) // length
    thick = int(np.clip(SLAB_VALUES // layer - 2 * around, 1, WIDEST))
    firsts = range(0, length, thick)
    return [
        (slice(k, min(k + thick, length)), slice(max(k - around, 0), min(k + thick + around, length))) for k in firsts
    ]


def _along(axis: int, part: slice, series: np.ndarray) -> np.ndarray:
    """A view of part of a series (t, z, y, x) along a spatial axis."""
    return series[(slice(None),) * (1 + axis) + (part,)]


def _typical(volume: Volume, sigma: np.ndarray) -> float:
    """The median of sigma over the head, to four digits; 0 where no window shows noise."""
    mean = combine(volume.voxels, np.full((1, volume.count), 1 / volume.count))[0]
    inside = head(mean - background_levels(volume)[0])
    known = sigma[inside & np.isfinite(sigma)] if inside.any() else sigma[np.isfinite(sigma)]
    return float(f"{np.median(known):.4g}") if known.size else 0.0


def _dipy() -> tuple[Callable[..., Any], str]:
    """DIPY's MP-PCA, and the version of DIPY."""
    return dipy("denoise.localpca", "Denoising a series needs").mppca, version("dipy")
