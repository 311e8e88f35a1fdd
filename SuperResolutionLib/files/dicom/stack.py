"""Frames to a volume: slices by position, volumes by time, intensities by each slice's own slope."""

import itertools
import warnings
from dataclasses import replace

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import ScanWarning, make_volume
from SuperResolutionLib.files.dicom.frames import Frame
from SuperResolutionLib.files.dicom.in_time import sort_keys
from SuperResolutionLib.files.dicom.weighting import Weighting
from SuperResolutionLib.files.gradients import warn_of_weighting
from SuperResolutionLib.header import Header, repeating
from SuperResolutionLib.volume import UNWEIGHTED, Gradients, Volume, cast_voxels

_SAME = 0.01  # mm: positions nearer than this are one position
_EVEN = 0.05  # of the spacing: how far a slice may lie from its place on the grid
_NEARER = 0.75  # of the spacing that headers state: nearer slices may be those of two stacks
_LOST = 0.2  # of the slices: more than this missing is no scan to work on


def arranged(name: str, frames: list[Frame]) -> list[list[Frame]]:
    """Frames that belong together as the slices of each volume, by time; within a volume by place.

    Raises InputError for frames that are no whole stack of upright slices.
    """
    frames = _without_traces(name, frames)
    _check_alike(name, frames)
    volumes = _volumes(name, frames)
    _check_upright(name, volumes[0])
    return volumes


def stack(name: str, volumes: list[list[Frame]]) -> Volume:
    """One volume, or a (t, z, y, x) series with its gradients, from the slices of each volume.

    A missing slice is filled from its neighbours with a ScanWarning, so that all others stay where they are.
    Raises InputError for slices that are not evenly spaced.
    """
    slots, spacing = _slots(name, volumes[0])
    values = _intensities([frame for volume in volumes for frame in volume])
    series = values.reshape(len(volumes), len(slots), *values.shape[1:])
    first = volumes[0][0]
    axes = np.stack([first.row, first.column, _normal(first)], axis=1)
    about = replace(repeating(first.repetition) or Header(), slices=2, thickness=first.thickness)
    sizes = np.array([*first.spacing, spacing])
    grid = make_volume(name, _filled(series, slots), sizes, first.position, axes, about)
    return replace(grid, gradients=_gradients(name, volumes))


def _normal(frame: Frame) -> np.ndarray:
    return np.cross(frame.row, frame.column)


def _distance(frame: Frame, normal: np.ndarray) -> float:
    """mm along the slice normal: the one thing that slices are sorted by."""
    return float(frame.position @ normal)


def _without_traces(name: str, frames: list[Frame]) -> list[Frame]:
    """Scanners append the mean over directions to a diffusion series; it is no measurement of its own."""
    weightings = [frame.weighting for frame in frames]
    directed = any(w.bvec is not None and not w.isotropic for w in weightings)
    kept = [frame for frame in frames if not (directed and frame.weighting.isotropic and frame.weighting.bval)]
    if len(kept) < len(frames):
        lost = len(frames) - len(kept)
        warnings.warn(ScanWarning(f"{name}: {lost} slices of trace-weighted images were left out."), stacklevel=2)
    return kept


def _check_alike(name: str, frames: list[Frame]) -> None:
    shapes = sorted({frame.pixels.shape for frame in frames})
    if len(shapes) > 1:  # tiles
        raise InputError(f"{name} has slices of {len(shapes)} sizes ({shapes}); choose a series of one size.")


