"""Scans that the scanner interpolated: their measured matrix, what restores it, and the way to the wanted grid.

A scanner may fill k-space with zeros to a larger matrix than it measured. A network for full matrices takes the
smoothness of such a scan for anatomy. So the scan is brought back to the matrix that was measured, which loses nothing,
a network refines that, and the result is brought to the wanted grid in k-space.
"""

import math
from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.diffusion.guides import is_diffusion
from SuperResolutionLib.geometry.grid import PLANES, stacking_axis, stacks
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.physics import kernels, windows
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.forward_models import KSpace
from SuperResolutionLib.physics.interpolating import matrix
from SuperResolutionLib.physics.measured_matrix import measured_shares
from SuperResolutionLib.physics.shrinking import area_matrix, k_space_matrix
from SuperResolutionLib.volume import TENSOR, Volume, cast_voxels

FULL = 0.9  # from this share on, on both axes, a scan counts as measured whole
NEARLY = 0.75  # of the factor that is needed: what a network does not refine, k-space filled with zeros does


@dataclass(frozen=True)
class Measured:
    """The matrix that was measured of an interpolated scan.

    axis: that its slices are stacked along (x, y, z = 0, 1, 2). stored, size: voxels along x, y, z, in the file and as
    they were measured; along `axis` the same.
    """

    axis: int
    stored: tuple[int, int, int]
    size: tuple[int, int, int]

    @property
    def words(self) -> str:
        """Both matrices, in words."""
        few, many = (" x ".join(str(n[k]) for k in range(3) if k != self.axis) for n in (self.size, self.stored))
        return f"{few} of {many}"

    def scale(self, scale: int) -> float:
        """How many times finer than what was measured a grid is that is `scale` times finer than what is stored."""
        return scale * math.sqrt(np.prod(self.stored) / np.prod(self.size))


def measured_of(volume: Volume, axis: int) -> Measured | None:
    """What was measured of a scan in slices along an axis; None of one whose whole matrix was, as far as it shows.

    Nothing is looked for in diffusion series and tensors.
    """
    if volume.quantity == TENSOR or is_diffusion(volume):
        return None
    rows, columns = measured_shares(stacks(volume, axis)[0])
    if min(rows, columns) >= FULL:
        return None
    # of x, y, z, the last beside the axis runs along the rows of a slice's array
    first, last = (k for k in range(3) if k != axis)
    size = list(volume.size)
    for k, share in ((first, columns), (last, rows)):
        size[k] = max(1, round(share * size[k])) if share < FULL else size[k]
    return Measured(axis, volume.size, (size[0], size[1], size[2]))


def model_for(card: zoo.Card, measured: Measured) -> str | None:
    """The installed model that refines what was measured for a model of the plane; None where it is not one of ours.

    The blind models are one family: of these the least that makes it nearly as fine as is needed, else the greatest.
    """
    if card.thins or card.name != zoo.default_name(card.scale):
        return None
    family = [c for name, c in zoo.cards().items() if not c.thins and name == zoo.default_name(c.scale)]
    enough = [c.scale for c in family if c.scale >= NEARLY * measured.scale(card.scale)]
    return zoo.default_name(min(enough, default=max([card.scale, *(c.scale for c in family)])))


def unusual(volume: Volume, card: zoo.Card, plane: str = "native") -> list[str]:
    """The sentence about an interpolated scan, for a model of the plane; none about another scan."""
    return [] if card.thins else sentences(card, measured_of(volume, stacking_axis(volume, plane)))


def sentences(card: zoo.Card, measured: Measured | None) -> list[str]:
    """What is unusual about an interpolated scan, and what comes of it; none about one that was measured whole."""
    if measured is None:
        return []
    found = f"its scanner interpolated it: of a slice about {measured.words} voxels were measured"
    chosen = model_for(card, measured)
    if chosen is None:
        return [f"{found}, and {card.name} takes all of them for measured; {zoo.default_name(card.scale)} does not"]
    return [f"{found}, and it is restored from these{'' if chosen == card.name else f' by {chosen}'}"]


def truncated(volume: Volume, measured: Measured) -> Volume:
    """A scan on its measured matrix, over the same field of view, float32."""
    spacing = [old * many / few for old, many, few in zip(volume.spacing, measured.stored, measured.size, strict=True)]
    # "native" may be another plane where voxels have become oblong
    wish = Sampling(spacing=(spacing[0], spacing[1], spacing[2]), plane=_plane(volume, measured))
    return degrade(volume.cast(np.float32), KSpace(), sampling=wish)


def refined(volume: Volume, measured: Measured, scale: int, only: int | None) -> Sampling:
    """The wish for a measured matrix refined in plane.

    volume: the scan on this matrix. measured: which it is. scale: how many times finer. only: a slice, or None for all.
    """
    return Sampling(factor=scale, plane=_plane(volume, measured), only=only)


def _plane(volume: Volume, measured: Measured) -> str:
    """The anatomical name of the plane of the slices."""
    return next(name for name in PLANES[1:] if stacking_axis(volume, name) == measured.axis)


def onto(fine: Volume, like: Volume, grids: Grids, method: str = "sinc") -> Volume:
    """What a measured matrix was refined to, brought to the wanted grid.

    fine: over the same field of view, or the wanted slice of it. like: of which voxel type and header the result is.
    grids: of the scan, and the wanted ones. method: sinc, k-space filled with zeros or truncated, or linear.
    """
    result = grids.empty(like)
    for source, target in zip(stacks(fine, grids.axis), stacks(result, grids.axis), strict=True):
        rows, columns = (_between(method, n, m) for n, m in zip(source.shape[1:], target.shape[1:], strict=True))
        for one, wanted in zip(source, target, strict=True):
            wanted[...] = cast_voxels(kernels.apply(rows, columns, one), wanted.dtype)
    return result


def _between(method: str, size: int, outputs: int) -> np.ndarray | None:
    """From one matrix to another over the same field of view: (outputs, size) float32; None where they are the same."""
    if size == outputs:
        return None
    if size < outputs:
        return matrix(method, size, outputs)
    if method == "linear":
        return area_matrix(size, outputs).astype(np.float32)
    return k_space_matrix(size, outputs, outputs, windows.none).real.astype(np.float32)
