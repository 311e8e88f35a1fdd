"""Diffusion tensors of a series, fitted by DIPY, and the maps that are read from them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from SuperResolutionLib.diffusion.components import along, components
from SuperResolutionLib.diffusion.dipy_parts import dipy, gradient_table
from SuperResolutionLib.diffusion.shells import distinct
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.volume import TENSOR, UNWEIGHTED, Gradients, Volume

METHODS = ("wls", "ols")
# Where an image is zero or negative, the logarithm is taken of this share of the b0 image's range. DIPY's own floor,
# 1e-4 of whatever unit, lets a single voxel of ringing below zero have a diffusivity of thousands.
LEAST_SIGNAL = 1e-3
# Above, the logarithm of the signal is no straight line of b any more (kurtosis), and MD comes out too low.
LARGEST_B = 1500.0  # s/mm2
NOMINAL = 1.05  # b-values are stated about those that were asked for
SLAB_VALUES = 2**22  # measurements fitted at once: some 100 MB in all


@dataclass(frozen=True, eq=False)
class Tensors:
    """A fitted tensor per voxel and what is read from it; all zero outside `mask`.

    tensor: a volume of tensors, float32 mm2/s.
    mask: (z, y, x) bool. fa: (z, y, x) float32, 0 to 1. md, ad, rd: (z, y, x) float32 mm2/s: mean, axial and radial
    diffusivity. direction: (z, y, x, 3) float32, unit eigenvector of the largest eigenvalue, in LPS, sign arbitrary.
    note: which b-values were fitted, where it is not all, or more than is right.
    """

    tensor: Volume
    mask: np.ndarray
    fa: np.ndarray
    md: np.ndarray
    ad: np.ndarray
    rd: np.ndarray
    direction: np.ndarray
    note: str = ""

    @property
    def colour(self) -> np.ndarray:
        """(z, y, x, 3) float32, 0 to 1: |direction| x FA; red left-right, green anterior-posterior, blue up-down."""
        colour: np.ndarray = np.abs(self.direction) * self.fa[..., None]
        return colour


def fit_tensors(
    volume: Volume, method: str = "wls", mask: np.ndarray | None = None, largest_b: float = LARGEST_B
) -> Tensors:
    """Fit a tensor to every voxel of a series inside the mask, slab by slab.

    method: "wls", weighted least squares (Chung 2006), or "ols", ordinary least squares of the logarithms, as scanners
    fit. mask: (z, y, x) bool; by default the head, see `head_mask`. No eigenvalue is negative. largest_b: s/mm2,
    volumes above are left out, unless those up to it do not determine a tensor.
    volume: a series with its gradients.
    Raises InputError where DIPY is missing, or the series or the mask does not allow a fit.
    """
    checked_gradients(volume)
    volume, note = _up_to(volume, largest_b)
    gradients = checked_gradients(volume)
    dti, model = _model(gradients, method, LEAST_SIGNAL * data_range(mean_b0(volume)))
    mask = head_mask(volume) if mask is None else mask.astype(bool)
    if mask.shape != volume.voxels.shape[1:]:
        raise InputError(
            f"The mask has {mask.shape[::-1]} voxels and the series {volume.size}; give a mask on the series' own grid."
        )
    if not mask.any():
        raise InputError("The mask is empty, so there is no voxel to fit a tensor in; give another mask, or none.")
    tensor = np.zeros((6, *mask.shape), np.float32)
    maps = {name: np.zeros(mask.shape, np.float32) for name in ("fa", "md", "ad", "rd")}
    direction = np.zeros((*mask.shape, 3), np.float32)
    for slab in _slabs(volume.voxels.shape):
        inside = mask[slab]
        if not inside.any():
            continue
        signals = np.moveaxis(volume.voxels[:, slab], 0, -1)[inside].astype(np.float64)
        fit = model.fit(signals)
        tensor[:, slab][:, inside] = components(fit.quadratic_form)
        maps["fa"][slab][inside] = dti.fractional_anisotropy(fit.evals)
        maps["md"][slab][inside] = fit.evals.mean(axis=-1)
        maps["ad"][slab][inside] = fit.evals[:, 0]
        maps["rd"][slab][inside] = fit.evals[:, 1:].mean(axis=-1)
        direction[slab][inside] = fit.evecs[:, :, 0]
    about = None if volume.header is None else volume.header.of_a_map()
    grid = Volume(tensor, volume.spacing, volume.origin, volume.direction, quantity=TENSOR, header=about)
    return Tensors(grid, mask, **maps, direction=direction, note=note)


def _up_to(volume: Volume, largest_b: float) -> tuple[Volume, str]:
    """The volumes of a series up to a b-value, and a sentence where that is not all, or cannot be."""
    gradients = _gradients(volume)
    few = gradients.bvals <= NOMINAL * largest_b
    if few.all():
        return volume, ""
    chosen = replace(volume, voxels=volume.voxels[few], gradients=Gradients(gradients.bvals[few], gradients.bvecs[few]))
    try:
        checked_gradients(chosen)
    except InputError:
        return volume, (
            f"fitted to all b-values up to {gradients.bvals.max():.0f} s/mm2, for those up to {largest_b:.0f} do not "
            "determine a tensor: MD may be too low"
        )
    return chosen, (
        f"fitted to the {few.sum()} volumes up to b = {largest_b:.0f} s/mm2; {(~few).sum()} of higher b-values, "
        f"up to {gradients.bvals.max():.0f}, were left out"
    )


def head_mask(volume: Volume) -> np.ndarray:
    """The head in a series: median-Otsu (DIPY) of the mean b0 image. (z, y, x) bool.

    Raises InputError where DIPY is missing, there is no b0, or nothing stands out.
    """
    median_otsu = dipy("segment.mask").median_otsu
    _, mask = median_otsu(mean_b0(volume), median_radius=4, numpass=4)
    if not mask.any():
        raise InputError("No head stands out in the b0 images of the series; give a mask, or fit without one.")
    found: np.ndarray = mask
    return found


def mean_b0(volume: Volume) -> np.ndarray:
    """The mean of the images without diffusion weighting, (z, y, x) float64. Raises InputError where there is none."""
    return np.asarray(np.mean(volume.voxels[~_weighted(_gradients(volume))], axis=0, dtype=np.float64))


def _weighted(gradients: Gradients) -> np.ndarray:
    weighted: np.ndarray = gradients.bvals > UNWEIGHTED
    if weighted.all():
        raise InputError(
            f"The series has no b0 image: its lowest b-value is {gradients.bvals.min():.0f} s/mm2; "
            "a tensor needs one volume without diffusion weighting."
        )
    return weighted


def checked_gradients(volume: Volume) -> Gradients:
    """The gradients of a series that a tensor can be fitted to. Raises InputError for any other volume."""
    gradients = _gradients(volume)
    weighted = _weighted(gradients)
    if not weighted.any():
        raise InputError(
            f"All {volume.count} volumes of the series are b0 images (b below {UNWEIGHTED:.0f} s/mm2); a tensor needs "
            "at least 6 diffusion-weighted ones."
        )
    bvecs = gradients.bvecs[weighted]
    lengths = np.linalg.norm(bvecs, axis=1)
    if np.abs(lengths - 1).max() > 0.01:
        raise InputError(
            f"The series has gradients that are not unit vectors (lengths {lengths.min():.3g} to {lengths.max():.3g}); "
            "correct its b-vectors."
        )
    if weighted.sum() < 6 or np.linalg.matrix_rank(along(bvecs), tol=1e-3) < 6:
        raise InputError(
            f"The series has {weighted.sum()} diffusion-weighted volumes in {distinct(bvecs)} directions that do not "
            "determine a tensor; it takes at least 6 directions, spread over the sphere."
        )
    return gradients


def _gradients(volume: Volume) -> Gradients:
    if volume.voxels.ndim != 4 or volume.gradients is None:
        kind = "a single volume" if volume.voxels.ndim != 4 else f"a series of {volume.count} volumes"
        raise InputError(
            f"This is {kind} without gradients, and tensors need a diffusion series; put its .bval and .bvec "
            "files beside it, or give the DICOM or NRRD series."
        )
    return volume.gradients


def _model(gradients: Gradients, method: str, least: float) -> tuple[Any, Any]:
    """DIPY's module of tensors, and its model for the gradients; signals below `least` are taken as `least`."""
    if method not in METHODS:
        raise InputError(f"There is no way to fit tensors called '{method}'; known are: {', '.join(METHODS)}.")
    dti = dipy("reconst.dti")
    return dti, dti.TensorModel(gradient_table(gradients), fit_method=method.upper(), min_signal=least)


def _slabs(shape: tuple[int, ...]) -> Iterator[slice]:
    """Slabs of slices with at most SLAB_VALUES measurements, at least one slice."""
    count, depth, rows, columns = shape
    thick = max(1, SLAB_VALUES // (count * rows * columns))
    for first in range(0, depth, thick):
        yield slice(first, first + thick)
