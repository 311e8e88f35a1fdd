"""NRRD of diffusion tensors, as Slicer, teem and DTIPrep write them; ITK's reader does not know their kinds.

One axis of the file counts the components, and its kind says which. The measurement frame says in which axes the
tensors are meant: T in the file's space is M T M', the columns of M being the vectors of the frame.
http://teem.sourceforge.net/nrrd/format.html (kinds, measurement frame)
"""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from SuperResolutionLib.diffusion.components import turned
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import ScanWarning, make_volume
from SuperResolutionLib.files.nrrd_data import read_voxels
from SuperResolutionLib.files.nrrd_grid import grid_of
from SuperResolutionLib.files.nrrd_header import FRAME, to_lps, vectors
from SuperResolutionLib.volume import TENSOR, Volume

# Where xx xy xz yy yz zz, and the lower halves of xy xz yz, lie; a mask (of confidence) comes before the tensor.
_WHERE = {
    "3d-symmetric-matrix": ((0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 4, 5)),
    "3d-masked-symmetric-matrix": ((1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 5, 6)),
    "3d-matrix": ((0, 1, 2, 4, 5, 8), (0, 3, 6, 4, 7, 8)),
    "3d-masked-matrix": ((1, 2, 3, 5, 6, 9), (1, 4, 7, 5, 8, 9)),
}
_SIZES = dict(zip(_WHERE, (6, 7, 9, 10), strict=True))


def are_tensors(header: dict[str, str]) -> bool:
    """Whether an NRRD header says that its voxels are tensors."""
    return any(kind in _WHERE for kind in header.get("kinds", "").lower().split())


def read_tensors(path: Path, header: dict[str, str], start: int) -> Volume:
    """A tensor volume, in LPS whatever the file's space and measurement frame. start: where the header ends.

    Integer components become float32; a full matrix is made symmetric by its mean with its transpose. Where the
    confidence of a masked kind is 0 there is no tensor; confidences between 0 and 1 are lost, with a ScanWarning.
    Raises InputError where space or grid are not stated, or for voxels that are not whole.
    """
    name, kinds = path.name, header.get("kinds", "").lower().split()
    at = next(k for k, kind in enumerate(kinds) if kind in _WHERE)
    kind = kinds[at]
    sizes = header.get("sizes", "").split()
    if len(sizes) != 4 or len(kinds) != 4 or sizes[at] != str(_SIZES[kind]):
        raise InputError(
            f"{name} says that it holds tensors ({kind}, {_SIZES[kind]} components), but its sizes are "
            f"{header.get('sizes', 'missing')[:60]}. Export it again."
        )
    signs = _signs(name, header)
    grid = grid_of(name, header)
    if grid.other != at:
        stated = header.get("space directions", "missing")[:200]
        raise InputError(
            f"{name} does not say where its voxels lie (space directions: {stated}). Export it again with its geometry."
        )
    stored = np.moveaxis(read_voxels(path, header, start), 3 - at, 0)
    tensors = turned(_components(stored, kind), signs[:, None] * _frame(name, header))
    if "masked" in kind:
        _apply_confidence(name, tensors, stored[0])
    return replace(make_volume(name, tensors, grid.spacing, grid.origin, grid.axes, grid.about), quantity=TENSOR)


def _apply_confidence(name: str, tensors: np.ndarray, confidence: np.ndarray) -> None:
    tensors[:, confidence == 0] = 0
    between = int(np.count_nonzero((confidence != 0) & (confidence != 1)))
    if between:
        warnings.warn(
            ScanWarning(
                f"{name} has confidences beside its tensors, {between} of them neither 0 nor 1; they are not kept, "
                "only that there is no tensor where the confidence is 0."
            ),
            stacklevel=2,
        )


def _components(stored: np.ndarray, kind: str) -> np.ndarray:
    """(components, z, y, x) of a kind -> (6, z, y, x) floats."""
    dtype = stored.dtype.newbyteorder("=") if stored.dtype.kind == "f" else np.dtype(np.float32)
    tensors = np.empty((6, *stored.shape[1:]), dtype)
    for target, upper, lower in zip(tensors, *_WHERE[kind], strict=True):
        target[...] = stored[upper] if upper == lower else stored[upper] / 2 + stored[lower] / 2
    return tensors


def _signs(name: str, header: dict[str, str]) -> np.ndarray:
    signs = to_lps(header.get("space", ""))
    if signs is None:
        raise InputError(
            f"{name} does not say how its tensors lie in the patient (its space is "
            f"{header.get('space', 'missing')[:60]}); known are left-posterior-superior, right-anterior-superior, "
            "left-anterior-superior. Export it again with its space."
        )
    return signs


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
        raise InputError(f"{name} has a measurement frame that cannot be read: {header[FRAME][:100]}.") from error
    if not np.isfinite(frame).all() or np.abs(frame.T @ frame - np.eye(3)).max() > 1e-2:
        raise InputError(
            f"{name} has a measurement frame that is no rotation ({header[FRAME][:100]}), so the directions of its "
            "tensors are not known. Export it again."
        )
    return frame
