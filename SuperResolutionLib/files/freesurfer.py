"""FreeSurfer's .mgh and .mgz, through nibabel; they are read, not written.

https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat
"""

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import cut_short, looks_like, make_volume, nibabel_for
from SuperResolutionLib.files.nifti_grid import lps_grid
from SuperResolutionLib.files.voxel_blocks import BROKEN, check_promise, check_stream, read_block, unpacked
from SuperResolutionLib.header import repeating
from SuperResolutionLib.volume import Volume

_START = 284  # bytes before the voxels
_HEADER = 90  # of them, the header's own


def read_mgh(path: Path) -> Volume:
    """A volume or series in its own voxel type. Raises InputError for a file that is not whole, or without nibabel."""
    nibabel = nibabel_for(path.name)
    try:
        with unpacked(path) as (file, packed):
            block = file.read(_START)
            header = _header(nibabel, path, block)
            shape, dtype = tuple(int(n) for n in header["dims"][::-1]), header.get_data_dtype()
            wanted, size, packing = math.prod(shape) * dtype.itemsize, path.stat().st_size, "gzip" if packed else ""
            check_promise(path.name, wanted, size if packed else size - _START, packing)
            if packed:
                with path.open("rb") as stream:
                    check_stream(path.name, stream, _START + wanted)
            voxels = read_block(path.name, file, shape, dtype)
            footer = file.read(4)
            file.read(1 << 24)  # words that nothing needs, and the end of a gzip stream with its checksum
    except BROKEN as error:
        raise cut_short(path.name, str(error)) from error
    return _volume(path.name, header, voxels, struct.unpack(">f", footer)[0] if len(footer) == 4 else 0.0)


def from_image(name: str, image: Any) -> Volume:
    """A volume of an MGH image of nibabel."""
    voxels = np.asanyarray(image.dataobj)
    return _volume(name, image.header, voxels.T, float(image.header["tr"]))


def _volume(name: str, header: Any, voxels: np.ndarray, milliseconds: float) -> Volume:
    return make_volume(name, voxels, *lps_grid(header.get_affine()), repeating(milliseconds))


def _header(nibabel: Any, path: Path, block: bytes) -> Any:
    if block[:4] != (1).to_bytes(4, "big"):
        raise InputError(f"{path.name} is not an MGH file: {looks_like(path)}. Give it its right extension.")
    if len(block) < _START:
        raise cut_short(path.name, f"its header has {len(block)} of {_START} bytes")
    kind = nibabel.freesurfer.mghformat.MGHHeader
    header = kind(block[:_HEADER] + bytes(kind.template_dtype.itemsize - _HEADER), check=False)
    try:
        header.get_data_dtype()
    except KeyError as error:
        raise InputError(f"{path.name} has voxels of an unknown type ({int(header['type'])}).") from error
    if min(header["dims"]) < 1:
        raise InputError(f"{path.name} has no volume: its axes are {header['dims'].tolist()}; export it again.")
    return header
