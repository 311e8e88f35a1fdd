"""A volume: voxels, where they lie in the patient, and the diffusion gradients of a series."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.header import INTENSITIES, Header

if TYPE_CHECKING:
    import nibabel
    import SimpleITK as sitk
    from matplotlib.figure import Figure

# s/mm2: a volume up to this counts as b = 0; scanners write b0 images with small b-values of their imaging gradients
UNWEIGHTED = 50.0
SIGNAL, TENSOR = "signal", "tensor"  # what voxels mean
_UPRIGHT = 1e-4  # how far the products of the axes' unit vectors may lie from those of axes at right angles


@dataclass(frozen=True, eq=False)
class Gradients:
    """The diffusion weighting of each 3-D volume of a series.

    bvals: (t,) s/mm2. bvecs: (t, 3) unit vectors (zero where b is 0) in patient space, LPS, so that they
    stay true whatever happens to the voxel grid.
    """

    bvals: np.ndarray
    bvecs: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Volume:
    """A scan: a value, never changed in place.

    voxels: (z, y, x), or (t, z, y, x) for a series; any real dtype. Of a tensor volume (6, z, y, x) floats: xx, xy,
        xz, yy, yz, zz of a symmetric tensor, usually in mm2/s, in LPS, so that no change of the grid turns them;
        all six exactly 0 where there is none.
    spacing: mm along x, y, z. origin: mm, centre of voxel (0, 0, 0), in LPS (DICOM, ITK).
    direction: (3, 3), column k is the unit vector of voxel axis k (x, y, z) in LPS.
    gradients: only for a diffusion series.
    quantity: SIGNAL, or TENSOR for diffusion tensors, whose components are never intensities.
    header: what the file says beside all that, so that it comes back in the output; None where there was no file.

    Raises InputError for an array that is no volume, and for an impossible grid.
    """

    voxels: np.ndarray
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: np.ndarray = field(default_factory=lambda: np.eye(3))
    gradients: Gradients | None = None
    quantity: str = SIGNAL
    header: Header | None = None

    def __post_init__(self) -> None:
        _check_voxels(self.voxels)
        _check_grid(self)
        if self.quantity == TENSOR:
            _check_tensors(self)
        if self.gradients is not None:
            _check_gradients(self.gradients)
        if self.gradients is not None and len(self.gradients.bvals) != self.count:
            raise InputError(
                f"The series has {self.count} volumes but {len(self.gradients.bvals)} b-values; they must agree."
            )

    @classmethod
    def from_numpy(
        cls,
        array_zyx: np.ndarray,
        spacing: Sequence[float],
        *,
        origin: Sequence[float] = (0.0, 0.0, 0.0),
        direction: np.ndarray | None = None,
        gradients: Gradients | None = None,
    ) -> "Volume":
        """A volume of an array.

        array_zyx: (z, y, x), or (t, z, y, x) for a series. spacing: mm along x, y, z. origin: mm, LPS.
        direction: (3, 3), column k is the unit vector of voxel axis k (x, y, z) in LPS; None: along L, P, S.
        gradients: of a diffusion series.
        Raises InputError as the class does, and for colours, (z, y, x, 3).
        """
        try:
            array = np.asarray(array_zyx)
            axes = np.eye(3) if direction is None else np.asarray(direction, dtype=float)
        except (TypeError, ValueError) as error:
            raise InputError(f"The voxels or the direction are no array of numbers ({str(error)[:100]}).") from error
        check_grey(array)
        return cls(array, _triple("spacing", spacing), _triple("origin", origin), axes, gradients)

    @classmethod
    def from_nibabel(cls, image: "nibabel.spatialimages.SpatialImage") -> "Volume":
        """A volume of a nibabel image: NIfTI-1, NIfTI-2 or MGH, 3-D or 4-D, in its own voxel type.

        Raises InputError as `read` does for a file.
        """
        from SuperResolutionLib.files.nibabel_images import from_image

        return from_image(image)

    @classmethod
    def from_sitk(cls, image: "sitk.Image") -> "Volume":
        """A volume of a SimpleITK image, 2-D (one slice), 3-D or 4-D. Raises InputError for vectors and colours."""
        from SuperResolutionLib.files.itk_images import from_image

        return from_image("The image", image)

    def to_nibabel(self) -> "nibabel.nifti1.Nifti1Image":
        """The volume as an image of nibabel, with all that its header holds; gradients stay behind.

        Raises InputError for tensors, whose frame NIfTI does not state, and where nibabel is missing.
        """
        from SuperResolutionLib.files.nifti import to_image

        return to_image(self)

    def to_sitk(self) -> "sitk.Image":
        """The volume as a scalar image of SimpleITK, 3-D or 4-D; gradients stay behind. Raises InputError for tensors.

        The fourth spacing of a series is its time step, 1 where that is unknown.
        """
        from SuperResolutionLib.files.itk_images import to_image

        return to_image(self)

    def plot(self) -> "Figure":
        """Three slices through the middle, axial, coronal and sagittal, as a figure of matplotlib."""
        from SuperResolutionLib.display import figure

        return figure(self)

    def __repr__(self) -> str:
        from SuperResolutionLib.display import line

        return line(self)

    def _repr_html_(self) -> str:
        from SuperResolutionLib.display import html

        return html(self)

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

    @property
    def thickness(self) -> float | None:
        """Of the acquired slices, mm; None where the file does not say. Less than their spacing: there are gaps."""
        return None if self.header is None else self.header.thickness

    def with_thickness(self, mm: float | None) -> "Volume":
        """The same scan, whose slices are said to be so thick; None for not known."""
        return replace(self, header=replace(self.header or Header(), thickness=mm))

    def cast(self, dtype: np.dtype | type) -> "Volume":
        """The same volume in another voxel type: integers are rounded and clipped to the type's range."""
        return self.with_voxels(cast_voxels(self.voxels, dtype))

    def as_intensities(self) -> "Volume":
        """The same volume, its voxels taken for intensities of an MR scan whatever they look like."""
        return replace(self, header=replace(self.header or Header(), modality="", kind=INTENSITIES))

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


