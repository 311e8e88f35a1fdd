"""NIfTI-1 and NIfTI-2, through nibabel, which is imported only here and only when a NIfTI file is met.

nibabel knows the headers. The voxels are read here, so that damaged files end in a sentence and NaN is found.
"""

import gzip
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import (
    complex_voxels,
    cut_short,
    looks_like,
    make_volume,
    nibabel_for,
    not_scalar,
    too_many_axes,
)
from SuperResolutionLib.files.nifti_grid import lps_grid, placed, set_forms
from SuperResolutionLib.files.nifti_header import put_back, read_extensions, taken
from SuperResolutionLib.files.voxel_blocks import BROKEN, check_promise, check_stream, read_block, unpacked
from SuperResolutionLib.header import Header
from SuperResolutionLib.volume import Volume, signal_only

if TYPE_CHECKING:
    import nibabel

_SIZES = {348: 4, 540: 4}  # bytes of the headers, which also is their first number, and of the flag that follows
_TENSORS = 1005  # NIFTI_INTENT_SYMMATRIX
_LONGEST = 32767  # voxels along an axis that NIfTI-1 can count


def read_nifti(path: Path, given: np.ndarray | None = None) -> Volume:
    """A volume or series without its gradients, in its own voxel type; scaled (scl_slope) it becomes float32.

    given: what its voxels must be, in place of a copy of them.
    Raises InputError for anything that is not a whole scalar file with one place, for other voxels than the given
    ones, and where nibabel is missing.
    """
    nibabel = nibabel_for(path.name)
    try:
        with unpacked(path) as (file, packed):
            header = _header(nibabel, path, file)
            shape, dtype = _shape(path.name, header), _dtype(path.name, header)
            start = _start(path.name, header)
            wanted = math.prod(shape) * dtype.itemsize
            size, packing = path.stat().st_size, "gzip" if packed else ""
            check_promise(path.name, start - file.tell() if packed else start, size, packing)
            check_promise(path.name, wanted, size if packed else size - start, packing, kept=given is None)
            if packed:
                with path.open("rb") as stream:
                    check_stream(path.name, stream, start + wanted)
            extensions = read_extensions(file, start - file.tell())
            voxels = read_block(path.name, file, shape, dtype, given)
            _check_end(path.name, file, math.prod(shape[-2:]) * dtype.itemsize)
    except BROKEN as error:
        raise cut_short(path.name, str(error)) from error
    return _volume(path.name, header, voxels, extensions)


def write_nifti(volume: Volume, path: Path) -> None:
    """Write a volume or a series, without its gradients; equal volumes make equal files.

    Raises InputError for tensors and where nibabel is missing, OSError where the disk refuses.
    """
    image = to_image(volume)
    with path.open("wb") as file:
        if not path.name.lower().endswith(".gz"):
            image.to_stream(file)
            return
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=5, mtime=0) as stream:
            image.to_stream(stream)


def to_image(volume: Volume) -> "nibabel.nifti1.Nifti1Image":
    """A volume as an image of nibabel, NIfTI-1, or NIfTI-2 where an axis is too long for that."""
    signal_only(volume, "written as NIfTI")
    nibabel = nibabel_for("NIfTI")
    kind = nibabel.Nifti2Image if max(volume.voxels.shape) > _LONGEST else nibabel.Nifti1Image
    voxels = volume.voxels
    if voxels.dtype == np.float16:
        voxels = voxels.astype(np.float32)
    if voxels.ndim == 3 and volume.header is not None and volume.header.four_axes:
        voxels = voxels[None]
    header = kind.header_class()
    header.set_data_dtype(voxels.dtype.newbyteorder("="))
    header.set_data_shape(voxels.shape[::-1])
    put_back(header, volume)
    set_forms(header, volume)
    image = kind(voxels.T, header.get_best_affine(), header, dtype=voxels.dtype.newbyteorder("="))
    for code, content in volume.header.extensions if volume.header is not None else ():
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension(code, content))
    return image


def from_image(name: str, image: Any) -> Volume:
    """A volume of an image of nibabel in memory or on disk."""
    header = image.header
    shape, stored = _shape(name, header), image.dataobj
    if hasattr(stored, "get_unscaled"):
        header = header.copy()
        header["scl_slope"], header["scl_inter"] = stored.slope, stored.inter
        voxels = stored.get_unscaled()
    else:
        voxels = np.asanyarray(stored)
        header = header.copy()
        header["scl_slope"], header["scl_inter"] = 1, 0
    _check_type(name, voxels.dtype)
    extensions = tuple((int(one.get_code()), _content(one)) for one in image.header.extensions)
    return _volume(name, header, voxels.T.reshape(shape), extensions)


def _content(extension: Any) -> bytes:
    """An extension's content as it is stored, without the zeros that fill it up."""
    content = getattr(extension, "content", None)  # of nibabel from 5.3 on
    return content if isinstance(content, bytes) else bytes(extension._mangle(extension.get_content()))


