"""Image files through SimpleITK: NIfTI, NRRD and MetaImage, 3-D volumes and 4-D series."""

# mypy: allow-untyped-calls

import warnings
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import nifti, nrrd
from SuperResolutionLib.files.common import (
    ScanWarning,
    check_exists,
    complex_voxels,
    cut_short,
    extension,
    looks_like,
    make_volume,
    not_scalar,
    quiet,
)
from SuperResolutionLib.files.gradients import fsl_paths, read_fsl, warn_of_weighting, write_fsl
from SuperResolutionLib.files.tensor_images import are_tensors, read_tensors
from SuperResolutionLib.volume import TENSOR, Volume

_NIFTI = (".nii", ".nii.gz")
_NRRD = (".nrrd", ".nhdr")
_SLICER_NEEDS = 7  # volumes: it may save a shorter diffusion series without its gradients


def read_image(path: str | Path) -> Volume:
    """Read a volume or a series, with the gradients in it or beside it (.bval/.bvec).

    The voxel type is kept; scaled NIfTI becomes float32. A single 2-D image becomes a volume of one slice, an NRRD of
    tensors a tensor volume.
    Raises InputError for what is not a whole, finite, scalar image.
    """
    path = Path(path)
    check_exists(path)
    if path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty (0 bytes). Copy, download or export it again.")
    fields = nrrd.read_header(path) if extension(path) in _NRRD else {}
    if are_tensors(fields):
        return read_tensors(path, fields)
    if extension(path) in _NIFTI:
        voxels = nifti.read_voxels(path)
        header = _header(path)
    else:
        header = _header(path)
        _check_kind(path.name, header, nrrd.is_series(fields))
        voxels = _array(_whole(path))
    spacing, origin, axes = _grid(header)
    volume = make_volume(path.name, voxels, spacing, origin, axes)
    gradients = nrrd.read_gradients(path.name, fields, volume.count) or read_fsl(path, volume.count, axes)
    if gradients is not None and volume.count > 1:
        warn_of_weighting(path.name, gradients)
    return Volume(volume.voxels, volume.spacing, volume.origin, volume.direction, gradients)


def write_image(volume: Volume, path: str | Path) -> None:
    """Write a volume or a series; gradients go into NRRD itself, else into .bval/.bvec beside the image.

    A short diffusion series in NRRD gets both, with a ScanWarning: Slicer may lose its gradients.
    Raises RuntimeError or OSError when the disk refuses; `files.write` is the safe way in.
    """
    path = Path(path)
    check_takes(volume, path)
    if volume.voxels.ndim == 4 and extension(path) in _NRRD:
        write = nrrd.write_detached if extension(path) == ".nhdr" else nrrd.write_series
        write(volume, path)
        if volume.gradients is not None and volume.count < _SLICER_NEEDS:
            write_fsl(volume, path)
            _warn_of_slicer(path, volume.count)
        return
    volume = volume.with_voxels(np.ascontiguousarray(volume.voxels, nrrd.storable(volume.voxels.dtype)))
    with quiet():
        sitk.WriteImage(_image(volume), str(path), extension(path) in (".nrrd", ".mha", ".nii.gz"))
    write_fsl(volume, path)


def check_takes(volume: Volume, path: Path) -> None:
    """Raise InputError where the format of a file name cannot hold a volume: of tensors, only NRRD states the frame."""
    if volume.quantity == TENSOR and extension(path) not in _NRRD:
        raise InputError(f"{path.name} cannot hold tensors; name a .nrrd or .nhdr file, which Slicer loads as tensors.")


def _warn_of_slicer(path: Path, count: int) -> None:
    bval, bvec = (p.name for p in fsl_paths(path))
    warnings.warn(
        ScanWarning(
            f"{path.name} has only {count} volumes: Slicer may save a diffusion series of fewer than {_SLICER_NEEDS} "
            f"without its gradients, so they were written to {bval} and {bvec} too."
        ),
        stacklevel=3,
    )


def _header(path: Path) -> sitk.ImageFileReader:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        with quiet():
            reader.ReadImageInformation()
    except RuntimeError as error:
        if "orthonormal" in str(error):
            raise InputError(
                f"{path.name} has axes that are not at right angles (a sheared grid); resample it first."
            ) from error
        raise _unreadable(path, error) from error
    return reader


def _whole(path: Path) -> sitk.Image:
    try:
        with quiet():
            return sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise cut_short(path.name, _reason(error)) from error


def _unreadable(path: Path, error: RuntimeError) -> InputError:
    kind = extension(path).lstrip(".")
    return InputError(
        f"{path.name} cannot be read as {kind}: {looks_like(path)} ({_reason(error)}). Export it again, "
        "or give it its right extension."
    )


def _reason(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("ITK ERROR: ")[:160] if lines else "no reason given"


def _check_kind(name: str, image: sitk.ImageFileReader, series: bool) -> None:
    if "complex" in sitk.GetPixelIDValueAsString(image.GetPixelID()):
        raise complex_voxels(name)
    if image.GetNumberOfComponents() > 1 and not series:
        raise not_scalar(name, image.GetNumberOfComponents())
    if image.GetDimension() > 4:
        raise nifti.too_many_axes(name, image.GetDimension())


def _array(image: sitk.Image) -> np.ndarray:
    voxels: np.ndarray = sitk.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:  # the volumes of an NRRD series
        return np.ascontiguousarray(np.moveaxis(voxels, -1, 0))
    return voxels[None] if voxels.ndim == 2 else voxels


def _grid(image: sitk.ImageFileReader) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spacing, origin and axes of the first three axes; a 2-D image gets a third of 1 mm."""
    given = image.GetDimension()
    keep = min(given, 3)
    spacing, origin, axes = np.ones(3), np.zeros(3), np.eye(3)
    spacing[:keep] = image.GetSpacing()[:keep]
    origin[:keep] = image.GetOrigin()[:keep]
    axes[:keep, :keep] = np.reshape(image.GetDirection(), (given, given))[:keep, :keep]
    return spacing, origin, axes


def _image(volume: Volume) -> sitk.Image:
    image = sitk.GetImageFromArray(volume.voxels, isVector=False)
    extra = volume.voxels.ndim - 3
    direction = np.eye(3 + extra)
    direction[:3, :3] = volume.direction
    image.SetSpacing((*volume.spacing, *[1.0] * extra))
    image.SetOrigin((*volume.origin, *[0.0] * extra))
    image.SetDirection(direction.ravel().tolist())
    return image
