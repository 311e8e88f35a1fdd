"""Looking things up in DICOM headers: public elements by keyword, private ones by who made them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import cut_short


def find(levels: list[Dataset], keyword: str) -> Any:
    """The value of a public element in the first of the header's levels that has it, or None."""
    return next((level[keyword].value for level in levels if keyword in level), None)


def private(header: Dataset, group: int, creator: str, element: int) -> Any:
    """The value of a private element, or None: (group, xx'element') of the block that `creator` reserved.

    header: of the file, or of one of its frames.
    """
    try:
        return header.private_block(group, creator)[element].value
    except KeyError:
        return None


def listed(value: Any) -> list[Any]:
    """The values of an element of any multiplicity; [] for none."""
    return [] if value is None else list(value) if isinstance(value, list | MultiValue) else [value]


def number(value: Any) -> float:
    """The value of an element as a number, 0 where there is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def numbers(name: str, levels: list[Dataset], keyword: str, count: int) -> np.ndarray | None:
    """The (count,) numbers of an element, None where it is missing or empty.

    name: of the file, for the error. levels: where the element may lie, the first one first. keyword: DICOM's.
    Raises InputError for another count, and for numbers that are not finite or no numbers.
    """
    stated = listed(find(levels, keyword))
    if not stated:
        return None
    try:
        found = np.array([float(value) for value in stated])
    except (TypeError, ValueError):
        found = np.array([np.nan])
    if len(found) != count or not np.isfinite(found).all():
        raise InputError(
            f"{name} is damaged: its {keyword} is {str(stated)[:80]}, and should be {count} finite numbers. "
            "Export it again."
        )
    return found


def image_type(levels: list[Dataset]) -> list[str]:
    """The words of the frame's type or the image's, in capitals."""
    return [str(word).strip().upper() for word in listed(find(levels, "FrameType") or find(levels, "ImageType"))]


@contextmanager
def damage_named(name: str) -> Iterator[None]:
    """A damaged header raises whatever pydicom meets first; it becomes a sentence."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise cut_short(name, f"{type(error).__name__}: {error}"[:160]) from error
