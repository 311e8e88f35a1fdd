"""Guides: what the other volumes of a diffusion series know about the one being restored.

All volumes of a series show the same anatomy, each with noise of its own. A guide is a weighted sum of volumes, so
less noisy than any of them; a network takes it as one more channel beside the slices it restores.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from SuperResolutionLib.diffusion.components import along
from SuperResolutionLib.diffusion.shells import alike
from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.intensity import background_level
from SuperResolutionLib.volume import UNWEIGHTED, Gradients, Volume


def unweighted(gradients: Gradients) -> np.ndarray:
    """Which volumes have no diffusion weighting, (t,) bool; those of the lowest b-value where all are weighted."""
    return gradients.bvals <= max(UNWEIGHTED, float(gradients.bvals.min()))


def is_diffusion(volume: Volume) -> bool:
    """Whether a scan is a diffusion series; it may be one of b0 images, or without any, or without directions."""
    return volume.count > 1 and volume.gradients is not None


def has_contrast(volume: Volume) -> bool:
    """Whether a scan is a diffusion series with weighted volumes beside others of a lower b-value."""
    return is_diffusion(volume) and bool((~unweighted(volume.gradients)).any())  # type: ignore[arg-type]


def lacking(volume: Volume) -> list[str]:
    """One sentence for each thing that a diffusion series usually has and this one has not."""
    if not is_diffusion(volume):
        return []
    gradients = volume.gradients
    assert gradients is not None
    weighted = gradients.bvals > UNWEIGHTED
    found = []
    if weighted.all():
        found.append(f"it is a diffusion series without a b0 image (b from {gradients.bvals.min():.0f} s/mm2 on)")
    if not weighted.any():
        found.append("it is a diffusion series of b0 images only")
    if lost := int((weighted & ~gradients.bvecs.any(axis=1)).sum()):
        found.append(f"it is a diffusion series with {lost} weighted volumes without a direction")
    return found


def background_levels(volume: Volume) -> list[float]:
    """The value that stands for no signal in each 3-D volume: of a diffusion series one, so that guides have it too."""
    volumes = volume.voxels if volume.voxels.ndim == 4 else volume.voxels[None]
    levels = [background_level(voxels) for voxels in volumes]
    return [min(levels)] * len(levels) if is_diffusion(volume) else levels


def _shells(gradients: Gradients) -> np.ndarray:
    """(t, t) bool: row i tells the weighted volumes of volume i's b-value; for an unweighted i all weighted ones."""
    free = unweighted(gradients)
    shells = np.where(free[:, None], True, alike(gradients.bvals)) & ~free
    return np.where(shells.any(axis=1, keepdims=True), shells, True)  # a series without any weighting: all volumes


def _mean(chosen: np.ndarray) -> np.ndarray:
    return chosen / chosen.sum(axis=-1, keepdims=True)


def mean_b0(gradients: Gradients) -> np.ndarray:
    """The mean of the unweighted volumes."""
    return np.broadcast_to(_mean(unweighted(gradients)), (len(gradients.bvals),) * 2)


def mean_weighted(gradients: Gradients) -> np.ndarray:
    """The mean of the weighted volumes of the same b-value; beside an unweighted volume, of all weighted ones."""
    return _mean(_shells(gradients))


def mean_alike(gradients: Gradients) -> np.ndarray:
    """The mean of the volumes that are weighted like each one: of its shell, or of the unweighted ones."""
    return np.where(unweighted(gradients)[:, None], mean_b0(gradients), mean_weighted(gradients))


def fitted(gradients: Gradients) -> np.ndarray:
    """The volume as its whole shell predicts it: the signal as a quadratic form of the direction, least squares.

    Six numbers describe the signal of a shell to second order (the even spherical harmonics up to degree 2; Descoteaux
    2007), and more than six volumes measure them. Beside an unweighted volume, or one without a direction: the mean.
    """
    form, shells = along(gradients.bvecs), _shells(gradients)
    directed = np.linalg.norm(gradients.bvecs, axis=1) > 0.5
    rows = mean_alike(gradients)
    for i in np.flatnonzero(directed & ~unweighted(gradients)):
        shell = np.flatnonzero(shells[i] & directed)
        rows[i] = 0
        rows[i, shell] = form[i] @ np.linalg.pinv(form[shell])
    return rows


GUIDES: dict[str, Callable[[Gradients], np.ndarray]] = {
    "mean_b0": mean_b0,
    "mean_weighted": mean_weighted,
    "fitted": fitted,
}


def check(names: Sequence[str]) -> None:
    """Raise InputError for a guide that does not exist, naming the nearest."""
    for name in names:
        if name not in GUIDES:
            raise unknown("guide", name, GUIDES)


def weights(volume: Volume, names: Sequence[str], who: str) -> np.ndarray:
    """How much of each volume is in each guide: (t, guides, t); row i holds the guides of volume i.

    A volume that stands alone guides itself. who: what asks for guides, for the sentence.
    Raises InputError for a series without the gradients to make them by.
    """
    check(names)
    if volume.count == 1:
        return np.ones((1, len(names), 1))
    gradients = volume.gradients
    if gradients is None:
        raise InputError(
            f"{who} restores a diffusion volume with the help of the others of its series, and this series has no "
            "b-values and directions; put its .bval and .bvec beside it, or choose another model."
        )
    return np.stack([GUIDES[name](gradients) for name in names], axis=1)


def combine(volumes: Iterable[np.ndarray], row: np.ndarray) -> np.ndarray:
    """Guides as weighted sums: t arrays of one shape and (guides, t) weights -> (guides, *shape) float32."""
    total = np.zeros(len(row), np.float32)
    for volume, parts in zip(volumes, row.T.astype(np.float32), strict=True):
        if total.ndim == 1:
            total = np.zeros((len(row), *volume.shape), np.float32)
        for guide, part in zip(total, parts, strict=True):
            if part:
                guide += part * volume
    return total
