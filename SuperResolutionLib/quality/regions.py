"""Where quality is measured: the whole image, the head, the brain."""

from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import EXTENSIONS, stem
from SuperResolutionLib.intensity import head
from SuperResolutionLib.volume import Volume

NECK = 4.0  # mm: what is thinner than twice this, such as the bridges between brain and scalp, is opened


def brain(volume: Volume) -> np.ndarray:
    """A simple brain mask, bool (z, y, x): Otsu in the head, opened by 4 mm, largest piece, closed and filled.

    It needs no atlas and no network, and is rough: on a scan with skull it can keep marrow or lose cortex. Where
    nothing is left, it is the head.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    voxels = volume.voxels
    inside = head(voxels)
    if not inside.any() or np.ptp(voxels[inside]) == 0:
        return inside
    split = threshold_otsu(voxels[inside])
    classes = [part.mean() for part in (voxels[inside & (voxels <= split)], voxels[inside & (voxels > split)])]
    bright = voxels > 0.5 * np.mean(classes)  # half of the middle: the darker of two tissues lies below the middle
    sampling = volume.spacing[::-1]
    core = ndimage.distance_transform_edt(bright & inside, sampling=sampling) > NECK
    labels, count = ndimage.label(core)
    if count == 0:
        return inside
    largest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    grown = ndimage.distance_transform_edt(~largest, sampling=sampling) <= NECK
    return np.asarray(_filled(grown) & inside)


def _filled(mask: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    return np.stack([ndimage.binary_fill_holes(part) for part in mask])


def shows_whole_head(inside: np.ndarray, brain_mask: np.ndarray) -> bool:
    """Whether much of the head is not brain: scalp, skull and face are in the picture."""
    return bool(inside.sum() > 1.35 * max(1, int((brain_mask & inside).sum())))


def mask_of(scan: Path, masks: Path | None) -> Path | None:
    """The user's mask of a scan: `masks` itself if it is a file, else NAME or NAME_mask in that folder.

    Raises InputError for a path that is not there, or a folder without a mask for the scan.
    """
    if masks is None:
        return None
    if masks.is_file():
        return masks
    if not masks.is_dir():
        raise InputError(f"There is no mask file or folder {masks}; check the path.")
    names = (stem(scan), f"{stem(scan)}_mask", f"{stem(scan)}_brain_mask")
    found = [masks / (name + extension) for name in names for extension in EXTENSIONS]
    path = next((path for path in found if path.is_file()), None)
    if path is None:
        raise InputError(f"There is no mask for {scan.name} in {masks}; name it {stem(scan)}_mask.nii.gz.")
    return path