def _volumes(name: str, frames: list[Frame]) -> list[list[Frame]]:
    """The frames of each volume, by time; within a volume by place."""
    normal = _normal(frames[0])
    places: list[list[Frame]] = []
    last = -np.inf
    for frame in sorted(frames, key=lambda f: _distance(f, normal)):
        if _distance(frame, normal) - last > _SAME:
            places.append([])
        last = _distance(frame, normal)
        places[-1].append(frame)
    counts = [len(place) for place in places]
    short = [_distance(p[0], normal) for p in places if len(p) < max(counts)]
    if short:
        where = ", ".join(f"{mm:.2f}" for mm in short[:5])
        raise InputError(
            f"{name} has {len(frames)} slices at {len(places)} positions: {max(counts)} each, but fewer at "
            f"{len(short)} of them ({where} mm). The export is not whole; export the series again."
        )
    _check_times(name, places)
    keys = dict(zip(map(id, frames), sort_keys([frame.moment for frame in frames]), strict=True))
    return [list(volume) for volume in zip(*(sorted(p, key=lambda f: keys[id(f)]) for p in places), strict=True)]


def _check_times(name: str, places: list[list[Frame]]) -> None:
    """Refuse a series whose temporal positions do not all lie at the same places, as shifted volumes do."""
    covered: dict[float, set[int]] = {}
    for k, place in enumerate(places):
        for frame in place:
            covered.setdefault(frame.moment.temporal, set()).add(k)
    a_slice_each = len(covered) == len(places) == sum(map(len, places))
    partial = [temporal for temporal, there in covered.items() if len(there) < len(places)]
    if len(covered) > 1 and partial and not a_slice_each:
        raise InputError(
            f"{name} has {len(covered)} temporal positions whose slices lie at different places "
            f"({len(covered[partial[0]])} of {len(places)} places in the one numbered {partial[0]:g}); they are no "
            "series on one grid, so export or convert each by itself."
        )


def _check_upright(name: str, volume: list[Frame]) -> None:
    first = volume[0]
    axes = np.stack([first.row, first.column], axis=1)
    offsets = np.array([frame.position - first.position for frame in volume]) @ axes
    if np.abs(offsets).max() > 0.1 * min(first.spacing):
        raise InputError(
            f"{name} has slices that are shifted against each other by up to {np.abs(offsets).max():.2f} mm "
            "(a tilted gantry or a sheared stack); resample it to a regular grid first."
        )


def _slots(name: str, volume: list[Frame]) -> tuple[list[int], float]:
    """The place of each slice on an even grid, and the grid's spacing in mm."""
    if len(volume) == 1:
        return [0], volume[0].step
    distances = np.array([_distance(frame, _normal(volume[0])) for frame in volume])
    gaps = np.diff(distances)
    usual = float(np.median(gaps[gaps < 1.5 * gaps.min()]))
    steps = np.rint(gaps / usual)
    slots = np.concatenate([[0], np.cumsum(steps)])
    spacing = float((distances[-1] - distances[0]) / slots[-1])
    if np.abs(distances[0] + slots * spacing - distances).max() > _EVEN * spacing:
        raise InputError(
            f"{name} has slices that are not evenly spaced ({gaps.min():.2f} to {gaps.max():.2f} mm apart); "
            "resample it to a regular grid first."
        )
    count = slots[-1] + 1  # as a float: it may be beyond all integers
    if count - len(slots) > _LOST * count:
        raise InputError(f"{name} lacks {count - len(slots):.0f} of {count:.0f} slices; export the whole series again.")
    missing = sorted(set(range(int(count))) - set(slots.astype(int).tolist()))
    if missing:
        where = ", ".join(f"{distances[0] + slot * spacing:.2f}" for slot in missing)
        warnings.warn(
            ScanWarning(
                f"{name} has no slice at {where} mm along the slice normal; {len(missing)} missing "
                f"{'slice was' if len(missing) == 1 else 'slices were'} filled from the neighbours."
            ),
            stacklevel=2,
        )
    stated = volume[0].apart
    if stated is not None and spacing < _NEARER * stated:
        warnings.warn(
            ScanWarning(
                f"{name} has slices {spacing:.2f} mm apart, and its headers say {stated:.2f} mm; they may be several "
                "stacks, shifted against each other, that are none together."
            ),
            stacklevel=2,
        )
    return slots.astype(int).tolist(), spacing


