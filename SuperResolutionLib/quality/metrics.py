"""PSNR, SSIM and NMSE of a restored volume, per slice and per volume.

The rules are fixed, so that a number means the same wherever the project prints it: R is the 99.9th
percentile of the whole truth, nothing is clipped, the head is where the truth exceeds 5 % of R, and SSIM is
2-D with a Gaussian window of sigma 1.5 and population covariance (Wang 2004), averaged over the slices of
which more than 5 % is head.
"""

import math
from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacking_axis, stacks
from SuperResolutionLib.volume import Volume, signal_only


@dataclass(frozen=True)
class Score:
    """Quality against the truth. psnr, psnr_head: dB. ssim: None where no slice is large enough."""

    psnr: float
    psnr_head: float
    ssim: float | None
    nmse: float


def score(truth: Volume, restored: Volume, axis: int | None = None, with_ssim: bool = True) -> Score:
    """Score a volume, or a series volume by volume and averaged.

    axis: the axis slices are stacked along; by default the truth's acquisition axis.
    restored: on the grid of the truth. with_ssim: whether SSIM is measured too, which takes longest.
    Raises InputError where the grids differ in size, voxels are not finite, or are tensors.
    """
    signal_only(truth, "scored by PSNR and SSIM")
    axis = stacking_axis(truth) if axis is None else axis
    if truth.voxels.shape != restored.voxels.shape:
        raise InputError(f"The volumes to compare differ in size: {truth.voxels.shape} and {restored.voxels.shape}.")
    rows = [_score(t, p, with_ssim) for t, p in zip(stacks(truth, axis), stacks(restored, axis), strict=True)]
    ssims = [row.ssim for row in rows if row.ssim is not None]
    return Score(
        psnr=float(np.mean([row.psnr for row in rows])),
        psnr_head=float(np.mean([row.psnr_head for row in rows])),
        ssim=float(np.mean(ssims)) if ssims else None,
        nmse=float(np.mean([row.nmse for row in rows])),
    )


def psnr_head_slices(truth: Volume, restored: Volume, axis: int) -> list[float | None]:
    """psnr_head (dB) slice by slice, with the whole volume's R; None where no voxel of a slice is head.

    Of a series: each slice's mean over the volumes that have head in it.
    """
    signal_only(truth, "scored by PSNR")
    pairs = zip(stacks(truth, axis), stacks(restored, axis), strict=True)
    return [_mean(values) for values in zip(*(_psnr_heads(t, p) for t, p in pairs), strict=True)]


def _psnr_heads(truth: np.ndarray, restored: np.ndarray) -> list[float]:
    """One number a slice; NaN where there is no head."""
    r = _range(truth)
    pairs = zip(truth, restored, strict=True)
    return [_measure(t[None], p[None], r, with_ssim=False).psnr_head for t, p in pairs]


def _mean(values: tuple[float, ...]) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else None


def _score(truth: np.ndarray, restored: np.ndarray, with_ssim: bool) -> Score:
    if not np.isfinite(restored).all():
        raise InputError("The restored volume has NaN or infinite voxels; it cannot be scored.")
    return _measure(truth, restored, _range(truth), with_ssim)


def _range(truth: np.ndarray) -> float:
    r = float(np.percentile(truth, 99.9))
    if r <= 0:
        raise InputError("The truth is empty: its 99.9th percentile is not above 0, so there is nothing to score.")
    return r


def _measure(truth: np.ndarray, restored: np.ndarray, r: float, with_ssim: bool) -> Score:
    truth, restored = truth.astype(np.float64), restored.astype(np.float64)
    error = (truth - restored) ** 2
    head = truth > 0.05 * r
    floor = 1e-12 * r**2  # keeps an exact copy at 120 dB
    power = (truth**2).sum()
    return Score(
        psnr=_decibels(r, error.mean() + floor),
        psnr_head=_decibels(r, error[head].mean() + floor) if head.any() else float("nan"),
        ssim=mean_ssim(truth, restored, head, r) if with_ssim else None,
        nmse=float(error.sum() / power) if power > 0 else float("nan"),
    )


def _decibels(r: float, mean_square: float) -> float:
    return float(10 * np.log10(r**2 / mean_square))


def difference(one: np.ndarray, other: np.ndarray, r: float) -> float:
    """How different two restorations are: the root mean square, in % of the data range r."""
    return float(100 * np.sqrt(np.mean(np.square(one.astype(np.float64) - other))) / r)


def mean_ssim(truth: np.ndarray, restored: np.ndarray, region: np.ndarray, r: float) -> float | None:
    """Mean SSIM of the slices (n, h, w) of which more than 5 % lies in a region; None where there is none to measure.

    r: the data range. Slices smaller than the window of 11 voxels are not measured.
    truth, restored: the slices. region: a mask of the same shape.
    """
    shown = [k for k in range(len(truth)) if region[k].mean() > 0.05] if min(truth.shape[1:]) >= 11 else []
    values = [ssim_map(truth[k], restored[k], r)[0] for k in shown]
    return float(np.mean(values)) if values else None


def ssim_map(truth: np.ndarray, restored: np.ndarray, r: float) -> tuple[float, np.ndarray]:
    """SSIM of one slice of at least 11 x 11 voxels, and of each voxel's surroundings. r: the data range."""
    from skimage.metrics import structural_similarity

    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    whole, places = structural_similarity(truth, restored, data_range=r, full=True, **settings)
    return float(whole), np.asarray(places)
