"""Siemens' CSA header: what the scanner knows about an image beyond the standard, and how its mosaics are laid out.

https://nipy.org/nibabel/dicom/siemens_csa.html, https://nipy.org/nibabel/dicom/dicom_mosaic.html
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import cut_short
from SuperResolutionLib.files.dicom.headers import private


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Slices laid out as tiles of one image. count: how many. normal: (3,) LPS, from each slice to the next."""

    count: int
    normal: np.ndarray


def csa(name: str, header: Dataset) -> dict[str, list[Any]]:
    """The fields of the CSA image header and their values; {} where the file has none.

    Raises InputError where nibabel, which reads it, is not installed, or the header is damaged.
    """
    content = private(header, 0x0029, "SIEMENS CSA HEADER", 0x10)
    if not content:
        return {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nibabel calls all of its DICOM readers experimental
            from nibabel.nicom import csareader
    except ImportError as error:
        raise InputError(
            f"{name} can only be read with nibabel, which knows Siemens' CSA header; install it with "
            "'pip install nibabel'."
        ) from error
    try:
        return {field: tag["items"] for field, tag in csareader.read(content)["tags"].items()}
    except Exception as error:  # a damaged header raises whatever the reader meets first
        raise cut_short(name, f"its CSA header cannot be read: {error}"[:160]) from error


def mosaic(name: str, header: Dataset) -> Mosaic:
    """How a mosaic is laid out. Raises InputError where the CSA header does not say."""
    fields = csa(name, header)
    count, normal = fields.get("NumberOfImagesInMosaic"), fields.get("SliceNormalVector")
    if not count or not normal or len(normal) != 3 or int(count[0]) < 1:
        raise InputError(
            f"{name} is a Siemens mosaic without the CSA header that says how many slices it has and where they lie "
            "(anonymising may have removed it); export the series again, enhanced or with its private elements."
        )
    return Mosaic(int(count[0]), np.array(normal, dtype=float) / (np.linalg.norm(normal) or 1))
