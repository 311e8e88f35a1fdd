"""How far a restored diffusion series is from the true one: in its images and in the tensors read from them.

R, the data range, is the 99.9th percentile of the truth's first b0 image, one for the whole series. The mask is the
head of the truth (`head_mask`), white matter where the truth's FA exceeds 0.2. Tensors of both are fitted in the same
mask by the same method.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from SuperResolutionLib.diffusion.tensors import Tensors, fit_tensors, mean_b0
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacking_axis, stacks
from SuperResolutionLib.quality.metrics import mean_ssim
from SuperResolutionLib.volume import UNWEIGHTED, Volume

WHITE_MATTER = 0.2  # FA above which a voxel counts as white matter
DIRECTED = 0.3  # FA above which a principal direction means something
FLUID = 2.0e-3  # mm2/s: MD above which a voxel counts as cerebrospinal fluid
GREY = (0.6e-3, 1.2e-3)  # mm2/s: MD of grey matter, where FA is no higher than that of white matter
RIM = 2  # voxels: fluid and grey matter nearer to the mask's edge are left out, for there are eyes and air
CALM = 25  # per cent of the mask with the smallest relative gradient of b0: homogeneous regions


@dataclass(frozen=True)
class TensorErrors:
    """What is lost in a restored series; every mean is over voxels of the truth's mask.

    psnr: dB in the mask over all volumes together. ssim: 2-D SSIM, the mean over the slices of which more than 5 % is
    mask, then over volumes; None where slices are smaller than its window. fa, fa_white: mean absolute error in the
    mask and in white matter. md, md_white: the same, 1e-3 mm2/s. angle: median between the principal directions,
    degrees, where the truth's FA exceeds 0.3. signal_ratio: how much S/S0 changes in homogeneous regions: the median
    over voxels of the relative change, of the weighted volume where it is largest; signal_ratio_bias: the mean over
    the weighted volumes, with its sign. fa_fluid: mean FA in cerebrospinal fluid, not an error. psnr_weighted: as psnr,
    over the weighted volumes alone. fa_white_bias, fa_grey_bias, fa_fluid_bias: the mean signed error of FA in white
    matter, in grey matter and in cerebrospinal fluid. Figures of a region or of volumes that the truth does not have
    are None.
    """

    psnr: float
    ssim: float | None
    fa: float
    fa_white: float | None
    md: float
    md_white: float | None
    angle: float | None
    signal_ratio: float
    fa_fluid: float | None
    psnr_weighted: float | None = None
    fa_white_bias: float | None = None
    fa_grey_bias: float | None = None
    fa_fluid_bias: float | None = None
    signal_ratio_bias: float | None = None


HIGHER_IS_BETTER = ("psnr", "ssim", "psnr_weighted")


def best_of(rows: Sequence[TensorErrors]) -> TensorErrors:
    """The best figure of several methods for each measure separately: what a model has to be better than."""
    figures: dict[str, Any] = {}
    for measure in (field.name for field in fields(TensorErrors)):
        known = [value for row in rows if (value := getattr(row, measure)) is not None]
        choose = max if measure in HIGHER_IS_BETTER else min
        figures[measure] = choose(known, key=abs if measure.endswith("_bias") else None) if known else None
    return TensorErrors(**figures)


@dataclass(frozen=True, eq=False)
class Reference:
    """The truth with all that is measured against: tensors, data range R, axis of slices, regions (z, y, x) bool."""

    truth: Volume
    tensors: Tensors
    method: str
    r: float
    axis: int
    white: np.ndarray
    directed: np.ndarray
    calm: np.ndarray
    fluid: np.ndarray
    grey: np.ndarray

    @property
    def fa_fluid(self) -> float | None:
        """Mean FA of the truth in cerebrospinal fluid."""
        return _mean(self.tensors.fa, self.fluid)


def reference(truth: Volume, axis: int | None = None, method: str = "wls") -> Reference:
    """Fit the truth once. axis: slices are stacked along, for SSIM; by default the truth's acquisition axis.

    Raises InputError where no tensor can be fitted (see `fit_tensors`), or the first b0 image is empty.
    """
    tensors = fit_tensors(truth, method)
    assert truth.gradients is not None
    first = truth.voxels[int(np.argmax(truth.gradients.bvals <= UNWEIGHTED))]
    r = float(np.percentile(first, 99.9))
    if r <= 0:
        raise InputError("The first b0 image of the series is empty, so there is no range to measure errors in.")
    mask = tensors.mask
    inner = _inner(mask)
    return Reference(
        truth,
        tensors,
        method,
        r,
        stacking_axis(truth) if axis is None else axis,
        white=mask & (tensors.fa > WHITE_MATTER),
        directed=mask & (tensors.fa > DIRECTED),
        calm=_calm(mean_b0(truth), mask),
        fluid=inner & (tensors.md > FLUID),
        grey=inner & (tensors.fa <= WHITE_MATTER) & (tensors.md > GREY[0]) & (tensors.md < GREY[1]),
    )


def tensor_errors(given: Reference, restored: Volume, with_ssim: bool = True) -> tuple[TensorErrors, Tensors]:
    """The errors of a restored series on the truth's grid, and its tensors. The gradients are the truth's.

    Raises InputError where it has another size, or voxels that are not finite.
    """
    check_restored(given, restored)
    restored = replace(restored, gradients=given.truth.gradients)
    found, true = fit_tensors(restored, given.method, given.tensors.mask), given.tensors
    bias, md = found.fa - true.fa, 1e3 * np.abs(found.md - true.md)
    fa, changes = np.abs(bias), ratio_changes(given, restored)
    errors = TensorErrors(
        psnr=_psnr(given, restored),
        ssim=_ssim(given, restored) if with_ssim else None,
        fa=float(fa[true.mask].mean()),
        fa_white=_mean(fa, given.white),
        md=float(md[true.mask].mean()),
        md_white=_mean(md, given.white),
        angle=_median(angles(found.direction, true.direction), given.directed),
        signal_ratio=max(abs(change) for change in changes),
        fa_fluid=_mean(found.fa, given.fluid),
        psnr_weighted=_psnr(given, restored, weighted=True),
        fa_white_bias=_mean(bias, given.white),
        fa_grey_bias=_mean(bias, given.grey),
        fa_fluid_bias=_mean(bias, given.fluid),
        signal_ratio_bias=float(np.mean(changes)),
    )
    return errors, found


def check_restored(given: Reference, restored: Volume) -> None:
    """Raise InputError for a restored series of another size than the truth, or with voxels that are not finite."""
    if restored.voxels.shape != given.truth.voxels.shape:
        raise InputError(
            f"The series to compare differ in size: {given.truth.voxels.shape} and {restored.voxels.shape}."
        )
    if not np.isfinite(restored.voxels).all():
        raise InputError("The restored series has NaN or infinite voxels; it cannot be measured.")


def angles(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Degrees, 0 to 90, between two fields of axes (..., 3): a direction and its opposite are one axis."""
    cosine = np.abs((one * other).sum(axis=-1, dtype=np.float64))
    return np.degrees(np.arccos(np.clip(cosine, 0, 1)))


