"""NRRD of diffusion tensors, as Slicer, teem and DTIPrep write them; ITK's reader does not know their kinds.

One axis of the file counts the components, and its kind says which. The measurement frame says in which axes the
tensors are meant: T in the file's space is M T M', the columns of M being the vectors of the frame.
http://teem.sourceforge.net/nrrd/format.html (kinds, measurement frame)
"""

import bz2
import gzip
import math
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from SuperResolutionLib.diffusion.components import turned
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import ScanWarning, check_exists, cut_short, make_volume
from SuperResolutionLib.files.nrrd import FRAME, TENSOR_KIND, to_lps, vectors, voxel_type
from SuperResolutionLib.volume import TENSOR, Volume

# Where xx xy xz yy yz zz, and the lower halves of xy xz yz, lie; a mask (of confidence) comes before the tensor.
_WHERE = {
    TENSOR_KIND: ((0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 4, 5)),
    "3D-masked-symmetric-matrix": ((1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 5, 6)),
    "3D-matrix": ((0, 1, 2, 4, 5, 8), (0, 3, 6, 4, 7, 8)),
    "3D-masked-matrix": ((1, 2, 3, 5, 6, 9), (1, 4, 7, 5, 8, 9)),
}
_SIZES = dict(zip(_WHERE, (6, 7, 9, 10), strict=True))
_SPACES = ("left-posterior-superior", "right-anterior-superior", "left-anterior-superior", "lps", "ras", "las")
_DECODERS: dict[str, Callable[[BinaryIO], BinaryIO | gzip.GzipFile | bz2.BZ2File]] = {
    "raw": lambda file: file,
    "gzip": lambda file: gzip.GzipFile(fileobj=file),
    "gz": lambda file: gzip.GzipFile(fileobj=file),
    "bzip2": bz2.BZ2File,
    "bz2": bz2.BZ2File,
}


def are_tensors(header: dict[str, str]) -> bool:
    """Whether an NRRD header says that its voxels are tensors."""
    return any(kind in _WHERE for kind in header.get("kinds", "").split())


def read_tensors(path: Path, header: dict[str, str]) -> Volume:
    """A tensor volume, in LPS whatever the file's space and measurement frame.

    Integer components become float32; a full matrix is made symmetric by its mean with its transpose. The confidence
    of a masked kind is dropped, as in Slicer. Raises InputError where space or grid are not stated, or for voxels that
    are not whole.
    """
    name, kinds = path.name, header.get("kinds", "").split()
    at = next(k for k, kind in enumerate(kinds) if kind in _WHERE)
    kind = kinds[at]
    sizes = [int(n) for n in header.get("sizes", "").split() if n.isdecimal() and int(n)]
    if len(sizes) != 4 or len(kinds) != 4 or sizes[at] != _SIZES[kind]:
        raise InputError(
            f"{name} says that it holds tensors ({kind}, {_SIZES[kind]} components), but its sizes are "
            f"{header.get('sizes', 'missing')}. Export it again."
        )
    signs = _signs(name, header)
    axes, origin = _grid(name, header, signs)
    stored = np.moveaxis(_voxels(path, header, sizes), 3 - at, 0)
    tensors = turned(_components(stored, kind), signs[:, None] * _frame(name, header))
    spacing = np.linalg.norm(axes, axis=0)
    grid = make_volume(name, tensors, spacing, origin, axes / np.where(spacing, spacing, 1))
    return Volume(grid.voxels, grid.spacing, grid.origin, grid.direction, quantity=TENSOR)


def _components(stored: np.ndarray, kind: str) -> np.ndarray:
    """(components, z, y, x) of a kind -> (6, z, y, x) floats."""
    dtype = stored.dtype.newbyteorder("=") if stored.dtype.kind == "f" else np.dtype(np.float32)
    tensors = np.empty((6, *stored.shape[1:]), dtype)
    for target, upper, lower in zip(tensors, *_WHERE[kind], strict=True):
        target[...] = stored[upper] if upper == lower else stored[upper] / 2 + stored[lower] / 2
    return tensors


def _signs(name: str, header: dict[str, str]) -> np.ndarray:
    space = header.get("space", "")
    if space.lower() not in _SPACES:
        raise InputError(
            f"{name} does not say how its tensors lie in the patient (its space is {space or 'missing'}); "
            f"known are {', '.join(_SPACES[:3])}. Export it again with its space."
        )
    return to_lps(space)


def _grid(name: str, header: dict[str, str], signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The step from voxel to voxel along x, y, z as columns, and the origin: mm in LPS."""
    try:
        axes = vectors(header.get("space directions", "").replace("none", "")).T
        origin = np.array([float(word) for word in header.get("space origin", "(0,0,0)").strip("() ").split(",")])
    except ValueError as error:
        raise InputError(
            f"{name} does not say where its voxels lie (space directions: "
            f"{header.get('space directions', 'missing')}). Export it again with its geometry."
        ) from error
    return signs[:, None] * axes, signs * origin


def _frame(name: str, header: dict[str, str]) -> np.ndarray:
    if FRAME not in header:
        warnings.warn(
            ScanWarning(f"{name} states no measurement frame; its tensors are taken to lie in its own space."),
            stacklevel=2,
        )
        return np.eye(3)
    try:
        frame = vectors(header[FRAME]).T
    except ValueError as error:
        raise InputError(f"{name} has a measurement frame that cannot be read: {header[FRAME]}.") from error
    if not np.isfinite(frame).all() or np.abs(frame.T @ frame - np.eye(3)).max() > 1e-2:
        raise InputError(
            f"{name} has a measurement frame that is no rotation ({header[FRAME]}), so the directions of its tensors "
            "are not known. Export it again."
        )
    return frame


def _voxels(path: Path, header: dict[str, str], sizes: list[int]) -> np.ndarray:
    """All components as stored, the fastest axis last."""
    encoding = header.get("encoding", "missing")
    data = path.parent / header["data file"] if "data file" in header else path
    skips = [key for key in ("byte skip", "line skip") if header.get(key, "0") != "0"]
    if encoding not in _DECODERS or skips or "LIST" in data.name or "%" in data.name:
        why = skips[0] if skips else f"encoding {encoding}, data file {data.name}"
        raise InputError(f"{path.name} stores its tensors in a rare way ({why}); save it again with Slicer.")
    dtype = voxel_type(path.name, header)
    check_exists(data)
    wanted = dtype.itemsize * math.prod(sizes)
    try:
        with data.open("rb") as file:
            while data == path and file.readline().strip():  # the header ends at the first empty line
                pass
            found = _DECODERS[encoding](file).read(wanted)
    except (EOFError, zlib.error, OSError) as error:
        raise cut_short(data.name, str(error)) from error
    if len(found) < wanted:
        raise cut_short(data.name, f"it has {len(found)} of {wanted} bytes of voxels")
    return np.frombuffer(found, dtype).reshape(sizes[::-1])
