"""Image files of every format: which reader and writer knows a file, and the gradients in it or beside it."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import nrrd, nrrd_gradients, nrrd_header
from SuperResolutionLib.files.bids_sidecar import with_thickness
from SuperResolutionLib.files.common import ScanWarning, check_exists, extension
from SuperResolutionLib.files.gradients import fsl_paths, read_fsl, warn_of_weighting, write_fsl
from SuperResolutionLib.files.tensor_images import are_tensors, read_tensors
from SuperResolutionLib.volume import TENSOR, Gradients, Volume

_NIFTI = (".nii", ".nii.gz")
_NRRD = (".nrrd", ".nhdr")
_MGH = (".mgz", ".mgh")
_SLICER_NEEDS = 7  # volumes: it may save a shorter diffusion series without its gradients


def read_image(path: str | Path, given: np.ndarray | None = None) -> Volume:
    """Read a volume or a series, with its header, the gradients in it or beside it (.bval/.bvec), and the slice
    thickness that a JSON beside it states.

    The voxel type is kept; scaled NIfTI becomes float32. A single 2-D image becomes a volume of one slice, an NRRD of
    tensors a tensor volume.
    given: what the voxels should be; of scalars in NIfTI and NRRD they are compared slice by slice, in place of a copy,
    and other voxels are refused.
    Raises InputError for what is not a whole, finite, scalar image.
    """
    path = Path(path)
    check_exists(path)
    if path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty (0 bytes). Copy, download or export it again.")
    volume, gradients = _read(path, given)
    if volume.quantity == TENSOR:
        return volume
    gradients = gradients or read_fsl(path, volume.count, volume.direction)
    if gradients is not None and volume.count > 1:
        warn_of_weighting(path.name, gradients)
    return with_thickness(replace(volume, gradients=gradients), path)


def write_image(volume: Volume, path: str | Path) -> None:
    """Write a volume or a series; gradients go into NRRD itself, else into .bval/.bvec beside the image.

    A short diffusion series in NRRD gets both, with a ScanWarning: Slicer may lose its gradients. A series with
    weighted volumes without a direction gets only the second, for NRRD would make b0 images of them.
    Raises RuntimeError or OSError when the disk refuses; `files.write` is the safe way in.
    """
    path = Path(path)
    check_takes(volume, path)
    if extension(path) in _NRRD:
        nrrd.write_nrrd(volume, path)
        _write_beside_nrrd(volume, path)
        return
    if extension(path) in _NIFTI:
        from SuperResolutionLib.files.nifti import write_nifti

        write_nifti(volume, path)
    else:
        from SuperResolutionLib.files.itk_images import write_meta

        write_meta(volume, path)
    write_fsl(volume, path)


def check_takes(volume: Volume, path: Path) -> None:
    """Raise InputError where the format of a file name cannot hold a volume: of tensors, only NRRD states the frame."""
    if volume.quantity == TENSOR and extension(path) not in _NRRD:
        raise InputError(f"{path.name} cannot hold tensors; name a .nrrd or .nhdr file, which Slicer loads as tensors.")


def _read(path: Path, given: np.ndarray | None) -> tuple[Volume, Gradients | None]:
    """A volume, and the gradients that the file itself holds. given: as of `read_image`."""
    if given is not None and extension(path) in _NIFTI:
        return _read_nifti(path, given), None
    if extension(path) not in _NRRD:
        return READERS[extension(path)](path), None
    header, start = nrrd_header.parsed(path)
    if are_tensors(header):
        return read_tensors(path, header, start), None
    volume = nrrd.read_scalars(path, header, start, given)
    return volume, nrrd_gradients.read_gradients(path.name, header, volume.count)


def _read_nifti(path: Path, given: np.ndarray | None = None) -> Volume:
    from SuperResolutionLib.files.nifti import read_nifti

    return read_nifti(path, given)


def _read_mgh(path: Path) -> Volume:
    from SuperResolutionLib.files.freesurfer import read_mgh

    return read_mgh(path)


def _read_meta(path: Path) -> Volume:
    from SuperResolutionLib.files.itk_images import read_meta

    return read_meta(path)


# How files that hold no gradients are read, by extension; each imports its library when it reads.
READERS: dict[str, Callable[[Path], Volume]] = {
    **dict.fromkeys(_NIFTI, _read_nifti),
    **dict.fromkeys(_MGH, _read_mgh),
    ".mha": _read_meta,
    ".mhd": _read_meta,
}


def _write_beside_nrrd(volume: Volume, path: Path) -> None:
    """Gradients that the NRRD alone would not bring to every reader."""
    if volume.gradients is None:
        return
    series, bval, bvec = volume.voxels.ndim == 4, *(p.name for p in fsl_paths(path))
    if series and not nrrd_gradients.can_hold(volume.gradients):
        _warn(
            f"{path.name} cannot state b-values without a direction, as trace images have them, so the gradients were "
            f"written to {bval} and {bvec} only."
        )
    elif series and volume.count < _SLICER_NEEDS:
        _warn(
            f"{path.name} has only {volume.count} volumes: Slicer may save a diffusion series of fewer than "
            f"{_SLICER_NEEDS} without its gradients, so they were written to {bval} and {bvec} too."
        )
    elif series:
        return
    write_fsl(volume, path)


def _warn(sentence: str) -> None:
    warnings.warn(ScanWarning(sentence), stacklevel=4)
