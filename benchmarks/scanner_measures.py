"""How far restored slices lie from the truth: intensities, structure, added detail, what lies beyond edges."""

import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter

from SuperResolutionLib.physics.frequencies import beyond_band
from SuperResolutionLib.quality.metrics import mean_ssim

EDGES = 90  # percentile of the truth's gradient in the head, above which a voxel lies at an edge
BESIDE = 2  # voxels beside them: on the steepest ones nothing lies outside of its neighbours, halos lie next to them
FAR = 99  # percentile of how far results lie beyond the truth's neighbourhood there


def measures(truth: np.ndarray, restored: np.ndarray, inside: np.ndarray, scale: int) -> dict[str, float]:
    """All figures of one result, by name; slices (n, h, w) of range 1.

    inside: where the head is, bool. psnr_head: dB. detail: the factor by which what the result has beyond the coarse
    Nyquist frequency comes nearest to the truth's: below 1 it is too sure. overshoot: % of the range, near edges.
    """
    truth, restored = truth.astype(np.float64), restored.astype(np.float64)
    square = float(np.square(restored - truth)[inside].mean())
    return {
        "psnr_head": -10 * float(np.log10(square)),
        "ssim": mean_ssim(truth, restored, inside, 1.0) or 0.0,
        "detail": detail(truth, restored, scale),
        "overshoot": overshoot(truth, restored, inside),
    }


def detail(truth: np.ndarray, restored: np.ndarray, scale: int) -> float:
    """The least-squares gain of a result's detail beyond the coarse Nyquist frequency against the truth's."""
    beyond = beyond_band(*truth.shape[1:], scale)
    theirs, ours = (np.fft.fft2(stack)[:, beyond] for stack in (truth, restored))
    return float((theirs * ours.conj()).real.sum() / (np.square(np.abs(ours)).sum() + 1e-12))


def overshoot(truth: np.ndarray, restored: np.ndarray, inside: np.ndarray) -> float:
    """How far (% of the range, its 99th percentile) voxels near edges lie outside the truth's 3x3x3 neighbourhood."""
    slope = np.sqrt(sum(np.square(part) for part in np.gradient(truth)[1:]))
    steep = inside & (slope > np.percentile(slope[inside], EDGES))
    edges = inside & maximum_filter(steep, (1, 2 * BESIDE + 1, 2 * BESIDE + 1))
    above = restored - maximum_filter(truth, 3)
    below = minimum_filter(truth, 3) - restored
    return 100 * float(np.percentile(np.maximum(np.maximum(above, below), 0)[edges], FAR))
