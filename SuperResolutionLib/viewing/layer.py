"""What a viewer shows: a volume and its name, and how it comes to lie on the grid of another one."""

# mypy: allow-untyped-calls

from dataclasses import dataclass, replace

import numpy as np

from SuperResolutionLib.display import line
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.kinds import LABELS, PHASE
from SuperResolutionLib.methods.meaning import not_intensities
from SuperResolutionLib.volume import TENSOR, Volume

IMAGE, UNCERTAINTY = "image", "uncertainty"
_NEAR = 1e-3  # mm between the corners of grids that are one


@dataclass(frozen=True, eq=False)
class Layer:
    """A volume to look at.

    name: any text. volume: one 3-D volume, or a series or tensors, of which `single` takes one. kind: IMAGE, or
    UNCERTAINTY, which has colours and a window of its own. notes: sentences about it. source: the volume whose grid it
    had, where that was another one. nearest: whether it keeps its voxels as they are when it changes its grid.
    """

    name: str
    volume: Volume
    kind: str = IMAGE
    notes: tuple[str, ...] = ()
    source: Volume | None = None
    nearest: bool = False


def single(layer: Layer, k: int = 0) -> Layer:
    """The layer with one 3-D volume: volume k of a series, counted from 0, or the mean diffusivity of tensors.

    Raises InputError where the series has no volume k.
    """
    volume = layer.volume
    notes = (*layer.notes, f"{layer.name}: {line(volume)}.")
    if volume.quantity == TENSOR:
        xx, yy, zz = (volume.voxels[i] for i in (0, 3, 5))
        return replace(layer, volume=_of(volume, (xx + yy + zz) / 3), notes=(*notes, "Shown: the mean diffusivity."))
    if volume.voxels.ndim == 3:
        return replace(layer, notes=notes)
    if not 0 <= k < volume.count:
        raise InputError(f"{layer.name} has no volume {k}: it has {volume.count}, counted from 0; choose another.")
    shown = f"Shown: volume {k} of 0 to {volume.count - 1}."
    return replace(layer, volume=_of(volume, volume.voxels[k]), notes=(*notes, shown) if volume.count > 1 else notes)


def _of(volume: Volume, voxels: np.ndarray) -> Volume:
    return Volume(voxels, volume.spacing, volume.origin, volume.direction, header=volume.header)


def aligned(layer: Layer, reference: Layer) -> Layer:
    """The layer on the grid of another: itself where the grids are one, else resampled, linearly or (labels) nearest.

    Raises InputError where the two have no place in common.
    """
    volume, grid = layer.volume, reference.volume
    if volume.size == grid.size and np.abs(volume.bounds() - grid.bounds()).max() < _NEAR:
        return layer
    kind = not_intensities(volume)
    nearest = layer.nearest or (kind is not None and kind[0] in (LABELS, PHASE))
    voxels = _resampled(volume, grid, nearest)
    missing = np.isnan(voxels)
    if missing.all():
        raise InputError(
            f"{layer.name} and {reference.name} have no place in common, so they cannot be shown beside each other; "
            "register them first, or view each alone."
        )
    note = f"{layer.name} is resampled ({'nearest' if nearest else 'linear'}) to the grid of {reference.name}"
    if share := float(missing.mean()):
        note += f" and covers {100 * (1 - share):.0f} % of it"
    if np.prod(volume.spacing) < 0.99 * np.prod(grid.spacing):
        note += "; its own voxels are finer, so it is shown coarser than it is"
    voxels[missing] = np.clip(0, np.nanmin(voxels), np.nanmax(voxels))
    return replace(layer, volume=grid.with_voxels(voxels), notes=(*layer.notes, f"{note}."), source=volume)


def _resampled(volume: Volume, grid: Volume, nearest: bool) -> np.ndarray:
    """The volume at the voxels of a grid, float32; NaN outside of the volume."""
    import SimpleITK as sitk

    from SuperResolutionLib.files.itk_images import to_image

    given = to_image(Volume(volume.voxels.astype(np.float32), volume.spacing, volume.origin, volume.direction))
    how = sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear
    size, mm, origin = list(grid.size), list(grid.spacing), list(grid.origin)
    moved = sitk.Resample(
        given, size, sitk.Transform(), how, origin, mm, grid.direction.ravel().tolist(), float("nan"), sitk.sitkFloat32
    )
    return sitk.GetArrayFromImage(moved)
