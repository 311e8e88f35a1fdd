"""Which axes of an NRRD file lie in space, where, and which one counts volumes or components."""

import warnings
from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import ScanWarning, too_many_axes
from SuperResolutionLib.files.nrrd_header import axis_vectors, numbers_of, sizes_of, to_lps, words_of
from SuperResolutionLib.header import Header

_SPATIAL_KINDS = ("domain", "space", "???", "none")
_SERIES_KINDS = ("list", "time")
SLICE_KEY = "SuperResolution.slice_axis"  # x, y or z: which axis of the voxels, the fastest first
TIME_KEY = "SuperResolution.time_step"  # s; the format has no field for it where volumes lie in space
_MILLIMETRES = {"mm": 1.0, "millimeter": 1.0, "millimetre": 1.0, "cm": 10.0, "m": 1000.0, "meter": 1000.0}
_MILLIMETRES |= {"um": 1e-3, "\u00b5m": 1e-3, "\u03bcm": 1e-3, "micron": 1e-3, "micrometer": 1e-3, "nm": 1e-6}


@dataclass(frozen=True, eq=False)
class Grid:
    """sizes, kinds: per axis, the fastest first. other: the axis that does not lie in space, if there is one.

    spacing, origin, axes: mm, LPS, of x, y, z; an image of two axes in space gets a third of 1 mm.
    time_step: s from volume to volume, None where it is not stated. slices: the axis, x, y, z = 0, 1, 2, that slices
    were acquired along, and thickness: theirs in mm; None where they are not stated.
    """

    sizes: tuple[int, ...]
    kinds: tuple[str, ...]
    other: int | None
    spacing: np.ndarray
    origin: np.ndarray
    axes: np.ndarray
    time_step: float | None = None
    slices: int | None = None
    thickness: float | None = None

    @property
    def about(self) -> Header | None:
        """What the file says beside the grid; None where that is nothing."""
        if self.time_step is None and self.slices is None and self.thickness is None:
            return None
        return Header(time_step=self.time_step, slices=self.slices, thickness=self.thickness)

    @property
    def series(self) -> bool:
        """Whether the other axis counts volumes by its kind, or because it lies in space and time."""
        return self.other is not None and self.kinds[self.other] in (*_SERIES_KINDS, "domain", "space")


def grid_of(name: str, header: dict[str, str]) -> Grid:
    """The grid of a file. Warns of what is not stated; raises InputError for what cannot be placed."""
    sizes = sizes_of(name, header)
    count = len(sizes)
    kinds = tuple(kind.lower() for kind in words_of(name, header, "kinds", count, "???"))
    steps = axis_vectors(name, header, count) or _by_spacings(name, header, kinds)
    spatial = [k for k, step in enumerate(steps) if step is not None][:3]
    others = [k for k in range(count) if k not in spatial]
    if len(others) > 1 or count < 2 or not 2 <= len(spatial) <= 3:
        raise too_many_axes(name, count) if count > 4 else _flat(name, header)
    unit, signs = _unit(name, header), _signs(name, header)
    columns = np.array([_three(steps[k]) for k in spatial], dtype=float).T * unit
    if len(spatial) == 2:
        normal = np.cross(columns[:, 0], columns[:, 1])
        columns = np.column_stack([columns, normal / (np.linalg.norm(normal) or 1)])
    columns = signs[:, None] * columns
    spacing = np.linalg.norm(columns, axis=0)
    origin = signs * _origin(name, header, spatial) * unit
    axes = columns / np.where(spacing > 0, spacing, 1)
    other = others[0] if others else None
    time_step = None if other is None else _time_step(header, other, steps[other])
    return Grid(sizes, kinds, other, spacing, origin, axes, time_step, *_slices(header, spatial, unit))


def _slices(header: dict[str, str], spatial: list[int], unit: float) -> tuple[int | None, float | None]:
    """Along which axis the slices lie, and how thick they are: by our own key and by the one axis with a thickness.

    What makes no sense there is as good as not stated.
    """
    key = header.get(SLICE_KEY.lower(), "").strip().lower()
    own = "xyz".index(key) if key in ("x", "y", "z") and len(spatial) == 3 else None
    words = header.get("thicknesses", "").split()
    try:
        whole = len(words) == len(header["sizes"].split())
        thick = {k: float(words[axis]) * unit for k, axis in enumerate(spatial)} if whole else {}
    except ValueError:
        return own, None
    stated = {k: mm for k, mm in thick.items() if 0.01 <= mm <= 100}  # neither is NaN
    if len(stated) != 1 or len(spatial) != 3 or own not in (None, *stated):
        return own, None
    return next(iter(stated.items()))


