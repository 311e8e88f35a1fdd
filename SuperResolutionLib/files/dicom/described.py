"""DICOM files to images as their headers describe them, before any pixels are read."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pydicom.dataset import Dataset

from SuperResolutionLib.files.dicom import placing
from SuperResolutionLib.files.dicom.headers import damage_named, image_type
from SuperResolutionLib.files.dicom.sources import Source

UIH_FRAMES = (0x0065, 0x1051)


@dataclass(frozen=True, eq=False)
class Image:
    """One image: a frame of an enhanced file, or all of any other file.

    index: of the frame in its file. levels: the headers that describe it, nearest first, the file's own last.
    """

    source: Source
    index: int
    levels: list[Dataset]

    @property
    def name(self) -> str:
        """Of the file, for sentences."""
        return self.source.path.name

    @property
    def header(self) -> Dataset:
        """The file's own level."""
        return self.source.header

    @cached_property
    def place(self) -> np.ndarray:
        """(3,) LPS mm."""
        return placing.position(self.name, self.levels)

    @property
    def holds_volume(self) -> bool:
        """Whether it is a volume by itself, laid out as tiles."""
        return "MOSAIC" in image_type([self.header]) or UIH_FRAMES in self.header


def images_of(source: Source) -> list[Image]:
    """The images of one file. Raises InputError for a damaged header."""
    with damage_named(source.path.name):
        return [Image(source, index, levels) for index, levels in enumerate(_levels(source.header))]


def is_enhanced(header: Dataset) -> bool:
    """Whether the file's frames are described one by one, in functional groups."""
    return "PerFrameFunctionalGroupsSequence" in header and not (
        "MOSAIC" in image_type([header]) or UIH_FRAMES in header
    )


def _levels(header: Dataset) -> Iterator[list[Dataset]]:
    if is_enhanced(header):
        shared = header.get("SharedFunctionalGroupsSequence")
        common = _flat(shared[0]) if shared else Dataset()
        for groups in header.PerFrameFunctionalGroupsSequence:
            yield [_flat(groups), common, header]
    elif UIH_FRAMES in header:
        yield [*header[UIH_FRAMES].value[:1], header]
    else:
        yield [header]


def _flat(groups: Dataset) -> Dataset:
    """A frame's functional groups with the elements of their sequences' first items laid side by side."""
    flat = Dataset()
    for element in groups:
        if element.VR == "SQ" and not element.tag.is_private and element.value:
            item = element.value[0]
            flat.update(item)
            for inner in item:
                if inner.VR == "SQ" and inner.keyword == "DiffusionGradientDirectionSequence" and inner.value:
                    flat.update(inner.value[0])
    return flat
