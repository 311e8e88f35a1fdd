"""NIfTI voxels, read here because ITK turns NaN into 0 and fills the end of a truncated file with rubbish.

The geometry is left to ITK, so that it is the same as in Slicer.
"""

import gzip
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import complex_voxels, cut_short, looks_like, not_scalar

_TYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
_COMPLEX = (32, 1792, 2048)
_COLOUR = {128: 3, 2304: 4}
_HEADER = 348
_TENSORS = 1005  # NIFTI_INTENT_SYMMATRIX


def read_voxels(path: Path) -> np.ndarray:
    """The voxels of a NIfTI-1 file, (z, y, x) or (t, z, y, x), in their own type.

    Scaled files (scl_slope) become float32. Raises InputError for anything that is not a whole scalar file.
    """
    try:
        with _open(path) as file:
            header = file.read(_HEADER)
            order = _byte_order(path, header)
            if struct.unpack_from(order + "h", header, 68)[0] == _TENSORS:
                raise _tensors(path.name)
            dtype = _dtype(path.name, order, struct.unpack_from(order + "h", header, 70)[0])
            shape = _shape(path.name, struct.unpack_from(order + "8h", header, 40))
            offset, slope, intercept = struct.unpack_from(order + "3f", header, 108)
            file.read(max(0, int(offset) - _HEADER))
            voxels = _block(path.name, file, shape, dtype)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise cut_short(path.name, str(error)) from error
    return _scaled(voxels, slope, intercept)


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb")) if zipped else path.open("rb")


def _byte_order(path: Path, header: bytes) -> str:
    order = next((o for o in "<>" if len(header) >= 4 and struct.unpack_from(o + "i", header)[0] in (348, 540)), "")
    if not order:
        raise InputError(f"{path.name} is not a NIfTI file: {looks_like(path)}. Give it its right extension.")
    if struct.unpack_from(order + "i", header)[0] == 540:
        raise InputError(f"{path.name} is a NIfTI-2 file, which is not supported; convert it to NIfTI-1 or NRRD.")
    if len(header) < _HEADER:
        raise cut_short(path.name, f"its header has {len(header)} of {_HEADER} bytes")
    if header[344:347] != b"n+1":
        raise InputError(f"{path.name} keeps its voxels in a second file (.hdr/.img); convert it to .nii.gz.")
    return order


def _dtype(name: str, order: str, code: int) -> np.dtype:
    if code in _COMPLEX:
        raise complex_voxels(name)
    if code in _COLOUR:
        raise not_scalar(name, _COLOUR[code])
    if code not in _TYPES:
        raise InputError(f"{name} has voxels of a rare NIfTI type (code {code}); convert it to float32 first.")
    return np.dtype(order + _TYPES[code])


def _shape(name: str, dim: tuple[int, ...]) -> tuple[int, ...]:
    sizes = list(dim[1 : 1 + max(0, min(dim[0], 7))])
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) > 4:
        if len(sizes) == 5 and sizes[3] == 1:  # how NIfTI stores a vector per voxel
            raise not_scalar(name, sizes[4])
        raise too_many_axes(name, len(sizes))
    if len(sizes) < 2 or min(sizes) < 1:
        raise InputError(f"{name} has no volume: its axes are {sizes}. Export it again as a 3-D image.")
    return tuple(sizes + [1] * (3 - len(sizes)))[::-1]


def too_many_axes(name: str, count: int) -> InputError:
    """The error for images of 5 axes and more."""
    return InputError(f"{name} has {count} axes; a volume has 3 and a series 4. Split it into volumes or series first.")


def _tensors(name: str) -> InputError:
    return InputError(
        f"{name} holds tensors (intent code {_TENSORS}), and NIfTI does not say whether they lie in the axes of the "
        "voxels or of the patient. Convert it to NRRD, which does, with the program that fitted it, or fit them again."
    )


def _block(name: str, file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    wanted = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    data = bytearray()  # grown, not allocated at once: a damaged header may ask for anything
    while len(data) < wanted and (part := file.read(min(wanted - len(data), 1 << 26))):
        data += part
    if len(data) < wanted:
        raise cut_short(name, f"it has {len(data)} of {wanted} bytes of voxels")
    file.read(1)  # the end of a gzip stream: its checksum is compared here
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _scaled(voxels: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    if not np.isfinite([slope, intercept]).all() or slope == 0 or (slope == 1 and intercept == 0):
        return voxels
    scaled = np.empty(voxels.shape, np.float32)
    for part, source in zip(scaled, voxels, strict=True):
        part[...] = source * float(slope) + float(intercept)
    return scaled
