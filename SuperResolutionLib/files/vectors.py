"""NRRD with three numbers per voxel: directions and colours.

http://teem.sourceforge.net/nrrd/format.html#kinds: the components run fastest, ahead of the axes of space. The
measurement frame takes the coordinates of a vector to the file's space; here it is the identity, for both are LPS.
"""

import gzip
from pathlib import Path

import numpy as np

from SuperResolutionLib.files.nrrd import vector
from SuperResolutionLib.volume import Volume

_TYPES = {"float32": "float", "uint8": "uint8"}
_IDENTITY = "measurement frame: (1,0,0) (0,1,0) (0,0,1)"


def write_vectors(vectors: Volume, path: Path) -> None:
    """Write a vector per voxel, (3, z, y, x) in LPS, as a compressed .nrrd."""
    _write(vectors, path, "vector", _IDENTITY)


def write_colours(colours: Volume, path: Path) -> None:
    """Write red, green and blue, (3, z, y, x) uint8, as a compressed .nrrd."""
    _write(colours, path, "RGB-color")


def _write(volume: Volume, path: Path, kind: str, *more: str) -> None:
    """The components of a series, one behind the other in each voxel."""
    voxels = np.ascontiguousarray(np.moveaxis(volume.voxels, 0, -1))
    lines = [
        "NRRD0005",
        f"type: {_TYPES[voxels.dtype.name]}",
        "dimension: 4",
        "space: left-posterior-superior",
        "sizes: " + " ".join(str(n) for n in voxels.shape[::-1]),
        "space directions: none " + " ".join(vector(axis) for axis in (volume.direction * volume.spacing).T),
        f"kinds: {kind} domain domain domain",
        "endian: little",
        "encoding: gzip",
        f"space origin: {vector(np.asarray(volume.origin))}",
        *more,
    ]
    content = gzip.compress(voxels.astype(voxels.dtype.newbyteorder("<"), copy=False).tobytes(), 4)
    path.write_bytes(("\n".join(lines) + "\n\n").encode() + content)