def _time_step(header: dict[str, str], other: int, step: np.ndarray | None) -> float | None:
    """From the axis of time where it has a direction or a spacing, else from our own key."""
    words = header.get("spacings", "").split()
    stated = words[other] if other < len(words) else header.get(TIME_KEY.lower(), "nan")
    try:
        seconds = float(np.linalg.norm(step)) if step is not None else float(stated)
    except ValueError:
        return None
    return seconds if np.isfinite(seconds) and seconds > 0 else None


def _by_spacings(name: str, header: dict[str, str], kinds: tuple[str, ...]) -> list[np.ndarray | None]:
    """Axes along those of space, with the sizes that the file states for them."""
    words = words_of(name, header, "spacings", len(kinds), "?")
    spatial = [k for k, kind in enumerate(kinds) if kind in _SPATIAL_KINDS and words[k].lower() != "nan"][:3]
    try:
        sizes = [float(words[k]) if words[k] != "?" else np.nan for k in spatial]
    except ValueError as error:
        raise _flat(name, header) from error
    if "spacings" not in header or not np.isfinite(sizes).all():
        _warn(f"{name} does not state how large its voxels are; they are taken to be 1 mm.")
        sizes = [size if np.isfinite(size) else 1.0 for size in sizes]
    steps: list[np.ndarray | None] = [None] * len(kinds)
    for place, (k, size) in enumerate(zip(spatial, sizes, strict=True)):
        steps[k] = np.eye(3)[place] * size
    return steps


def _origin(name: str, header: dict[str, str], spatial: list[int]) -> np.ndarray:
    if "space origin" in header:
        try:
            return _three(numbers_of(header["space origin"]))
        except ValueError as error:
            raise InputError(
                f"{name} has an origin that cannot be read ({header['space origin'][:60]}); export it again."
            ) from error
    if "axis mins" not in header or "space directions" in header:
        return np.zeros(3)
    words = words_of(name, header, "axis mins", len(header["sizes"].split()), "0")
    try:
        return _three(np.nan_to_num([float(words[k]) for k in spatial]))
    except ValueError as error:
        raise InputError(f"{name} has axis mins that cannot be read ({header['axis mins'][:60]}).") from error


def _signs(name: str, header: dict[str, str]) -> np.ndarray:
    space = header.get("space", "")
    signs = to_lps(space)
    if signs is None:
        _warn(
            f"{name} does not say where left and right are (its space is {space[:60] or 'missing'}); it is taken to "
            "lie in left-posterior-superior."
        )
        return np.ones(3)
    return signs


def _unit(name: str, header: dict[str, str]) -> float:
    """The file's unit of length in mm; of several, all have to be the same."""
    text = header.get("space units") or ("" if "space directions" in header else header.get("units", ""))
    words = {word.strip('"').lower() for word in text.split()} - {"", "???", "none"}
    units = {_MILLIMETRES.get(word) for word in words}
    known = [unit for unit in units if unit is not None]
    if not words or units == {1.0}:
        return 1.0
    if (len(units) > 1 and "space units" in header) or (len(known) > 1):
        raise InputError(f"{name} measures its axes in several units ({text[:60]}); export it again in mm.")
    if not known:
        _warn(f"{name} states its sizes in {text[:60]}, which is no known unit of length; they are taken as mm.")
        return 1.0
    _warn(f"{name} states its sizes in {text[:60]}; they were converted to mm.")
    return float(known[0])


def _three(numbers: np.ndarray | None) -> np.ndarray:
    """The first three numbers, filled up by 0."""
    given = np.zeros(0) if numbers is None else np.asarray(numbers, dtype=float)
    return np.concatenate([given[:3], np.zeros(max(0, 3 - len(given)))])


def _flat(name: str, header: dict[str, str]) -> InputError:
    return InputError(
        f"{name} has no volume: its sizes are {header['sizes'][:60]}, its kinds {header.get('kinds', 'missing')[:60]}. "
        "Export it again as a 3-D image or a series."
    )


def _warn(sentence: str) -> None:
    warnings.warn(ScanWarning(sentence), stacklevel=3)