def ratio_changes(given: Reference, restored: Volume) -> list[float]:
    """Of each weighted volume, the median relative change of S/S0 over the voxels of homogeneous regions.

    Where S or S0 is not above 0 in the truth, there is no ratio; such voxels are left out.
    """
    assert given.truth.gradients is not None
    s0, new_s0 = mean_b0(given.truth)[given.calm], mean_b0(restored)[given.calm]
    changes = []
    for k in np.flatnonzero(given.truth.gradients.bvals > UNWEIGHTED):
        s, new = (volume.voxels[k][given.calm].astype(np.float64) for volume in (given.truth, restored))
        known = (s > 0) & (s0 > 0) & (new_s0 > 0)
        relative = (new[known] / new_s0[known]) / (s[known] / s0[known]) - 1
        changes.append(float(np.median(relative)) if known.any() else 0.0)
    return changes


def _psnr(given: Reference, restored: Volume, weighted: bool = False) -> float:
    """Over all volumes, or the weighted ones; a truth of which tensors were fitted has some."""
    assert given.truth.gradients is not None
    mask, bvals = given.tensors.mask, given.truth.gradients.bvals
    chosen = np.flatnonzero(bvals > UNWEIGHTED) if weighted else range(len(bvals))
    pairs = ((given.truth.voxels[k][mask], restored.voxels[k][mask]) for k in chosen)
    squares = [np.square(t.astype(np.float64) - p).mean() for t, p in pairs]
    return float(10 * np.log10(given.r**2 / (np.mean(squares) + 1e-12 * given.r**2)))


def _ssim(given: Reference, restored: Volume) -> float | None:
    region = np.moveaxis(given.tensors.mask, 2 - given.axis, 0)
    pairs = zip(stacks(given.truth, given.axis), stacks(restored, given.axis), strict=True)
    values = [mean_ssim(t.astype(np.float64), p.astype(np.float64), region, given.r) for t, p in pairs]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _calm(b0: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The part of the mask where b0 changes least from voxel to voxel, relative to itself."""
    changes = [np.gradient(b0, axis=k) if n > 1 else np.zeros_like(b0) for k, n in enumerate(b0.shape)]
    relative = np.sqrt(np.sum(np.square(changes), axis=0)) / np.maximum(b0, 1e-6 * b0.max())
    calm: np.ndarray = mask & (relative <= np.percentile(relative[mask], CALM))
    return calm


def _inner(mask: np.ndarray) -> np.ndarray:
    """The mask without its outer RIM voxels; the edge of the image counts as outside."""
    from scipy.ndimage import binary_erosion

    inner: np.ndarray = binary_erosion(mask, iterations=RIM)
    return inner


def _mean(values: np.ndarray, region: np.ndarray) -> float | None:
    return float(values[region].mean()) if region.any() else None


def _median(values: np.ndarray, region: np.ndarray) -> float | None:
    return float(np.median(values[region])) if region.any() else None
