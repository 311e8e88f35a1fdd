"""DICOM objects to frames: one 2-D slice each, with its place, its scale and its diffusion weighting.

Classic files hold one frame; enhanced ones hold many, described by shared and per-frame functional groups
(PS3.3 C.7.6.16); United Imaging's grids hold a volume as tiles, with positions in a private sequence.
"""

import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import not_scalar, quiet

_UIH_FRAMES, _UIH_B, _UIH_VECTOR = (0x0065, 0x1051), (0x0065, 0x1009), (0x0065, 0x1037)
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
    bval: s/mm2 or None; bvec: (3,) LPS or None (none stated, or none at b = 0). isotropic: a trace image.
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
    bval: float | None
    bvec: np.ndarray | None
    isotropic: bool
    phase: bool


def frames_of(source: Source) -> Iterator[Frame]:
    """The frames of one file. Raises InputError for colour, mosaics, and pixels that cannot be decoded."""
    header, name = source.header, source.path.name
    kind = [str(word).upper() for word in _list(header.get("ImageType"))]
    if int(header.get("SamplesPerPixel", 1)) > 1:
        raise not_scalar(name, int(header.SamplesPerPixel))
    if "PALETTE" in str(header.get("PhotometricInterpretation", "")):
        raise InputError(f"{name} has colours from a palette; super-resolution works on scalar volumes.")
    if "MOSAIC" in kind:
        raise InputError(
            f"{name} is a Siemens mosaic, which is not supported yet; convert the series with dcm2niix first."
        )
    pixels = _pixels(source)
    if _UIH_FRAMES in header:
        yield from _tiles(name, header, pixels)
    elif "PerFrameFunctionalGroupsSequence" in header:
        yield from _enhanced(name, header, pixels)
    else:
        if pixels.ndim != 2:
            raise InputError(f"{name} has {pixels.shape[0]} frames without a position each; convert it with dcm2niix.")
        yield _frame(name, pixels, [header], _order(header))


def _enhanced(name: str, header: Dataset, pixels: np.ndarray) -> Iterator[Frame]:
    shared = _item(header, "SharedFunctionalGroupsSequence")
    per_frame = header.PerFrameFunctionalGroupsSequence
    stored = pixels if pixels.ndim == 3 else pixels[None]
    if len(stored) != len(per_frame):
        raise InputError(f"{name} has {len(stored)} frames but describes {len(per_frame)}; export it again.")
    pointers = [item.get("DimensionIndexPointer") for item in header.get("DimensionIndexSequence", [])]
    for index, (image, groups) in enumerate(zip(stored, per_frame, strict=True)):
        levels = [_flat(groups), _flat(shared), header]
        counts = [float(n) for n in _list(_find(levels, "DimensionIndexValues"))]
        times = [
            n for n, tag in zip(counts, pointers, strict=False) if tag is None or (tag.group, tag.element) not in _PLACE
        ]
        echo = float(_find(levels, "EffectiveEchoTime") or 0)
        temporal = float(_find(levels, "TemporalPositionIndex") or 0)
        order = (echo, temporal, *times, float(header.get("InstanceNumber") or 0), float(index))
        yield _frame(name, image, levels, order)


def _tiles(name: str, header: Dataset, pixels: np.ndarray) -> Iterator[Frame]:
    """United Imaging's VFRAME: tiles row by row; the b-vector is in image axes, as dcm2niix found too."""
    places = header[_UIH_FRAMES].value
    across = int(np.ceil(np.sqrt(len(places))))
    down = -(-len(places) // across)
    rows, columns = pixels.shape[0] // down, pixels.shape[1] // across
    for index, place in enumerate(places):
        y, x = divmod(index, across)
        image = pixels[y * rows : (y + 1) * rows, x * columns : (x + 1) * columns]
        frame = _frame(name, image, [place, header], _order(header))
        bval = float(header[_UIH_B].value) if _UIH_B in header else None
        vector = np.asarray(header[_UIH_VECTOR].value, dtype=float) if _UIH_VECTOR in header else None
        if vector is not None:
            vector = np.stack([frame.row, frame.column, np.cross(frame.row, frame.column)], axis=1) @ vector
        yield replace(frame, bval=bval, bvec=vector)


def _frame(name: str, pixels: np.ndarray, levels: list[Dataset], order: tuple[float, ...]) -> Frame:
    """One frame described by header levels, nearest first."""
    position, axes = _find(levels, "ImagePositionPatient"), _find(levels, "ImageOrientationPatient")
    spacing = _find(levels, "PixelSpacing")
    if not position or not axes or not spacing:
        raise InputError(
            f"{name} does not say where it lies (it lacks ImagePositionPatient, ImageOrientationPatient or "
            "PixelSpacing); it may be a screenshot. Give the original series."
        )
    row, column = _right_angle(np.array(axes[:3], dtype=float), np.array(axes[3:], dtype=float))
    bval, vector = _find(levels, "DiffusionBValue"), _find(levels, "DiffusionGradientOrientation")
    component = str(_find(levels, "ComplexImageComponent") or "").upper()
    kind = [str(word).upper() for word in _list(_find(levels, "FrameType") or _find(levels, "ImageType"))]
    slope = _find(levels, "RescaleSlope")
    return Frame(
        pixels=pixels,
        position=np.array(position, dtype=float),
        row=row,
        column=column,
        spacing=(float(spacing[1]), float(spacing[0])),
        thickness=float(_find(levels, "SpacingBetweenSlices") or _find(levels, "SliceThickness") or 1),
        slope=1.0 if slope is None else float(slope),
        intercept=float(_find(levels, "RescaleIntercept") or 0),
        order=order,
        bval=None if bval is None else float(bval),
        bvec=None if vector is None else np.array(vector, dtype=float),
        isotropic=str(_find(levels, "DiffusionDirectionality") or "") == "ISOTROPIC",
        phase=component == "PHASE" or "P" in kind[2:] or "PHASE" in kind[2:],
    )


def _right_angle(row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Headers round to six digits; the second axis is turned by that much to stand upright on the first."""
    row = row / np.linalg.norm(row)
    column = column - row * (row @ column)
    return row, column / np.linalg.norm(column)


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


def _find(levels: list[Dataset], keyword: str) -> Any:
    return next((level[keyword].value for level in levels if keyword in level), None)


def _item(header: Dataset, keyword: str) -> Dataset:
    items = header.get(keyword)
    return items[0] if items else Dataset()


def _list(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | pydicom.multival.MultiValue) else [value]


def _pixels(source: Source) -> np.ndarray:
    """The pixels as stored; pydicom decodes them, or SimpleITK where pydicom lacks the decoder."""
    name = source.path.name
    content = source.path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
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


def _decoded_by_itk(source: Source, dataset: Dataset, syntax: str) -> np.ndarray:
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
