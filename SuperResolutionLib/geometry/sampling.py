"""What grid is wanted: said once by the user, resolved once against a volume, checked once.

A finer or coarser grid always covers the field of view of the volume, no more and no less. Its size is the whole
number of voxels nearest to what was asked for; where that is not exactly what was asked for, the spacing gives way,
never the field of view: 207 rows of 1 mm at 0.8 mm become 259 rows of 0.79923 mm.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry.grid import PLANES, stacking_axis
from SuperResolutionLib.volume import Volume

MOST = 16.0  # the greatest factor an axis can be refined or coarsened by
SAME = 1e-6  # mm: spacings nearer than this are the same
Three = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """The grid that is wanted, as the user says it; at most one of the first five, none for what the method does.

    factor: how many times finer (or coarser) in plane. factors: along x, y, z. spacing: mm, one number for all axes or
    three along x, y, z. slice_spacing: mm between slices, the plane as it is. isotropic: cubic voxels, as large as the
    finest spacing (coarsening: the coarsest).
    plane: the slices that are meant, "native" as they were acquired, or axial, coronal, sagittal by world orientation.
    only: of the result this slice of the plane alone, counted from 0 in voxel order.
    allow_coarser: where a finer grid is meant, an axis may become coarser all the same.
    Raises InputError for a number that is none, out of range, or two wishes at once.
    """

    factor: float | None = None
    factors: Three | None = None
    spacing: float | Three | None = None
    slice_spacing: float | None = None
    isotropic: bool = False
    plane: str = "native"
    only: int | None = None
    allow_coarser: bool = False

    def __post_init__(self) -> None:
        wishes = [name for name in ("factor", "factors", "spacing", "slice_spacing") if getattr(self, name) is not None]
        wishes += ["isotropic"] if self.isotropic else []
        if len(wishes) > 1:
            raise InputError(f"The grid is asked for by {' and by '.join(wishes)}; give one of them.")
        if self.factor is not None:
            _check_number("factor", self.factor, 1.0, MOST)
        if self.factors is not None:
            for one in _three("factors", self.factors):
                _check_number("factor", one, 1.0, MOST)
        if self.spacing is not None:
            for one in _three("spacing", self.spacing) if isinstance(self.spacing, (tuple, list)) else (self.spacing,):
                _check_number("spacing", one, 0.01, 100.0)
        if self.slice_spacing is not None:
            _check_number("slice spacing", self.slice_spacing, 0.01, 100.0)
        if self.plane not in PLANES:
            raise unknown("plane", str(self.plane), PLANES)
        if self.only is not None and not _whole(self.only):
            raise InputError(f"There is no slice {self.only!r}; give a whole number, counted from 0.")

    @classmethod
    def of(cls, scale: float | None, sampling: "Sampling | None") -> "Sampling":
        """The sampling that is meant by a plain factor in plane, or by a Sampling; both at once are refused."""
        if sampling is None:
            return cls(factor=scale)
        if scale is not None:
            raise InputError("Both a scale and a sampling are given; leave the scale out.")
        if not isinstance(sampling, Sampling):
            raise InputError(f"The sampling is {sampling!r}; give a Sampling, such as Sampling(factor=2).")
        return sampling

    @property
    def asked(self) -> bool:
        """Whether a grid is asked for; where none is, the method's own is meant."""
        numbers = (self.factor, self.factors, self.spacing, self.slice_spacing)
        return self.isotropic or any(number is not None for number in numbers)

    def usually(self, factor: float) -> "Sampling":
        """This wish, or the factor in plane where none is uttered."""
        return self if self.asked else replace(self, factor=factor)

    def finer(self, volume: Volume) -> "Grids":
        """The volume's grid and the finer one. Raises InputError for an axis made coarser, or more than 16 x finer."""
        exact = self._spacings(volume, finest=True)
        for axis, (old, new) in enumerate(zip(volume.spacing, exact, strict=True)):
            if not (self.allow_coarser and new > old):
                _check_step(axis, old, new, "finer", "coarser", old / new)
        sizes = [
            max(1, round(n * old / new)) if new > old else max(n, round(n * old / new))
            for n, old, new in zip(volume.size, volume.spacing, exact, strict=True)
        ]
        return self._grids(volume, sizes, exact)

    def coarser(self, volume: Volume) -> "Grids":
        """The volume's grid and the coarser one. Raises InputError for an axis made finer, or of fewer than 1 voxel.

        Along an axis of a whole factor the volume is to be cropped first (`cropped`).
        """
        exact = self._spacings(volume, finest=False)
        for axis, (old, new) in enumerate(zip(volume.spacing, exact, strict=True)):
            _check_step(axis, old, new, "coarser", "finer", new / old)
            if volume.size[axis] * old < new * (1 - 1e-9):
                raise InputError(
                    f"An axis of {volume.size[axis]} voxels cannot be made coarser by {new / old:.4g}; "
                    "use a smaller scale."
                )
        sizes = [round(n * old / new) for n, old, new in zip(volume.size, volume.spacing, exact, strict=True)]
        return self._grids(volume, [max(1, n) for n in sizes], exact)

    def cropped(self, volume: Volume) -> Volume:
        """The volume without the voxels at the far ends that a whole factor leaves over; no voxel moves.

        Of other factors none are left over: there the spacing gives way.
        """
        keep: list[slice] = [slice(None)] * volume.voxels.ndim
        for axis, (old, new) in enumerate(zip(volume.spacing, self._spacings(volume, finest=False), strict=True)):
            times, size = round(new / old), volume.size[axis]
            if size >= times > 1 and abs(new / old - times) < 1e-9:
                keep[-1 - axis] = slice(0, size - size % times)
        return volume.with_voxels(volume.voxels[tuple(keep)])

    def _spacings(self, volume: Volume, finest: bool) -> Three:
        """The spacings that are asked for, mm along x, y, z."""
        if self.spacing is not None or self.isotropic:
            cubic = self.spacing or (min(volume.spacing) if finest else max(volume.spacing))
            wanted = cubic if isinstance(cubic, (tuple, list)) else (cubic, cubic, cubic)
        elif self.slice_spacing is not None:
            axis = stacking_axis(volume, self.plane)
            x, y, z = (self.slice_spacing if k == axis else volume.spacing[k] for k in range(3))
            wanted = (x, y, z)
        else:
            axis = stacking_axis(volume, self.plane)
            times = self.factors or [1.0 if k == axis else float(self.factor or 1.0) for k in range(3)]
            steps = zip(volume.spacing, times, strict=True)
            x, y, z = (old / f if finest else old * f for old, f in steps)
            wanted = (x, y, z)
        kept = zip(volume.spacing, wanted, strict=True)
        return _tuple(np.array([old if abs(old - new) < SAME else new for old, new in kept]))

    def _grids(self, volume: Volume, sizes: list[int], exact: Three) -> "Grids":
        axis = stacking_axis(volume, self.plane)
        grids = Grids(self, Grid.of(volume), Grid.of(volume).resized((sizes[0], sizes[1], sizes[2])), axis, exact)
        if self.only is not None and not 0 <= self.only < sizes[axis]:
            raise InputError(
                f"There is no slice {self.only}: the scan has {sizes[axis]} in this plane; "
                f"choose one from 0 to {sizes[axis] - 1}."
            )
        return grids