def _volume(name: str, header: Any, voxels: np.ndarray, extensions: tuple[tuple[int, bytes], ...]) -> Volume:
    affine, forms = placed(name, header)
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    about: Header = taken(header, forms, extensions)
    return make_volume(name, _scaled(name, voxels, slope, intercept), *lps_grid(affine), about)


def _header(nibabel: Any, path: Path, file: BinaryIO) -> Any:
    """The header of a file, NIfTI-1 or NIfTI-2 by its first number, in either byte order; nothing in it is believed."""
    block = file.read(348)
    length, order = next(((n, o) for n in _SIZES for o in ("little", "big") if block[:4] == n.to_bytes(4, o)), (0, ""))
    if not length:
        raise InputError(f"{path.name} is not a NIfTI file: {looks_like(path)}. Give it its right extension.")
    block += file.read(length - 348)
    if len(block) < length:
        raise cut_short(path.name, f"its header has {len(block)} of {length} bytes")
    magic = block[344:347] if length == 348 else block[4:7]
    if magic in (b"ni1", b"ni2"):
        raise InputError(f"{path.name} keeps its voxels in a second file (.hdr/.img); convert it to .nii.gz.")
    if magic not in (b"n+1", b"n+2"):
        raise InputError(
            f"{path.name} is an Analyze file, or damaged: it lacks NIfTI's mark; Analyze does not say where left and "
            "right are, so convert it to NIfTI with the program that knows."
        )
    kind = nibabel.Nifti1Header if length == 348 else nibabel.Nifti2Header
    header = kind(block, "<" if order == "little" else ">", check=False)
    if int(header["intent_code"]) == _TENSORS:
        raise _tensors(path.name)
    return header


def _start(name: str, header: Any) -> int:
    """The first byte of the voxels."""
    offset, least = float(header["vox_offset"]), int(header["sizeof_hdr"]) + 4
    if not np.isfinite(offset) or offset < 0 or offset > 2**62:
        raise cut_short(name, f"its voxels start at byte {offset:g}")
    return max(least, int(offset))


def _dtype(name: str, header: Any) -> np.dtype:
    try:
        dtype: np.dtype = header.get_data_dtype()
    except Exception as error:  # nibabel's own, for a code that it does not know
        raise _rare(name, int(header["datatype"])) from error
    _check_type(name, dtype)
    if int(header["bitpix"]) != 8 * dtype.itemsize:
        raise InputError(
            f"{name} contradicts itself: its voxels are {dtype.name} and have {int(header['bitpix'])} bits; "
            "correct its header, or export it again."
        )
    return dtype


def _check_type(name: str, dtype: np.dtype) -> None:
    if dtype.names:
        raise not_scalar(name, len(dtype.names))
    if dtype.kind == "c":
        raise complex_voxels(name)
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise _rare(name, str(dtype))


def _rare(name: str, kind: object) -> InputError:
    return InputError(f"{name} has voxels of a rare NIfTI type ({kind}); convert it to float32 first.")


def _shape(name: str, header: Any) -> tuple[int, ...]:
    """(z, y, x) or (t, z, y, x)."""
    dim = [int(n) for n in header["dim"]]
    sizes = dim[1 : 1 + max(0, min(dim[0], 7))]
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) > 4:
        if len(sizes) == 5 and sizes[3] == 1:  # how NIfTI stores a vector per voxel
            raise not_scalar(name, sizes[4])
        raise too_many_axes(name, len(sizes))
    if len(sizes) < 2 or min(sizes) < 1:
        raise InputError(f"{name} has no volume: its axes are {sizes}. Export it again as a 3-D image.")
    return tuple(sizes + [1] * (3 - len(sizes)))[::-1]


def _tensors(name: str) -> InputError:
    return InputError(
        f"{name} holds tensors (intent code {_TENSORS}), and NIfTI does not say whether they lie in the axes of the "
        "voxels or of the patient. Convert it to NRRD, which does, with the program that fitted it, or fit them again."
    )


def _check_end(name: str, file: BinaryIO, slice_size: int) -> None:
    """The end of a gzip stream is met here, where its checksum is compared."""
    if len(file.read(slice_size)) == slice_size:
        raise InputError(
            f"{name} holds more voxels than its header says, so the size or the type of them there is wrong; "
            "correct its header, or export it again."
        )


def _scaled(name: str, voxels: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    if not np.isfinite(slope) or slope == 0 or (slope == 1 and intercept == 0):
        return voxels
    if not np.isfinite(intercept):
        raise InputError(
            f"{name} has an intensity scale that is no number ({slope:g}, {intercept:g}); export it again."
        )
    scaled = np.empty(voxels.shape, np.float32)
    with np.errstate(over="ignore"):  # infinities are counted and refused afterwards
        for part, source in zip(scaled, voxels, strict=True):
            part[...] = source * slope + intercept
    return scaled
