"""NRRD with three numbers per voxel: directions and colours.

http://teem.sourceforge.net/nrrd/format.html#kinds: the components run fastest, ahead of the axes of space. The
measurement frame takes the coordinates of a vector to the file's space; here it is the identity, for both are LPS.
"""

from pathlib import Path

from SuperResolutionLib.files.nrrd import write_numbers
from SuperResolutionLib.files.nrrd_gradients import IDENTITY
from SuperResolutionLib.volume import Volume


def write_vectors(vectors: Volume, path: Path) -> None:
    """Write a vector per voxel, (3, z, y, x) in LPS, as a compressed .nrrd."""
    write_numbers(vectors, "vector", path, [IDENTITY])


def write_colours(colours: Volume, path: Path) -> None:
    """Write red, green and blue, (3, z, y, x) uint8, as a compressed .nrrd."""
    write_numbers(colours, "RGB-color", path)