@dataclass(frozen=True, eq=False)
class Grid:
    """Where voxels lie, without the voxels: as of a `Volume`. size: voxels along x, y, z."""

    size: tuple[int, int, int]
    spacing: Three
    origin: Three
    direction: np.ndarray

    @classmethod
    def of(cls, volume: Volume) -> "Grid":
        """The grid of a volume."""
        return cls(volume.size, volume.spacing, volume.origin, volume.direction)

    def resized(self, size: tuple[int, int, int]) -> "Grid":
        """A grid of another size over the same field of view: the half voxel is here."""
        old = np.asarray(self.spacing, float)
        new = np.where(np.equal(size, self.size), old, old / np.divide(size, self.size))
        origin = np.asarray(self.origin, float) - self.direction @ ((old - new) / 2)
        return Grid(size, _tuple(new), _tuple(origin), self.direction)


@dataclass(frozen=True, eq=False)
class Grids:
    """A wish resolved against a volume: the grid it has, and the one it gets, over the same field of view.

    axis: that slices are stacked along (x, y, z = 0, 1, 2). exact: the spacing that was asked for, mm along x, y, z.
    """

    asked: Sampling
    given: Grid
    wanted: Grid
    axis: int
    exact: Three

    @property
    def only(self) -> int | None:
        """The one slice of the result that is wanted, or None."""
        return self.asked.only

    @cached_property
    def factors(self) -> Three:
        """Voxels of the wanted grid for each of the given one, along x, y, z: above 1 refined, below 1 coarsened."""
        return _tuple(np.divide(self.wanted.size, self.given.size))

    @property
    def in_plane(self) -> float | None:
        """The one factor of both axes of the plane where only these change, else None."""
        rows, columns = (self.factors[k] for k in range(3) if k != self.axis)
        return rows if rows == columns and self.factors[self.axis] == 1 else None

    def empty(self, volume: Volume, dtype: np.dtype | type | None = None) -> Volume:
        """A volume of unset voxels on the wanted grid, of as many 3-D volumes as the given one: or its one slice.

        dtype: of the voxels; by default that of the volume.
        """
        shape = [*volume.voxels.shape[:-3], *self.wanted.size[::-1]]
        origin = self.wanted.origin
        if self.only is not None:
            shape[-1 - self.axis] = 1
            step = self.only * self.wanted.spacing[self.axis]
            origin = _tuple(np.asarray(origin) + step * self.wanted.direction[:, self.axis])
        voxels = np.empty(shape, dtype or volume.voxels.dtype)
        result = replace(volume, voxels=voxels, spacing=self.wanted.spacing, origin=origin)
        acquired = stacking_axis(volume)
        changed = self.given.size[acquired] != self.wanted.size[acquired]
        return result.with_thickness(None) if changed and volume.thickness is not None else result

    def nearest(self) -> tuple[np.ndarray, ...]:
        """The given voxel that each voxel of the result lies in: indices along x, y, z."""
        pairs = zip(self.given.size, self.wanted.size, strict=True)
        found = [((np.arange(many) + 0.5) * few / many).astype(int) for few, many in pairs]
        if self.only is not None:
            found[self.axis] = found[self.axis][self.only : self.only + 1]
        return tuple(found)

    def record(self) -> dict[str, Any]:
        """What was asked for and what came of it, as plain values for a sidecar."""
        fields = ("factor", "factors", "spacing", "slice_spacing", "isotropic")
        wish = {name: value for name in fields if (value := getattr(self.asked, name)) not in (None, False)}
        found: dict[str, Any] = {"asked": wish, "spacing": [round(mm, 6) for mm in self.wanted.spacing]}
        if (given_way := self._given_way()) is not None:
            found["adjusted"] = given_way
        return found

    def _given_way(self) -> str | None:
        """A sentence where the spacing is not exactly what was asked for."""
        if np.allclose(self.exact, self.wanted.spacing, atol=SAME, rtol=0):
            return None
        asked, got = (" x ".join(f"{mm:.6g}" for mm in three) for three in (self.exact, self.wanted.spacing))
        return f"{asked} mm would not divide the field of view into whole voxels; {got} mm does"


