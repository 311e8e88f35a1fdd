"""What a viewer's script gets to know: the grid, the layers, their windows; cropped to the head, cut to a size."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from SuperResolutionLib.display import upright
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import anatomical_plane, stacking_axis
from SuperResolutionLib.intensity import Normalisation, background_level, data_range
from SuperResolutionLib.viewing.layer import IMAGE, UNCERTAINTY, Layer, aligned
from SuperResolutionLib.viewing.packed import MOST, pack
from SuperResolutionLib.volume import Volume

USE = "Research use only. Not a medical device."
HOLDS = "The voxels are in this page: from those of a whole head a face can be made, so take care who gets it."
LARGEST = 25_000_000  # bytes of a page
_HEAD = 0.05  # of the range above the background
_SHARE = 0.002  # of the voxels of a slice: less is no head
_MARGIN = 3  # voxels around the head
_ALIKE = 1.5  # ranges of layers that share a window differ by less

Contents = dict[str, Any]  # as JSON, and as viewer.js reads it
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Limits:
    """How much of the volumes a page carries.

    whole: not cropped to the head. levels: steps in which voxels that are no whole numbers are stored. most: bytes.
    """

    whole: bool = False
    levels: int = MOST
    most: int = LARGEST


def contents(layers: Sequence[Layer], reference: int = 0, limits: Limits | None = None) -> Contents:
    """All that a viewer needs, as plain values.

    layers: single 3-D volumes on any grids. reference: on whose grid they are shown.
    Raises InputError where one has no place in common with the reference, or not one slice fits.
    """
    limits = limits or Limits()
    grid = layers[reference].volume
    shown = [aligned(layer, layers[reference]) for layer in layers]
    arrays = [upright(layer.volume)[0] for layer in shown]
    box = (
        _everything(arrays[0])
        if limits.whole
        else _union([_head(a) for a, k in zip(arrays, shown, strict=True) if k.kind == IMAGE])
    )
    arrays = [array[box] for array in arrays]
    notes = [note for layer in shown for note in layer.notes]
    if arrays[0].size < grid.voxels.size:
        kept, of = (" x ".join(map(str, shape[::-1])) for shape in (arrays[0].shape, upright(grid)[0].shape))
        notes.append(f"Cropped to the head: {kept} of {of} voxels, from right to left, front to back, foot to head.")
    place = _grid(grid, box)
    groups, windows = _windows(shown, arrays)
    described = []
    for layer, array, group in zip(shown, arrays, groups, strict=True):
        packed = pack(array, place["stack"], limits.levels)
        if not packed.exact:
            notes.append(f"{layer.name}: values are stored to within {packed.slope / 2:.2g}.")
        described.append(
            {
                "name": layer.name,
                "kind": layer.kind,
                "group": group,
                "slope": packed.slope,
                "intercept": packed.intercept,
                "inside": None if layer.source is None else _inside(layer.source),
                "slices": packed.slices,
            }
        )
    found = {"use": USE, "notes": [*notes, HOLDS], "grid": place, "layers": described, "windows": windows}
    return cut(found, limits.most)


def cut(found: Contents, most: int) -> Contents:
    """The contents with as many slices around the middle as fit into so many bytes, and a note where some are left out.

    Raises InputError where not one fits.
    """
    bare = {**found, "layers": [{**layer, "slices": []} for layer in found["layers"]]}
    room = most - len(as_json(bare)) - 300  # 300: the note
    sizes = [
        sum(len(text) + 3 for text in parts)
        for parts in zip(*(layer["slices"] for layer in found["layers"]), strict=True)
    ]
    first, last = _around_the_middle(sizes, room)
    if last - first == len(sizes):
        return found
    if first == last:
        raise InputError(
            f"Not one slice fits into {most / 1e6:.1f} MB ({min(sizes) / 1e6:.1f} MB each); show fewer volumes at once."
        )
    place, stack = dict(found["grid"]), found["grid"]["stack"]
    for key, value in (("size", last - first), ("first", place["first"][stack] + first)):
        place[key] = [*place[key][:stack], value, *place[key][stack + 1 :]]
    place["origin"] = [o + first * row[stack] for o, row in zip(place["origin"], place["step"], strict=True)]
    note = f"Only the {last - first} slices in the middle of {len(sizes)} are here, to keep the page small."
    layers = [{**layer, "slices": layer["slices"][first:last]} for layer in found["layers"]]
    return {**found, "notes": [*found["notes"], note], "grid": place, "layers": layers}


def as_json(found: Contents) -> str:
    """JSON that a script element can hold whatever the names are: plain ASCII, and nothing of it is markup."""
    text = json.dumps(found, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def from_json(text: str) -> Contents:
    """What `as_json` wrote."""
    found: Contents = json.loads(text)
    return found


def _around_the_middle(sizes: Sequence[int], room: int) -> tuple[int, int]:
    """The first of the slices that fit and the one after the last: grown from the middle, by turns to both sides."""
    middle = len(sizes) // 2
    first = last = middle
    order = sorted(range(len(sizes)), key=lambda k: abs(k - middle))
    for k in order:
        room -= sizes[k]
        if room < 0:
            break
        first, last = min(first, k), max(last, k + 1)
    return first, last


def _everything(array: np.ndarray) -> Box:
    s, p, left = (slice(0, n) for n in array.shape)
    return s, p, left


def _head(array: np.ndarray) -> Box:
    """Where the head is, with a margin; everything where none is found."""
    scale = Normalisation.of(array, background_level(array))
    inside = scale.above(array) > _HEAD * scale.unit
    found = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        at = np.flatnonzero(inside.mean(axis=others) > _SHARE)
        if not len(at):
            return _everything(array)
        found.append(slice(max(0, int(at[0]) - _MARGIN), min(array.shape[axis], int(at[-1]) + 1 + _MARGIN)))
    return found[0], found[1], found[2]


def _union(boxes: Sequence[Box]) -> Box:
    s, p, left = (slice(min(s.start for s in sides), max(s.stop for s in sides)) for sides in zip(*boxes, strict=True))
    return s, p, left


def _grid(volume: Volume, box: Box) -> dict[str, Any]:
    """Where the shown voxels (s, p, l) lie: in the volume's file, and in the patient."""
    voxels, axes, turned = upright(volume)
    spacing = [volume.spacing[axis] for axis in axes]
    ends = [volume.size[axis] - 1 if turn else 0 for axis, turn in zip(axes, turned, strict=True)]
    steps = [mm * (-1 if turn else 1) for mm, turn in zip(spacing, turned, strict=True)]
    step = volume.direction[:, list(axes)] * steps
    corner = np.zeros(3)
    corner[list(axes)] = ends
    first = np.array([side.start for side in box])
    origin = np.asarray(volume.origin) + volume.direction @ (corner * volume.spacing) + step @ first
    return {
        "size": [side.stop - side.start for side in box],
        "spacing": [float(mm) for mm in spacing],
        "plane": anatomical_plane(volume),
        "stack": axes.index(stacking_axis(volume)),
        "axes": list(axes),
        "turned": [bool(turn) for turn in turned],
        "whole": list(voxels.shape),
        "first": first.tolist(),
        "origin": origin.tolist(),
        "step": step.tolist(),
    }


