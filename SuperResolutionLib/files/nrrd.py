"""NRRD: volumes, series, tensors, and several numbers per voxel; with Slicer's form of each.

Of a series the last axis counts the volumes, of anything else the first one counts the numbers of a voxel. Tensors are
written as full matrices, for of the symmetric form Slicer's reader turns the axes where voxels are no cubes.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from SuperResolutionLib.diffusion.components import matrices
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import complex_voxels, make_volume, not_scalar, storable
from SuperResolutionLib.files.nrrd_data import NAMES, map_voxels, read_voxels, unmappable, write_packed, writing_raw
from SuperResolutionLib.files.nrrd_gradients import IDENTITY, gradient_lines, is_diffusion
from SuperResolutionLib.files.nrrd_grid import SLICE_KEY, TIME_KEY, grid_of
from SuperResolutionLib.files.nrrd_header import read_header as read_header
from SuperResolutionLib.files.nrrd_header import vector
from SuperResolutionLib.files.nrrd_header import vectors as vectors
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.header import SECONDS
from SuperResolutionLib.volume import TENSOR, Volume

TENSOR_KIND = "3D-matrix"
UPPER_HALF = [0, 1, 2, 4, 5, 8]  # where xx xy xz yy yz zz lie among the nine numbers of a matrix


def read_scalars(path: Path, header: dict[str, str], start: int, given: np.ndarray | None = None) -> Volume:
    """A volume or a series, without its gradients, in its own voxel type.

    header: as it was parsed. start: where it ends. given: what the voxels must be, in place of a copy of them.
    path: of the file with the header.
    Raises InputError for several numbers per voxel, for voxels that are not whole, and for others than the given ones.
    """
    grid = grid_of(path.name, header)
    if grid.other is not None and not (is_diffusion(header) or grid.series):
        if grid.kinds[grid.other] == "complex":
            raise complex_voxels(path.name)
        raise not_scalar(path.name, grid.sizes[grid.other])
    voxels = read_voxels(path, header, start, given)
    if grid.other is not None:
        voxels = np.moveaxis(voxels, len(grid.sizes) - 1 - grid.other, 0)
    if len(grid.sizes) - (grid.other is not None) == 2:
        voxels = np.expand_dims(voxels, -3)
    return make_volume(path.name, np.ascontiguousarray(voxels), grid.spacing, grid.origin, grid.axes, grid.about)


def write_nrrd(volume: Volume, path: Path) -> None:
    """Write a volume, a series with its gradients, or tensors: .nrrd compressed, .nhdr with plain voxels beside it.

    Equal volumes make equal files. Raises InputError for a voxel type that NRRD does not have.
    """
    if path.name.lower().endswith(".nhdr"):
        write_detached(volume, path)
    else:
        kind = TENSOR_KIND if volume.quantity == TENSOR else ""
        write_packed(path, _header(volume, kind, ["encoding: gzip"]), _parts(volume, kind))


def write_numbers(volume: Volume, kind: str, path: Path, more: Sequence[str] = ()) -> None:
    """Write (n, z, y, x) as a compressed .nrrd of n numbers per voxel.

    volume: the numbers on their grid. path: a .nrrd. more: further lines of the header. kind: what they are, as the
    format names it.
    """
    write_packed(path, _header(volume, kind, ["encoding: gzip", *more]), _parts(volume, kind))


def write_detached(volume: Volume, path: Path) -> None:
    """Write an .nhdr with its plain voxels in a .raw beside it; a series with its gradients.

    Written slice by slice: a view of a larger array is never copied whole. Raises InputError for a voxel type that
    NRRD does not have.
    """
    for _ in writing_detached(volume, path):
        pass


def writing_detached(volume: Volume, path: Path) -> Iterator[int]:
    """`write_detached` in pieces, for a program that must stay responsive: yields the bytes of each slice written."""
    data = path.with_suffix(".raw")
    kind = TENSOR_KIND if volume.quantity == TENSOR else ""
    header = _header(volume, kind, ["encoding: raw", f"data file: {data.name}"])
    yield from writing_raw(path, header, data, _parts(volume, kind))


def open_voxels(path: Path) -> np.ndarray:
    """The voxels of an .nhdr with a raw data file, mapped read-only: (z, y, x), or (t, z, y, x) of a series.

    Of tensors (9, z, y, x), row by row of the matrix. Nothing is read before it is looked at.
    Raises InputError where the voxels are not plain (raw, in one file, volume after volume), or the data file is
    missing or too short.
    """
    voxels, header = map_voxels(path)
    kinds, axes = header.get("kinds", "").split(), header.get("space directions", "").lower()
    if voxels.ndim == 4 and kinds[:1] == [TENSOR_KIND] and voxels.shape[-1] == 9:
        return np.moveaxis(voxels, -1, 0)
    if voxels.ndim not in (3, 4):
        raise unmappable(path.name, f"its sizes are {header['sizes']}")
    if "none" in (axes.removesuffix("none") if voxels.ndim == 4 else axes):
        raise unmappable(path.name, "its volumes do not lie one after another")
    return voxels


def _header(volume: Volume, first: str, more: Sequence[str]) -> bytes:
    """A header. first: the kind of a first axis that counts the numbers of a voxel; "": none, a volume or a series."""
    stored = storable(volume.voxels.dtype).str[1:]
    if stored not in NAMES:
        raise InputError(f"Voxels of type {volume.voxels.dtype} cannot be written as NRRD; cast them to float32 first.")
    sizes, kinds = [str(n) for n in volume.size], ["domain"] * 3
    axes = [vector(axis) for axis in (volume.direction * volume.spacing).T]
    if first:
        numbers = 9 if volume.quantity == TENSOR else len(volume.voxels)
        sizes, kinds, axes = [str(numbers), *sizes], [first, *kinds], ["none", *axes]
    elif volume.voxels.ndim == 4:
        sizes, kinds, axes = [*sizes, str(volume.count)], [*kinds, "list"], [*axes, "none"]
    gradients = gradient_lines(volume.gradients) if volume.voxels.ndim == 4 and not first else []
    lines = [
        "NRRD0005",
        f"type: {NAMES[stored]}",
        f"dimension: {len(sizes)}",
        "space: left-posterior-superior",
        f"sizes: {' '.join(sizes)}",
        f"space directions: {' '.join(axes)}",
        f"kinds: {' '.join(kinds)}",
        "endian: little",
        f"space origin: {vector(np.asarray(volume.origin))}",
        *([IDENTITY] if volume.quantity == TENSOR else []),
        *_thickness_line(volume, kinds),
        *gradients,
        *_slice_line(volume),
        *(_time_line(volume) if kinds[-1] == "list" else []),
        *more,
    ]
    return ("\n".join(lines) + "\n\n").encode(errors="surrogateescape")


def _thickness_line(volume: Volume, kinds: Sequence[str]) -> list[str]:
    """The format's own field: a thickness for each axis, NaN where there is none."""
    if volume.thickness is None:
        return []
    axes = [k for k, kind in enumerate(kinds) if kind == "domain"]
    words = ["NaN"] * len(kinds)
    words[axes[stacking_axis(volume)]] = f"{volume.thickness:.10g}"
    return [f"thicknesses: {' '.join(words)}"]


def _slice_line(volume: Volume) -> list[str]:
    about = volume.header
    return [] if about is None or about.slices is None else [f"{SLICE_KEY}:={'xyz'[about.slices]}"]


def _time_line(volume: Volume) -> list[str]:
    about = volume.header
    if about is None or about.time_step is None or about.time_unit != SECONDS:
        return []
    return [f"{TIME_KEY}:={about.time_step:.10g}"]


def _parts(volume: Volume, first: str) -> Iterator[memoryview]:
    """The bytes of one slice after another, little-endian."""
    voxels = volume.voxels
    little = storable(voxels.dtype).newbyteorder("<")
    if not first:
        for index in np.ndindex(voxels.shape[:-2]):
            yield np.ascontiguousarray(voxels[index], little).data
        return
    for z in range(voxels.shape[1]):
        slab = matrices(voxels[:, z]) if volume.quantity == TENSOR else np.moveaxis(voxels[:, z], 0, -1)
        yield np.ascontiguousarray(slab, little).data
