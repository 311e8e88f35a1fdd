"""The pixels of a DICOM file as stored: decoded, and only the bits that are the image's."""

import io

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import cut_short, quiet
from SuperResolutionLib.files.dicom.headers import number
from SuperResolutionLib.files.dicom.sources import Source, content
from SuperResolutionLib.files.metaimage import check_name

_UNLIKELY, _LARGE = 1000, 1 << 28  # how tightly no scan is packed, and the bytes from which that is looked at


def stored(source: Source) -> np.ndarray:
    """(rows, columns) or (frames, rows, columns), in the type that holds the stored bits.

    Raises InputError for pixels that are cut short, damaged, or packed in a way that cannot be read here.
    """
    name = source.path.name
    whole = content(source.path)
    dataset = pydicom.dcmread(io.BytesIO(whole), force=True)
    syntax = dataset.file_meta.get("TransferSyntaxUID") if "file_meta" in vars(dataset) else None
    if syntax is None:
        syntax = dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    _check_promise(name, dataset, len(whole))
    if not syntax.is_compressed and "PixelData" in dataset and int(dataset.BitsAllocated) in (8, 16, 32):
        return _own_bits(name, dataset, _plain(name, dataset, "<" if syntax.is_little_endian else ">"))
    try:
        pixels = np.asarray(dataset.pixel_array)
    except Exception as error:  # pydicom raises many kinds; each means these pixels cannot be had
        if not syntax.is_compressed:
            raise _damaged(name, str(error)) from error
        pixels = _decoded_by_itk(source, dataset, str(syntax.name))
    return _own_bits(name, dataset, pixels) if pixels.dtype.kind in "iu" else pixels


def _plain(name: str, dataset: Dataset, order: str) -> np.ndarray:
    """Pixels that are not compressed. Every version of pydicom reads them, but not alike where bits are left over."""
    frames = max(int(dataset.get("NumberOfFrames") or 1), 1)
    shape = (frames, int(dataset.Rows), int(dataset.Columns))
    kind = "i" if int(dataset.get("PixelRepresentation") or 0) else "u"
    dtype = np.dtype(f"{order}{kind}{int(dataset.BitsAllocated) // 8}")
    held, wanted = dataset.PixelData, int(np.prod(shape)) * dtype.itemsize
    if len(held) < wanted:
        raise _damaged(name, f"{len(held)} bytes for {wanted}")
    pixels = np.frombuffer(held, dtype, count=int(np.prod(shape))).reshape(shape)
    native = pixels.astype(dtype.newbyteorder("="), copy=False)
    return native[0] if frames == 1 else native


def _own_bits(name: str, dataset: Dataset, pixels: np.ndarray) -> np.ndarray:
    """The pixels without the bits above them, which may be an overlay's, and negative where their highest bit says so.

    Raises InputError where the header contradicts itself about which bits are the image's.
    """
    allocated = 8 * pixels.dtype.itemsize
    bits = int(dataset.get("BitsStored") or allocated)
    if not 1 <= bits <= allocated or int(number(dataset.get("HighBit", bits - 1))) != bits - 1:
        raise InputError(
            f"{name} is damaged: it states {bits} stored bits of {allocated}, the highest of them being number "
            f"{dataset.get('HighBit')}. Export it again."
        )
    spare = np.array(allocated - bits, pixels.dtype)
    return pixels if not spare else np.right_shift(np.left_shift(pixels, spare), spare)


def _check_promise(name: str, dataset: Dataset, held: int) -> None:
    """Refuse, before anything is decoded, pixels that no file of this size can hold."""
    counts = (dataset.get("NumberOfFrames") or 1, dataset.Rows, dataset.Columns, dataset.BitsAllocated)
    whole = int(np.prod([float(count) for count in counts])) // 8
    if min(int(count) for count in counts) < 1 or (whole > _LARGE and whole > _UNLIKELY * held):
        raise cut_short(name, f"its header promises {' x '.join(map(str, counts[:3]))} pixels")


def _damaged(name: str, found: str) -> InputError:
    return InputError(f"{name} is cut short or damaged: its pixels cannot be read ({found[:160]}). Export it again.")


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
    unscaled = np.rint((scaled.squeeze() - intercept) / slope)
    return unscaled.astype(f"{'i' if dataset.PixelRepresentation else 'u'}{dataset.BitsAllocated // 8}")
