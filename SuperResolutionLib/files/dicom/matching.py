"""Whether a volume was made of a DICOM series, and what lies where in both."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.dicom.series import Series
from SuperResolutionLib.volume import TENSOR, Volume

_TURNED = 0.01  # how far axes may be turned against the source's, as the sine of the angle
_MOVED = 0.05  # of a voxel of the source: how far the ends of the field of view may lie apart
_ALIKE = 0.9  # the least correlation of an image with the one that it was made of
_UNITS = 0.2  # how far the ratio of intensities may lie from 1 in the same units
_NEIGHBOUR = 0.99  # of a slice's spacing: slices nearer than this are a source


@dataclass(frozen=True, eq=False)
class Match:
    """A volume that was made of a series.

    volume: its axes in the order and with the signs of the source's. first, step: where along x, y, z of the source it
    begins, and how far its voxels are apart, in voxels of the source; 0 is where the source begins.
    """

    volume: Volume
    source: Series
    first: np.ndarray
    step: np.ndarray

    @cached_property
    def same_units(self) -> bool:
        """Whether its intensities are in the units of the source."""
        ours, theirs = self._means
        seen = ours != 0
        total = float(theirs[seen].sum())
        return total != 0 and abs(float(ours[seen].sum()) / total - 1) < _UNITS

    def nearest(self, k: int) -> int:
        """The source's slice in which slice k lies."""
        return int(np.clip(np.floor(self.first[2] + (k + 0.5) * self.step[2]), 0, self.source.volume.size[2] - 1))

    def slices(self, k: int) -> list[int]:
        """The slices of the source between which slice k lies, or the one that it lies in the middle of."""
        centre = self.first[2] + (k + 0.5) * self.step[2] - 0.5
        return [index for index in range(self.source.volume.size[2]) if abs(index - centre) < _NEIGHBOUR]

    @cached_property
    def correlation(self) -> float:
        """With the source, where the volume is not 0; 1 where there is nothing to correlate."""
        ours, theirs = self._means
        seen = ours != 0
        a, b = ours[seen], theirs[seen]
        if a.size < 8 or np.ptp(a) == 0 or np.ptp(b) == 0:
            return 1.0
        return float(np.corrcoef(a, b)[0, 1])

    @cached_property
    def _means(self) -> tuple[np.ndarray, np.ndarray]:
        """Both on one grid, the coarser one along each axis; of series their mean volume."""
        given = self.source.volume
        found: list[np.ndarray] = []
        ends = self.first + self.step * self.volume.size
        low = np.maximum(np.floor(self.first + _MOVED), 0).astype(int)
        high = np.minimum(np.ceil(ends - _MOVED), given.size).astype(int)
        x, y, z = (slice(a, b) for a, b in zip(low, high, strict=True))
        counts = np.minimum(self.volume.size, high - low)
        for voxels in (self.volume.voxels, given.voxels[..., z, y, x]):
            series = voxels if voxels.ndim == 4 else voxels[None]
            found.append(np.mean([_binned(one, counts[::-1]) for one in series], axis=0))
        return found[0], found[1]


def match(name: str, volume: Volume, source: Series) -> Match:
    """The volume held against the source. name: of the volume, for sentences.

    Raises InputError where it is not of that series: tensors, other axes, another field of view, another number of
    volumes.
    """
    if volume.quantity == TENSOR:
        raise InputError(f"{name} holds tensors, and a DICOM series of MR images cannot; name a .nrrd file.")
    given = source.volume
    if volume.count != given.count:
        raise InputError(
            f"{name} has {volume.count} volumes and the DICOM series in {source.name} {given.count}; give the series "
            "that it was converted from."
        )
    turned = _turned(volume, given.direction)
    if turned is None:
        raise InputError(
            f"{name} does not lie as the DICOM series in {source.name} does (its axes are turned against it); give the "
            "series that it was converted from."
        )
    step = np.divide(turned.spacing, given.spacing)
    first = given.direction.T @ (_corner(turned) - _corner(given)) / given.spacing
    found = Match(turned, source, first, step)
    _check_view(name, found)
    return found


def check_alike(name: str, found: Match) -> None:
    """Raise InputError where a volume shows something else than the series where it lies: another patient's voxels."""
    if found.correlation < _ALIKE:
        raise InputError(
            f"{name} lies where the DICOM series in {found.source.name} does and shows something else (their "
            f"correlation is {found.correlation:.2f}); it may be another patient's. Give the series that it was "
            "converted from."
        )


def _check_view(name: str, found: Match) -> None:
    """Refuse another field of view than the source's; a single slice of it will do."""
    given, ends = found.source.volume, found.first + found.step * found.volume.size
    beyond = np.maximum(-found.first, ends - given.size)
    short = np.maximum(np.abs(found.first), np.abs(ends - given.size))
    single = np.array([size == 1 for size in found.volume.size])
    if (np.where(single, beyond, short) > _MOVED).any():
        mm = float((np.where(single, beyond, short) * given.spacing).max())
        raise InputError(
            f"{name} does not cover the field of view of the DICOM series in {found.source.name} (their ends lie up to "
            f"{mm:.3g} mm apart); give the series that it was converted from."
        )


def _turned(volume: Volume, axes: np.ndarray) -> Volume | None:
    """The volume with its voxel axes reordered and reversed to run as `axes` do; None where that cannot be."""
    between = axes.T @ volume.direction
    whole = np.rint(between)
    if np.abs(between - whole).max() > _TURNED or not (np.abs(whole).sum(axis=0) == 1).all():
        return None
    order, signs = np.abs(whole).argmax(axis=1), whole.sum(axis=1)
    lead = volume.voxels.ndim - 3
    voxels = np.transpose(volume.voxels, [*range(lead), *(lead + 2 - int(axis) for axis in order[::-1])])
    i, j, k = (slice(None, None, int(sign)) for sign in signs)
    voxels = voxels[..., k, j, i]
    direction, spacing = volume.direction[:, order] * signs, np.take(volume.spacing, order)
    back = np.where(signs < 0, (np.take(volume.size, order) - 1) * spacing, 0)
    origin = np.asarray(volume.origin) - direction @ back
    (x, y, z), (p, q, r) = spacing.tolist(), origin.tolist()
    return replace(volume, voxels=voxels, spacing=(x, y, z), origin=(p, q, r), direction=direction)


def _corner(volume: Volume) -> np.ndarray:
    """Where the field of view begins, LPS mm."""
    return np.asarray(volume.origin) - volume.direction @ np.asarray(volume.spacing) / 2


def _binned(voxels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The means of boxes, as equal as can be, of which there are `counts` along each axis; float64."""
    for axis, count in enumerate(counts):
        edges = np.arange(count + 1) * voxels.shape[axis] // count
        shape = [1] * voxels.ndim
        shape[axis] = count
        voxels = np.add.reduceat(voxels, edges[:-1], axis, np.float64) / np.diff(edges).reshape(shape)
    return voxels
