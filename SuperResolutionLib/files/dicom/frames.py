"""DICOM objects to frames: one 2-D slice each, with its place, its scale and its diffusion weighting.

Classic files hold one frame; enhanced ones hold many, described by shared and per-frame functional groups
(PS3.3 C.7.6.16). Siemens' mosaics and United Imaging's grids hold a volume as tiles of one image: the first say in
the CSA header where they lie, the second in a private sequence.
"""

import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import not_scalar, quiet
from SuperResolutionLib.files.dicom import siemens
from SuperResolutionLib.files.dicom.headers import find, listed
from SuperResolutionLib.files.dicom.weighting import Weighting, weighting
from SuperResolutionLib.files.metaimage import check_name

_UIH_FRAMES = (0x0065, 0x1051)
_PLACE = {
    (0x0020, 0x9056),
    (0x0020, 0x9057),
    (0x0020, 0x0032),
    (0x0020, 0x9113),
}  # these count slices


@dataclass(frozen=True)
class Source:
    """One DICOM file and its header without pixels."""

    path: Path
    header: Dataset


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice.

    pixels: (rows, columns) as stored. position, row, column: (3,) LPS; the first voxel's centre, mm, and the
    directions in which the column index and the row index grow. spacing: (x, y) mm.
    thickness: mm to the next slice as the header says. order: sorts the frames of one position in time.
    repetition: the repetition time as the header has it, ms; None where it has none.
    """

    pixels: np.ndarray
    position: np.ndarray
    row: np.ndarray
    column: np.ndarray
    spacing: tuple[float, float]
    thickness: float
    slope: float
    intercept: float
    order: tuple[float, ...]
    weighting: Weighting
    phase: bool
    repetition: object = None


def frames_of(source: Source) -> Iterator[Frame]:
    """The frames of one file. Raises InputError for colour, and pixels that cannot be placed or decoded."""
    header, name = source.header, source.path.name
    kind = [str(word).upper() for word in listed(header.get("ImageType"))]
    if int(header.get("SamplesPerPixel", 1)) > 1:
        raise not_scalar(name, int(header.SamplesPerPixel))
    if "PALETTE" in str(header.get("PhotometricInterpretation", "")):
        raise InputError(f"{name} has colours from a palette; super-resolution works on scalar volumes.")
    pixels = _pixels(source)
    if "MOSAIC" in kind:
        yield from _mosaic(name, header, pixels)
    elif _UIH_FRAMES in header:
        yield from _grid(name, header, pixels)
    elif "PerFrameFunctionalGroupsSequence" in header:
        yield from _enhanced(name, header, pixels)
    else:
        if pixels.ndim != 2:
            raise InputError(f"{name} has {pixels.shape[0]} frames without a position each; convert it with dcm2niix.")
        yield _frame(name, pixels, [header], _order(header), _weighting(name, [header]))


def _enhanced(name: str, header: Dataset, pixels: np.ndarray) -> Iterator[Frame]:
    shared = _item(header, "SharedFunctionalGroupsSequence")
    per_frame = header.PerFrameFunctionalGroupsSequence
    stored = pixels if pixels.ndim == 3 else pixels[None]
    if len(stored) != len(per_frame):
        raise InputError(f"{name} has {len(stored)} frames but describes {len(per_frame)}; export it again.")
    pointers = [item.get("DimensionIndexPointer") for item in header.get("DimensionIndexSequence", [])]
    for index, (image, groups) in enumerate(zip(stored, per_frame, strict=True)):
        levels = [_flat(groups), _flat(shared), header]
        counts = [float(n) for n in listed(find(levels, "DimensionIndexValues"))]
        times = [
            n for n, tag in zip(counts, pointers, strict=False) if tag is None or (tag.group, tag.element) not in _PLACE
        ]
        echo = float(find(levels, "EffectiveEchoTime") or 0)
        temporal = float(find(levels, "TemporalPositionIndex") or 0)
        order = (echo, temporal, *times, float(header.get("InstanceNumber") or 0), float(index))
        yield _frame(name, image, levels, order, _weighting(name, levels))


def _mosaic(name: str, header: Dataset, pixels: np.ndarray) -> Iterator[Frame]:
    """Siemens' mosaic. Its position is that of an image as large as the mosaic about the centre of the first slice."""
    layout = siemens.mosaic(name, header)
    whole = _frame(name, pixels, [header], _order(header), _weighting(name, [header]))
    across = int(np.ceil(np.sqrt(layout.count)))
    tiles = _tiles(pixels, layout.count, across, across)
    y, x = (np.subtract(pixels.shape, tiles[0].shape)) / 2
    first = whole.position + x * whole.spacing[0] * whole.row + y * whole.spacing[1] * whole.column
    for index, tile in enumerate(tiles):
        yield replace(whole, pixels=tile, position=first + index * whole.thickness * layout.normal)


