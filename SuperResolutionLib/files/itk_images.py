"""Images of SimpleITK to volumes and back; and MetaImage files, which SimpleITK reads and writes."""

# mypy: allow-untyped-calls

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import metaimage
from SuperResolutionLib.files.common import (
    complex_voxels,
    cut_short,
    make_volume,
    not_scalar,
    quiet,
    sheared,
    storable,
    too_many_axes,
)
from SuperResolutionLib.header import Header
from SuperResolutionLib.volume import Volume, signal_only

SLICE_KEY, THICKNESS_KEY = "SuperResolutionSliceAxis", "SuperResolutionSliceThickness"  # x, y or z; mm
_UNSTATED = 1.0  # the fourth spacing of an image that nobody gave one


def read_meta(path: Path) -> Volume:
    """A volume or series of a .mha or .mhd file. Raises InputError for anything that is not a whole scalar image."""
    unit = metaimage.check(path)
    try:
        with quiet():
            image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        if "orthonormal" in str(error):
            raise sheared(path.name) from error
        raise cut_short(path.name, _reason(error)) from error
    if unit != 1:
        for put, numbers in ((image.SetSpacing, image.GetSpacing()), (image.SetOrigin, image.GetOrigin())):
            put([*(n * unit for n in numbers[:3]), *numbers[3:]])
    return from_image(path.name, image)


def write_meta(volume: Volume, path: Path) -> None:
    """Write a volume or a series without its gradients. Raises RuntimeError or InputError where that cannot be done."""
    metaimage.check_name(path)
    with quiet():
        sitk.WriteImage(to_image(volume), str(path), path.suffix.lower() == ".mha")


def from_image(name: str, image: Any) -> Volume:
    """A volume of an image of 2 (one slice), 3 or 4 axes. Raises InputError for vectors, complex numbers and others."""
    if not isinstance(image, sitk.Image):
        raise InputError(f"A volume cannot be made of {type(image).__name__}; give an image of SimpleITK.")
    if "complex" in image.GetPixelIDTypeAsString():
        raise complex_voxels(name)
    if image.GetNumberOfComponentsPerPixel() > 1:
        raise not_scalar(name, image.GetNumberOfComponentsPerPixel())
    given = image.GetDimension()
    if given > 4:
        raise too_many_axes(name, given)
    voxels = sitk.GetArrayFromImage(image)
    spacing, origin, axes = np.ones(3), np.zeros(3), np.eye(3)
    keep = min(given, 3)
    spacing[:keep], origin[:keep] = image.GetSpacing()[:keep], image.GetOrigin()[:keep]
    axes[:keep, :keep] = np.reshape(image.GetDirection(), (given, given))[:keep, :keep]
    step = image.GetSpacing()[3] if given == 4 else _UNSTATED
    header = Header(time_step=step, four_axes=True) if step != _UNSTATED else None
    stated = {} if given == 2 else _slices(image)
    if stated:
        header = replace(header or Header(), **stated)
    return make_volume(name, voxels[None] if given == 2 else voxels, spacing, origin, axes, header)


def to_image(volume: Volume) -> sitk.Image:
    """A volume as a scalar image of 3 or 4 axes."""
    signal_only(volume, "handed to SimpleITK")
    voxels = np.ascontiguousarray(volume.voxels, storable(volume.voxels.dtype))
    image = sitk.GetImageFromArray(voxels, isVector=False)
    extra = voxels.ndim - 3
    direction = np.eye(3 + extra)
    direction[:3, :3] = volume.direction
    step = volume.header.time_step if volume.header is not None else None
    image.SetSpacing((*volume.spacing, *[step or _UNSTATED] * extra))
    image.SetOrigin((*volume.origin, *[0.0] * extra))
    image.SetDirection(direction.ravel().tolist())
    if volume.header is not None and volume.header.slices is not None:
        image.SetMetaData(SLICE_KEY, "xyz"[volume.header.slices])
    if volume.thickness is not None:
        image.SetMetaData(THICKNESS_KEY, f"{volume.thickness:.10g}")
    return image


def _slices(image: sitk.Image) -> dict[str, Any]:
    """The axis of the slices and their thickness in mm, of a header, as our own keys state them."""
    said = {key: image.GetMetaData(key).strip() for key in (SLICE_KEY, THICKNESS_KEY) if image.HasMetaDataKey(key)}
    found: dict[str, Any] = {}
    if said.get(SLICE_KEY) in ("x", "y", "z"):
        found["slices"] = "xyz".index(said[SLICE_KEY])
    with suppress(ValueError):
        if 0.01 <= float(said.get(THICKNESS_KEY, "nan")) <= 100:  # neither is NaN
            found["thickness"] = float(said[THICKNESS_KEY])
    return found


def _reason(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("ITK ERROR: ")[:160] if lines else "no reason given"