def _inside(source: Volume) -> dict[str, Any]:
    """What tells of a place in mm whether it is inside of a volume: its size, and the way from mm to its voxels."""
    inverse = source.direction.T / np.asarray(source.spacing)[:, None]
    index = np.concatenate([inverse, -(inverse @ np.asarray(source.origin))[:, None]], axis=1)
    return {"size": list(source.size), "index": index.tolist()}


def _windows(layers: Sequence[Layer], arrays: Sequence[np.ndarray]) -> tuple[list[int], list[list[float]]]:
    """Which window each layer uses, and the windows: black and white. Layers of about one range share one."""
    groups: list[int] = []
    leaders: list[tuple[str, float]] = []
    windows: list[list[float]] = []
    for layer, array in zip(layers, arrays, strict=True):
        r = data_range(array)
        alike = (n for n, (kind, other) in enumerate(leaders) if kind == layer.kind and 1 / _ALIKE < r / other < _ALIKE)
        group = next(alike, len(leaders))
        if group == len(leaders):
            low, high = (float(value) for value in np.percentile(array, (0.5, 99.5)))
            low = 0.0 if layer.kind == UNCERTAINTY else low
            leaders.append((layer.kind, r))
            windows.append([low, high if high > low else low + 1])
        groups.append(group)
    return groups, windows