def _filled(series: np.ndarray, slots: list[int]) -> np.ndarray:
    """The slices in their slots (t, z, y, x); an empty slot is interpolated from the slices around it."""
    if slots == list(range(len(slots))):
        return series
    full = np.empty((series.shape[0], slots[-1] + 1, *series.shape[2:]), series.dtype)
    full[:, slots] = series
    for index, (below, above) in enumerate(itertools.pairwise(slots)):
        for slot in range(below + 1, above):
            weight = (slot - below) / (above - below)
            blend = (1 - weight) * series[:, index] + weight * series[:, index + 1]
            full[:, slot] = cast_voxels(blend, series.dtype)
    return full


def _intensities(frames: list[Frame]) -> np.ndarray:
    """(n, y, x) rescaled slices: integers where every slope is 1, else float32 by each slice's own slope."""
    stored = np.stack([frame.pixels for frame in frames])
    slopes, intercepts = np.array([f.slope for f in frames]), np.array([f.intercept for f in frames])
    if (slopes == 1).all() and (intercepts == np.rint(intercepts)).all():
        if not intercepts.any() or not np.issubdtype(stored.dtype, np.integer):
            return stored if not intercepts.any() else stored + intercepts.astype(stored.dtype)[:, None, None]
        shifted = stored.astype(np.int64) + intercepts.astype(np.int64)[:, None, None]
        kinds = (np.int16, np.uint16, np.int32)
        fits = [k for k in kinds if shifted.min() >= np.iinfo(k).min and shifted.max() <= np.iinfo(k).max]
        return shifted.astype(fits[0] if fits else np.float32)
    scaled = np.empty(stored.shape, np.float32)
    for target, pixels, slope, intercept in zip(scaled, stored, slopes, intercepts, strict=True):
        target[...] = pixels * slope + intercept
    return scaled


def _gradients(name: str, volumes: list[list[Frame]]) -> Gradients | None:
    """b-values and LPS directions of each volume; None where the headers state none that can be used."""
    if all(frame.weighting.bval is None for volume in volumes for frame in volume):
        return None
    tables = [np.array([_row(frame.weighting) for frame in volume]) for volume in volumes]
    broken = [k for k, table in enumerate(tables) if not np.isfinite(table).all()]
    if broken:
        raise InputError(
            f"{name}: the diffusion weighting of volume {broken[0] + 1} is NaN or infinite; convert the series with "
            "dcm2niix, and correct its .bval and .bvec."
        )
    mixed = [k for k, table in enumerate(tables) if np.abs(table - table[0]).max() > 1e-2]
    if mixed:
        raise InputError(
            f"{name}: the slices of volume {mixed[0] + 1} differ in their diffusion weighting, so the order "
            "of its volumes is not clear; convert it with dcm2niix first."
        )
    table = np.array([t[0] for t in tables])
    doubt = next((f.weighting.doubt for volume in volumes for f in volume if f.weighting.doubt), "")
    if any(_undirected(volume[0].weighting) for volume in volumes):
        reason = f" that can be relied on ({doubt})" if doubt else ""
        warnings.warn(
            ScanWarning(f"{name} has b-values without directions{reason}; it is read without gradients."),
            stacklevel=2,
        )
        return None
    gradients = Gradients(table[:, 0], table[:, 1:])
    if len(volumes) > 1:
        warn_of_weighting(name, gradients)
    return gradients


def _undirected(weighting: Weighting) -> bool:
    return weighting.bvec is None and (weighting.bval or 0) > UNWEIGHTED


def _row(weighting: Weighting) -> np.ndarray:
    """(b, x, y, z); the direction is a unit vector, or zero where b is 0."""
    bval = weighting.bval or 0.0
    vector = weighting.bvec if weighting.bvec is not None and bval > 0 else np.zeros(3)
    return np.concatenate([[bval], vector / (np.linalg.norm(vector) or 1)])
