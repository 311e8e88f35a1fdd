"""What sets the volumes of a diffusion series apart, kept as strong as the scan has it, and without its noise.

FA and directions are read from how each volume differs from the mean of its shell. The mean has little noise, and a
network restores it well. The differences are weak, and where there is noise a network takes both away: FA comes out
too low. So the noisier the scan, the more of the differences is taken from the scan itself, cleared of noise by all
volumes together (`diffusion.denoising`) and sinc-interpolated; and all of them are made as strong as the scan shows
them: by the slope of its own differences over those of the result, made coarse again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.diffusion.denoising import FEWEST, Denoiser
from SuperResolutionLib.diffusion.guides import background_levels, combine, has_contrast, mean_alike, unweighted
from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.intensity import head
from SuperResolutionLib.physics.projection import apply_forward, spread_back
from SuperResolutionLib.physics.transfer import TRUNCATION
from SuperResolutionLib.volume import Volume, cast_voxels

# Chosen on the three training series with Rician noise of SNR 20 and 40 and without: docs/diffusion.md.
SHARE = 0.4  # of the differences that the cleared scan gives where it is noisy; the network gives the others
CALM, NOISY = 0.05, 0.15  # shares of noise in the differences' power up to which the scan gives none, and all of it
STRONGEST = 1.3  # slope beyond which nothing is made stronger
FINEST = 2  # times finer than the scan: what this was chosen and measured at
SEEN = 0.02  # what is worth a word


@dataclass(frozen=True)
class Contrast:
    """The share of noise in the power of one slice position's differences, and by what they were scaled."""

    noise: float = 0.0
    gain: float = 1.0


def keeping_contrast(
    low: Volume,
    restored: Volume,
    axis: int,
    models: Sequence[str | None],
    only: int | None = None,
    denoise: float = 1.0,
) -> Iterator[Contrast]:
    """Keep the differences between the volumes of a series, in place; yields what was done at each slice position.

    low: the scan. restored: on the refined grid, or slice `only` of it; keeps its voxel type. axis: slices are stacked
    along. models: the forward model by which each slice position of restored was put back, None where it was not: where
    it was, the scan's own differences are back, and nothing is done. denoise: the share of the scan's noise that is
    left out of what is taken from it, 0 to 1. A series of fewer weighted volumes than noise can be told from is left
    alone, and so is a result more than FINEST times finer than the scan.
    """
    if not has_contrast(low) or low.gradients is None:
        return
    weighted = ~unweighted(low.gradients)
    if weighted.sum() < FEWEST:
        return
    shares = mean_alike(low.gradients).astype(np.float32)
    sources, targets = stacks(low, axis), stacks(restored, axis)
    if targets[0].shape[1] > FINEST * sources[0].shape[1]:
        return
    mean = combine(low.voxels, weighted[None] / weighted.sum())[0]
    inside = np.moveaxis(head(mean - background_levels(low)[0]), 2 - axis, 0)
    denoiser = Denoiser(sources)
    places = enumerate(range(len(sources[0])) if only is None else (only,))
    for (place, k), model in zip(places, models, strict=True):
        if model is not None:
            continue
        scan, fine = (
            np.stack([stack[at] for stack in volumes]).astype(np.float32)
            for volumes, at in ((sources, k), (targets, place))
        )
        noise = np.float32(denoise) * (scan - denoiser.slice(k))
        made, contrast = _kept(fine, scan, noise, _Directions(shares, weighted, inside[k]))
        for target, slice_ in zip(targets, made, strict=True):
            target[place] = cast_voxels(slice_, target.dtype)
        yield contrast


def in_words(found: Sequence[Contrast]) -> str:
    """What was done to a series, for its record; nothing where hardly anything was."""
    if not found:
        return ""
    noise, gain = (float(np.median(values)) for values in zip(*((c.noise, c.gain) for c in found), strict=True))
    if noise < SEEN and gain < 1 + SEEN:
        return ""
    return (
        f"noise makes {noise:.0%} of the differences between the volumes; they were in part taken from the scan, "
        f"without its noise (MP-PCA), and made {gain:.2f} times as strong, as the scan has them"
    )


@dataclass(frozen=True, eq=False)
class _Directions:
    """shares: (t, t), of each volume in the mean of its like. weighted: (t,) bool. inside: the head, (h, w) bool."""

    shares: np.ndarray
    weighted: np.ndarray
    inside: np.ndarray

    def means(self, slices: np.ndarray) -> np.ndarray:
        """For each slice (t, h, w) the mean of those weighted alike."""
        return np.tensordot(self.shares, slices, 1)

    def looked_at(self, slices: np.ndarray) -> np.ndarray:
        """The values inside the head of the weighted volumes, (weighted, voxels)."""
        return slices[self.weighted][:, self.inside]


def _kept(
    fine: np.ndarray, scan: np.ndarray, noise: np.ndarray, directions: _Directions
) -> tuple[np.ndarray, Contrast]:
    """One slice position of all volumes: fine (t, H, W), the scan and its noise (t, h, w) -> (t, H, W)."""
    measured = scan - directions.means(scan)
    seen = directions.looked_at(measured)
    power = float(np.square(seen).mean()) if seen.size else 0.0
    if not power:
        return fine, Contrast()
    noisy = min(float(np.square(directions.looked_at(noise)).mean()) / power, 1.0)
    share = np.float32(SHARE * np.clip((noisy - CALM) / (NOISY - CALM), 0, 1))
    means, clear = directions.means(fine), measured - (noise - directions.means(noise))
    apart = (1 - share) * (fine - means) + share * spread_back(clear, TRUNCATION, fine.shape)
    shown = directions.looked_at(apply_forward(apart, TRUNCATION, scan.shape).real)
    slope = float((shown * seen).sum() / (np.square(shown).sum() + 1e-12 * power * seen.size))
    gain = min(max(slope, 1.0), STRONGEST)
    gains = np.where(directions.weighted, gain, 1.0).astype(np.float32)
    return means + gains[:, None, None] * apart, Contrast(noisy, gain)
