"""Restoring a series jointly: every volume agrees with its scan, and fine detail is shared where it is common.

A coarse slice y = D x fixes a part of the fine slice x; only the rest, the null space of D, is for a network to say.
So (1) the forward model is recognised as the one under which the network's result, made coarse again, comes nearest to
the scan; (2) in its null space each volume keeps `OWN` of what sets it apart from the mean of its shell: on the
validation series that part carries more noise than signal, and FA and directions are read from just these differences;
(3) each volume is moved by the least distance to where D gives the scan back. Where no model fits (noise, another
coarsening), nothing is touched.
"""

import numpy as np

from SuperResolutionLib.diffusion.guides import mean_alike
from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.physics.agreement import projected, unseen
from SuperResolutionLib.physics.degradation import by_name
from SuperResolutionLib.physics.recognition import profile
from SuperResolutionLib.volume import Volume, cast_voxels

CANDIDATES = ("k_space", "k_space_tukey", "k_space_hamming", "bicubic", "area", "bicubic_blur3")
AGREEMENT = 36.0  # dB below which no model is taken for the scan's
OWN = 0.5  # how much of its own fine detail a volume keeps
SMALL = 0.05  # singular values far below this share of the largest are not inverted: they would raise noise
ITERATIONS = 6  # the phase of a truncated k-space settles in a few


def restore_jointly(low: Volume, enhanced: Volume, axis: int, scale: int, only: int | None = None) -> None:
    """Bring an enhanced series, in place, into agreement with its scan and with itself.

    low: a diffusion series. enhanced: what a network made of it, on the grid refined by `scale` across `axis`, or of
    slice `only` alone. Each slice position is decided on its own, by all volumes together.
    """
    assert low.gradients is not None
    ranges = np.array([data_range(voxels) for voxels in low.voxels], np.float32)[:, None, None]
    shares = mean_alike(low.gradients).astype(np.float32)
    sources, targets = stacks(low, axis), stacks(enhanced, axis)
    for k in range(len(sources[0])) if only is None else (only,):
        place = k if only is None else 0
        coarse = np.stack([source[k] for source in sources]) / ranges
        fine = np.stack([target[place] for target in targets]) / ranges
        name = recognised(fine, coarse, scale)
        if name is None:
            continue
        for target, slice_ in zip(targets, agreed(fine, coarse, name, scale, shares) * ranges, strict=True):
            target[place] = cast_voxels(slice_, target.dtype)


def agreed(fine: np.ndarray, coarse: np.ndarray, name: str, scale: int, shares: np.ndarray) -> np.ndarray:
    """One slice position of all volumes, by a known model: fine (t, s h, s w), coarse (t, h, w) -> (t, s h, s w)."""
    apart = fine - np.tensordot(shares, fine, 1)
    model = by_name(name)
    shared = fine - np.float32(1 - OWN) * unseen(apart, model, scale, SMALL)
    return projected(shared, coarse, model, scale, ITERATIONS, SMALL)


def recognised(fine: np.ndarray, coarse: np.ndarray, scale: int) -> str | None:
    """The forward model that takes `fine` nearest to `coarse`; None where none comes as near as AGREEMENT."""
    near = profile(fine, coarse, CANDIDATES, scale)
    return CANDIDATES[int(near.argmax())] if near.max() > AGREEMENT else None
