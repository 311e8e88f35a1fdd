"""Voxels as text that a page carries: whole numbers of 16 bits, slice by slice, deflated, in base64."""

import base64
import zlib
from dataclasses import dataclass

import numpy as np

MOST = 65535  # of 16 bits


@dataclass(frozen=True, eq=False)
class Packed:
    """Slices and what their numbers mean: voxel = intercept + slope x number.

    slices: one text a slice. exact: whether the voxels come back as they were; else each to within half a slope.
    """

    slices: list[str]
    slope: float
    intercept: float
    exact: bool


def pack(voxels: np.ndarray, axis: int, levels: int = MOST) -> Packed:
    """Pack a 3-D array, slice by slice along `axis`.

    voxels: finite, any real dtype. levels: in how many steps voxels that are no whole numbers are stored.
    """
    low, high = voxels.min(), voxels.max()
    reach = float(high) - float(low)
    exact = reach == 0 or (reach <= MOST and _whole(voxels))
    slope = 1.0 if exact else reach / levels
    numbers = (_from(voxels, low) if exact else np.rint((voxels.astype(np.float64) - float(low)) / slope)).astype("<u2")
    return Packed([_text(part) for part in np.moveaxis(numbers, axis, 0)], slope, float(low), exact)


def _whole(voxels: np.ndarray) -> bool:
    return voxels.dtype.kind in "iu" or all(np.array_equal(part, np.rint(part)) for part in voxels)


def _from(voxels: np.ndarray, low: np.number) -> np.ndarray:
    """Voxels minus the lowest: in whole numbers, where those are, for floats may be too coarse for them."""
    if voxels.dtype.kind == "f":
        return voxels.astype(np.float64) - float(low)
    return np.subtract(voxels, low, dtype=voxels.dtype).view(f"u{voxels.dtype.itemsize}")  # modulo the type's range


def _text(part: np.ndarray) -> str:
    """A slice: differences along its rows, all their low bytes first, for these deflate best."""
    steps = np.diff(part, axis=1, prepend=part.dtype.type(0))  # modulo 65536
    planes = np.ascontiguousarray(steps, "<u2").view(np.uint8).reshape(-1, 2).T
    return base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode("ascii")
