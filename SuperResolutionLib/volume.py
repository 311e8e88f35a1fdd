"""A volume: voxels, where they lie in the patient, and the diffusion gradients of a series."""

from dataclasses import dataclass, field, replace

import numpy as np

from SuperResolutionLib.errors import InputError

# s/mm2: a volume up to this counts as b = 0; scanners write b0 images with small b-values of their imaging gradients
UNWEIGHTED = 50.0
SIGNAL, TENSOR = "signal", "tensor"  # what voxels mean


@dataclass(frozen=True, eq=False)
class Gradients:
    """The diffusion weighting of each 3-D volume of a series.

    bvals: (t,) s/mm2. bvecs: (t, 3) unit vectors (zero where b is 0) in patient space, LPS, so that they
    stay true whatever happens to the voxel grid.
    """

    bvals: np.ndarray
    bvecs: np.ndarray


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan: a value, never changed in place.

    voxels: (z, y, x), or (t, z, y, x) for a series; any real dtype. Of a tensor volume (6, z, y, x) floats: xx, xy,
        xz, yy, yz, zz of a symmetric tensor, usually in mm2/s, in LPS, so that no change of the grid turns them;
        all six exactly 0 where there is none.
    spacing: mm along x, y, z. origin: mm, centre of voxel (0, 0, 0), in LPS (DICOM, ITK).
    direction: (3, 3), column k is the unit vector of voxel axis k (x, y, z) in LPS.
    gradients: only for a diffusion series.
    quantity: SIGNAL, or TENSOR for diffusion tensors, whose components are never intensities.
    """

    voxels: np.ndarray
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: np.ndarray = field(default_factory=lambda: np.eye(3))
    gradients: Gradients | None = None
    quantity: str = SIGNAL

    def __post_init__(self) -> None:
        if self.voxels.ndim not in (3, 4):
            raise InputError(
                f"A volume has 3 axes, a series 4; this array has {self.voxels.ndim} (shape {self.voxels.shape})."
            )
        if self.voxels.size == 0:
            raise InputError(f"The volume is empty: its shape is {self.voxels.shape}.")
        if self.quantity == TENSOR:
            _check_tensors(self)
        if self.gradients is not None and len(self.gradients.bvals) != self.count:
            raise InputError(
                f"The series has {self.count} volumes but {len(self.gradients.bvals)} b-values; they must agree."
            )

    @property
    def count(self) -> int:
        """How many 3-D volumes: 1, or t of a series; the six components of tensors are one volume."""
        return 1 if self.voxels.ndim == 3 or self.quantity == TENSOR else self.voxels.shape[0]

    @property
    def size(self) -> tuple[int, int, int]:
        """Voxels along x, y, z."""
        z, y, x = self.voxels.shape[-3:]
        return x, y, z

    def with_voxels(self, voxels: np.ndarray) -> "Volume":
        """The same grid with other voxels of the same shape."""
        return replace(self, voxels=voxels)

    def cast(self, dtype: np.dtype | type) -> "Volume":
        """The same volume in another voxel type: integers are rounded and clipped to the type's range."""
        return self.with_voxels(cast_voxels(self.voxels, dtype))

    def bounds(self) -> np.ndarray:
        """Where the field of view ends: (8, 3) mm in LPS, the outer corners of the corner voxels."""
        corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
        index = corners * np.array(self.size) - 0.5
        return np.asarray(self.origin) + (index * np.asarray(self.spacing)) @ self.direction.T


def signal_only(volume: Volume, done: str) -> None:
    """Raise InputError for a tensor volume. done: what would be done to it, as "degraded"."""
    if volume.quantity == TENSOR:
        raise InputError(
            f"A tensor volume cannot be {done}: the six components of its tensors are not intensities. "
            "Use the diffusion series that the tensors were fitted to."
        )


def _check_tensors(volume: Volume) -> None:
    shape, dtype = volume.voxels.shape, volume.voxels.dtype
    if len(shape) != 4 or shape[0] != 6 or not np.issubdtype(dtype, np.floating):
        raise InputError(f"A tensor volume has 6 components of floats, (6, z, y, x); this array is {dtype} {shape}.")
    if volume.gradients is not None:
        raise InputError("A tensor volume has no gradients of its own; they belong to the series it was fitted to.")


def cast_voxels(voxels: np.ndarray, dtype: np.dtype | type) -> np.ndarray:
    """Voxels in another type; to an integer type they are rounded to nearest and clipped to its range."""
    dtype = np.dtype(dtype)
    if voxels.dtype == dtype:
        return voxels
    if np.issubdtype(dtype, np.integer):
        low, high = np.iinfo(dtype).min, float(np.iinfo(dtype).max)
        if high > np.iinfo(dtype).max:  # 64 bits: rounded up to a float, it would wrap around
            high = float(np.nextafter(high, 0))
        return np.clip(np.rint(voxels.astype(np.float64, copy=False)), low, high).astype(dtype)
    return voxels.astype(dtype)