def _grid(name: str, header: Dataset, pixels: np.ndarray) -> Iterator[Frame]:
    """United Imaging's VFRAME: a place for each tile."""
    places = header[_UIH_FRAMES].value
    weighted = _weighting(name, [header])
    across = int(np.ceil(np.sqrt(len(places))))
    for tile, place in zip(_tiles(pixels, len(places), across, -(-len(places) // across)), places, strict=True):
        yield _frame(name, tile, [place, header], _order(header), weighted)


def _tiles(pixels: np.ndarray, count: int, across: int, down: int) -> list[np.ndarray]:
    """The first `count` of across x down tiles, row by row."""
    rows, columns = pixels.shape[0] // down, pixels.shape[1] // across
    corners = [(index // across * rows, index % across * columns) for index in range(count)]
    return [pixels[y : y + rows, x : x + columns] for y, x in corners]


def _frame(
    name: str, pixels: np.ndarray, levels: list[Dataset], order: tuple[float, ...], weighted: Weighting
) -> Frame:
    """One frame described by header levels, nearest first."""
    position, spacing = find(levels, "ImagePositionPatient"), find(levels, "PixelSpacing")
    if not position or not spacing:
        raise _lost(name)
    row, column = _axes(name, levels).T[:2]
    component = str(find(levels, "ComplexImageComponent") or "").upper()
    kind = [str(word).upper() for word in listed(find(levels, "FrameType") or find(levels, "ImageType"))]
    slope = find(levels, "RescaleSlope")
    return Frame(
        pixels=pixels,
        position=np.array(position, dtype=float),
        row=row,
        column=column,
        spacing=(float(spacing[1]), float(spacing[0])),
        thickness=float(find(levels, "SpacingBetweenSlices") or find(levels, "SliceThickness") or 1),
        slope=1.0 if slope is None else float(slope),
        intercept=float(find(levels, "RescaleIntercept") or 0),
        order=order,
        weighting=weighted,
        repetition=find(levels, "RepetitionTime"),
        phase=component == "PHASE" or "P" in kind[2:] or "PHASE" in kind[2:],
    )


def _weighting(name: str, levels: list[Dataset]) -> Weighting:
    return weighting(name, levels, _axes(name, levels))


def _axes(name: str, levels: list[Dataset]) -> np.ndarray:
    """(3, 3) LPS, columns: row, column, normal.

    Headers round to six digits; the second axis is turned by that much to stand upright on the first.
    """
    stated = find(levels, "ImageOrientationPatient")
    if not stated:
        raise _lost(name)
    row, column = np.array(stated, dtype=float).reshape(2, 3)
    row = row / np.linalg.norm(row)
    column = column - row * (row @ column)
    column = column / np.linalg.norm(column)
    return np.stack([row, column, np.cross(row, column)], axis=1)


def _lost(name: str) -> InputError:
    return InputError(
        f"{name} does not say where it lies (it lacks ImagePositionPatient, ImageOrientationPatient or "
        "PixelSpacing); it may be a screenshot. Give the original series."
    )


def _order(header: Dataset) -> tuple[float, ...]:
    words = (
        "EchoTime",
        "TemporalPositionIdentifier",
        "AcquisitionNumber",
        "AcquisitionTime",
        "InstanceNumber",
    )
    return tuple(_number(header.get(word)) for word in words)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


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


def _item(header: Dataset, keyword: str) -> Dataset:
    items = header.get(keyword)
    return items[0] if items else Dataset()


def _pixels(source: Source) -> np.ndarray:
    """The pixels as stored; pydicom decodes them, or SimpleITK where pydicom lacks the decoder."""
    name = source.path.name
    content = source.path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = _gunzipped(name, content)
    dataset = pydicom.dcmread(io.BytesIO(content), force=True)
    syntax = dataset.file_meta.get("TransferSyntaxUID") if "file_meta" in vars(dataset) else None
    if syntax is None:
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    try:
        return np.asarray(dataset.pixel_array)
    except Exception as error:  # pydicom raises many kinds; each means these pixels cannot be had
        if syntax is not None and syntax.is_compressed:
            return _decoded_by_itk(source, dataset, str(syntax.name))
        raise InputError(
            f"{name} is cut short or damaged: its pixels cannot be read ({str(error)[:160]}). Export it again."
        ) from error


def _gunzipped(name: str, content: bytes) -> bytes:
    most = 100 * len(content) + (1 << 28)
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        found = stream.read(most + 1)
    if len(found) > most:
        raise InputError(f"{name} unpacks to more than {most} bytes, which no scan does; unpack it yourself.")
    return found


def _decoded_by_itk(source: Source, dataset: Dataset, syntax: str) -> np.ndarray:
    import SimpleITK as sitk

    check_name(source.path)
    try:
        if "PerFrameFunctionalGroupsSequence" in dataset:
            raise RuntimeError("enhanced")
        with quiet():
            scaled = sitk.GetArrayFromImage(sitk.ReadImage(str(source.path)))
    except RuntimeError as error:
        raise InputError(
            f"{source.path.name} is compressed in a way that cannot be read here ({syntax}); decompress "
            "the series first, for example with gdcmconv --raw or dcmdjpeg."
        ) from error
    slope, intercept = float(dataset.get("RescaleSlope") or 1), float(dataset.get("RescaleIntercept") or 0)
    stored = np.rint((scaled.squeeze() - intercept) / slope)
    return stored.astype(f"{'i' if dataset.PixelRepresentation else 'u'}{dataset.BitsAllocated // 8}")
