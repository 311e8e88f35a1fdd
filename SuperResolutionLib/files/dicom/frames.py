"""DICOM images to frames: one 2-D slice each, with its place, its scale and its diffusion weighting.

Classic files hold one frame; enhanced ones hold many, described by shared and per-frame functional groups
(PS3.3 C.7.6.16). Siemens' mosaics and United Imaging's grids hold a volume as tiles of one image: the first say in
the CSA header where they lie, the second in a private sequence.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from pydicom.dataset import Dataset

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import not_scalar
from SuperResolutionLib.files.dicom import pixels, placing, siemens
from SuperResolutionLib.files.dicom.described import UIH_FRAMES, Image, is_enhanced
from SuperResolutionLib.files.dicom.headers import find, image_type
from SuperResolutionLib.files.dicom.in_time import Moment, moment, moment_of_frame
from SuperResolutionLib.files.dicom.weighting import Weighting, weighting

_STEPS = 2.0**24  # float32 tells so many numbers apart
_SCALES = 1e-30, 1e30


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice.

    pixels: (rows, columns) as stored. position, row, column: (3,) LPS; the first voxel's centre, mm, and the
    directions in which the column index and the row index grow. spacing: (x, y) mm.
    image: whose headers describe it. step: mm to the next slice, as far as the header says. apart: the same where it
    says just that, else None.
    thickness: mm, of the slice itself; None where the header does not say. moment: when it was acquired.
    repetition: the repetition time as the header has it, ms; None where it has none.
    """

    image: Image
    pixels: np.ndarray
    position: np.ndarray
    row: np.ndarray
    column: np.ndarray
    spacing: tuple[float, float]
    step: float
    apart: float | None
    thickness: float | None
    slope: float
    intercept: float
    moment: Moment
    weighting: Weighting
    repetition: object = None


def frames_of(images: list[Image]) -> Iterator[Frame]:
    """The frames of some images of one file.

    Raises InputError for colour, and pixels that cannot be placed, scaled or decoded.
    """
    header, name = images[0].header, images[0].name
    if int(header.get("SamplesPerPixel", 1)) > 1:
        raise not_scalar(name, int(header.SamplesPerPixel))
    if "PALETTE" in str(header.get("PhotometricInterpretation", "")):
        raise InputError(f"{name} has colours from a palette; super-resolution works on scalar volumes.")
    stored = pixels.stored(images[0].source)
    if is_enhanced(header):
        yield from _enhanced(images, stored)
    elif stored.ndim != 2:
        raise InputError(f"{name} has {stored.shape[0]} frames without a position each; convert it with dcm2niix.")
    elif "MOSAIC" in image_type([header]):
        yield from _mosaic(images[0], stored)
    elif UIH_FRAMES in header:
        yield from _grid(images[0], stored)
    else:
        yield _frame(images[0], stored, [header], moment(header), _weighting(name, [header]))


def _enhanced(images: list[Image], stored: np.ndarray) -> Iterator[Frame]:
    name, described = images[0].name, len(images[0].header.PerFrameFunctionalGroupsSequence)
    stacked = stored if stored.ndim == 3 else stored[None]
    if len(stacked) != described:
        raise InputError(f"{name} has {len(stacked)} frames but describes {described}; export it again.")
    for image in images:
        when = moment_of_frame(image.levels, image.index)
        yield _frame(image, stacked[image.index], image.levels, when, _weighting(name, image.levels))


def _mosaic(image: Image, stored: np.ndarray) -> Iterator[Frame]:
    """Siemens' mosaic. Its position is that of an image as large as the mosaic about the centre of the first slice."""
    name, header = image.name, image.header
    layout = siemens.mosaic(name, header)
    whole = _frame(image, stored, [header], moment(header), _weighting(name, [header]))
    across = int(np.ceil(np.sqrt(layout.count)))
    tiles = _tiles(stored, layout.count, across, across)
    y, x = (np.subtract(stored.shape, tiles[0].shape)) / 2
    first = whole.position + x * whole.spacing[0] * whole.row + y * whole.spacing[1] * whole.column
    for index, tile in enumerate(tiles):
        yield replace(whole, pixels=tile, position=first + index * whole.step * layout.normal)


def _grid(image: Image, stored: np.ndarray) -> Iterator[Frame]:
    """United Imaging's VFRAME: a place for each tile."""
    name, header = image.name, image.header
    places = header[UIH_FRAMES].value
    weighted = _weighting(name, [header])
    across = int(np.ceil(np.sqrt(len(places))))
    for tile, place in zip(_tiles(stored, len(places), across, -(-len(places) // across)), places, strict=True):
        yield _frame(image, tile, [place, header], moment(header), weighted)


def _tiles(stored: np.ndarray, count: int, across: int, down: int) -> list[np.ndarray]:
    """The first `count` of across x down tiles, row by row."""
    rows, columns = stored.shape[0] // down, stored.shape[1] // across
    corners = [(index // across * rows, index % across * columns) for index in range(count)]
    return [stored[y : y + rows, x : x + columns] for y, x in corners]


def _frame(image: Image, stored: np.ndarray, levels: list[Dataset], when: Moment, weighted: Weighting) -> Frame:
    """One frame of an image, described by header levels, nearest first."""
    name = image.name
    row, column = placing.axes(name, levels).T[:2]
    apart = float(find(levels, "SpacingBetweenSlices") or 0)
    thick = float(find(levels, "SliceThickness") or 0)
    slope, intercept = _scale(name, levels)
    return Frame(
        image=image,
        pixels=stored,
        position=placing.position(name, levels),
        row=row,
        column=column,
        spacing=placing.spacing(name, levels),
        step=apart or thick or 1.0,
        apart=apart or None,
        thickness=thick if 0 < thick < np.inf else None,
        slope=slope,
        intercept=intercept,
        moment=when,
        weighting=weighted,
        repetition=find(levels, "RepetitionTime"),
    )


def _scale(name: str, levels: list[Dataset]) -> tuple[float, float]:
    """RescaleSlope and RescaleIntercept. Raises InputError for those that leave nothing of the pixels."""
    slope, intercept = find(levels, "RescaleSlope"), find(levels, "RescaleIntercept")
    found = 1.0 if slope is None else float(slope), float(intercept or 0)
    possible = _SCALES[0] < abs(found[0]) < _SCALES[1] and abs(found[1]) < _STEPS * abs(found[0])
    if not possible:  # also where one is NaN
        raise InputError(
            f"{name} cannot be scaled: its RescaleSlope is {found[0]:g} and its RescaleIntercept {found[1]:g}, which "
            "leaves nothing of its pixels. Export it again."
        )
    return found


def _weighting(name: str, levels: list[Dataset]) -> Weighting:
    return weighting(name, levels, placing.axes(name, levels))