def _check_step(axis: int, old: float, new: float, wanted: str, other: str, factor: float) -> None:
    """Refuse an axis that would become coarser instead of finer, or the other way round, or changes too much."""
    if factor < 1 - 1e-9:
        raise InputError(
            f"The {'xyz'[axis]} axis has voxels of {old:.4g} mm, and {new:.4g} mm is asked for, which is {other}; "
            f"give a {wanted} spacing."
        )
    if factor > MOST * (1 + 1e-9):
        raise InputError(
            f"The {'xyz'[axis]} axis of {old:.4g} mm voxels would become {factor:.4g} times as {wanted}; "
            f"{MOST:.0f} times is the most."
        )


def _check_number(name: str, value: object, low: float, high: float) -> None:
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not math.isfinite(float(value)) or not low <= float(value) <= high:  # type: ignore[arg-type]
        raise InputError(f"A {name} of {value!r} cannot be used; give a number from {low:g} to {high:g}.")


def _three(name: str, values: object) -> Three:
    if not isinstance(values, (tuple, list)) or len(values) != 3:
        raise InputError(f"The {name} {values!r} are not three numbers, along x, y and z.")
    x, y, z = values
    return x, y, z


def _whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _tuple(values: np.ndarray) -> Three:
    x, y, z = (float(v) for v in values)
    return x, y, z
