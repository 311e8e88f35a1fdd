"""Looking things up in DICOM headers: public elements by keyword, private ones by who made them."""

from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue


def find(levels: list[Dataset], keyword: str) -> Any:
    """The value of a public element in the first of the header's levels that has it, or None."""
    return next((level[keyword].value for level in levels if keyword in level), None)


def private(header: Dataset, group: int, creator: str, element: int) -> Any:
    """The value of a private element, or None: (group, xx'element') of the block that `creator` reserved."""
    try:
        return header.private_block(group, creator)[element].value
    except KeyError:
        return None


def listed(value: Any) -> list[Any]:
    """The values of an element of any multiplicity; [] for none."""
    return [] if value is None else list(value) if isinstance(value, list | MultiValue) else [value]