def check_finite(voxels: np.ndarray, name: str = "The volume") -> None:
    """Raise InputError if any voxel is NaN or infinite, saying how many of them there are in what is called `name`."""
    if np.issubdtype(voxels.dtype, np.integer):
        return
    bad = sum(int(np.count_nonzero(~np.isfinite(part))) for part in voxels)
    if bad:
        raise InputError(
            f"{name} has {bad} NaN or infinite voxels of {voxels.size}; replace them (by 0, or by their "
            "neighbours) and save it again."
        )


def check_grey(array: np.ndarray) -> None:
    """Raise InputError for an array that is a picture in colour, (z, y, x, 3) or (z, y, x, 4), not a series."""
    if array.ndim == 4 and array.shape[-1] in (3, 4) and min(array.shape[1:3]) >= 8:
        raise InputError(
            f"An array of shape {array.shape} looks like colours, three or four numbers per voxel, and a series is "
            "(t, z, y, x); give its grey values, (z, y, x)."
        )


def orthonormal(axes: np.ndarray) -> np.ndarray:
    """The axes at right angles and of unit length, (3, 3) columns, that lie nearest to the given ones."""
    left, _, right = np.linalg.svd(axes)
    nearest: np.ndarray = left @ right
    return nearest


def _check_voxels(voxels: np.ndarray) -> None:
    if not isinstance(voxels, np.ndarray):
        raise InputError(f"A volume is made of a numpy array, not of {type(voxels).__name__}; convert it first.")
    if voxels.dtype.kind not in "iuf":
        kind = {"b": "true or false", "c": "complex", "O": "Python objects"}.get(voxels.dtype.kind, "no numbers")
        hint = "take their magnitude" if voxels.dtype.kind == "c" else "cast them, for example to uint8 or float32"
        raise InputError(f"The voxels are {kind} ({voxels.dtype}), and a volume is made of real numbers; {hint}.")
    if voxels.ndim not in (3, 4):
        raise InputError(f"A volume has 3 axes, a series 4; this array has {voxels.ndim} (shape {voxels.shape}).")
    if voxels.size == 0:
        raise InputError(f"The volume is empty: its shape is {voxels.shape}.")


def _check_grid(volume: Volume) -> None:
    spacing, origin, axes = _triple("spacing", volume.spacing), _triple("origin", volume.origin), volume.direction
    if min(spacing) <= 0:
        raise InputError(f"The spacing is {spacing} mm along x, y, z; give three sizes above 0.")
    if np.shape(axes) != (3, 3) or not np.isfinite(axes).all() or np.abs(axes.T @ axes - np.eye(3)).max() > _UPRIGHT:
        raise InputError(
            f"The direction {np.round(axes, 4).tolist()} is not three unit vectors at right angles; "
            "put the voxel sizes into the spacing, and resample a sheared grid first."
        )
    if (spacing, origin) == ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0)) and volume.gradients is None:
        check_grey(volume.voxels)  # where a grid is stated, (t, z, y, x) may well be 3 wide


def _check_gradients(gradients: Gradients) -> None:
    bvals, bvecs = gradients.bvals, gradients.bvecs
    if not (isinstance(bvals, np.ndarray) and isinstance(bvecs, np.ndarray)):
        raise InputError("The b-values and directions of a series are numpy arrays, (t,) and (t, 3); convert them.")
    if bvals.ndim != 1 or bvecs.shape != (len(bvals), 3):
        raise InputError(
            f"The b-values have shape {bvals.shape} and the directions {bvecs.shape}; give (t,) and (t, 3)."
        )
    if not (np.isfinite(bvals).all() and np.isfinite(bvecs).all()) or bvals.min(initial=0) < 0:
        raise InputError("The series has b-values or directions that are no finite numbers, or b-values below 0.")


def _triple(what: str, numbers: Any) -> tuple[float, float, float]:
    try:
        x, y, z = (float(n) for n in numbers)
    except (TypeError, ValueError) as error:
        raise InputError(f"The {what} is {numbers}; give three numbers, mm along x, y, z.") from error
    if not np.isfinite([x, y, z]).all():
        raise InputError(f"The {what} is {(x, y, z)}; give three finite numbers, mm along x, y, z.")
    return x, y, z


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
