"""Where the header of an image says that it lies: axes, position, pixel sizes, each held against what can be."""

import numpy as np
from pydicom.dataset import Dataset

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.dicom.headers import numbers

_FARTHEST = 1e5  # mm from the scanner's centre, which is 100 m
_UPRIGHT, _UNIT = 0.02, 0.05  # how far axes may lean, and how far their length may be from 1: headers round


def position(name: str, levels: list[Dataset]) -> np.ndarray:
    """(3,) LPS mm, the centre of the first voxel. Raises InputError where the header does not say, or is damaged."""
    found = numbers(name, levels, "ImagePositionPatient", 3)
    if found is None:
        raise _lost(name)
    if np.abs(found).max() > _FARTHEST:
        raise InputError(
            f"{name} is damaged: its ImagePositionPatient is {found.tolist()} mm, which lies outside of any scanner. "
            "Export it again."
        )
    return found


def spacing(name: str, levels: list[Dataset]) -> tuple[float, float]:
    """(x, y) mm of a pixel. Raises InputError as `position` does."""
    found = numbers(name, levels, "PixelSpacing", 2)
    if found is None:
        raise _lost(name)
    if found.min() <= 0:
        raise InputError(f"{name} is damaged: its PixelSpacing is {found.tolist()} mm. Export it again.")
    return float(found[1]), float(found[0])


def axes(name: str, levels: list[Dataset]) -> np.ndarray:
    """(3, 3) LPS, columns: row, column, normal. Raises InputError as `position` does.

    Headers round to six digits; the second axis is turned by that much to stand upright on the first.
    """
    stated = numbers(name, levels, "ImageOrientationPatient", 6)
    if stated is None:
        raise _lost(name)
    row, column = stated.reshape(2, 3)
    lengths = np.linalg.norm(stated.reshape(2, 3), axis=1)
    if np.abs(lengths - 1).max() > _UNIT or abs(row @ column) > _UPRIGHT:
        raise InputError(
            f"{name} is damaged: its ImageOrientationPatient is {stated.tolist()}, and should be two unit vectors at "
            "right angles. Export it again."
        )
    row = row / lengths[0]
    column = column - row * (row @ column)
    column = column / np.linalg.norm(column)
    return np.stack([row, column, np.cross(row, column)], axis=1)


def _lost(name: str) -> InputError:
    return InputError(
        f"{name} does not say where it lies (it lacks ImagePositionPatient, ImageOrientationPatient or "
        "PixelSpacing); it may be a screenshot. Give the original series."
    )
