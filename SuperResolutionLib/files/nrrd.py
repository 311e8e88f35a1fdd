"""NRRD: series, which ITK reads as vectors and writes without their patient space, and plain voxels to be mapped.

Form of a series (also of Slicer's DWMRI): a 4-D file whose one axis without a space direction counts the volumes, or
the components of tensors.
http://teem.sourceforge.net/nrrd/format.html, https://www.na-mic.org/wiki/NAMIC_Wiki:DTI:Nrrd_format
"""

import gzip
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import check_exists, cut_short
from SuperResolutionLib.volume import TENSOR, Gradients, Volume

_NAMES = {"i1": "int8", "u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32"}
_NAMES |= {"i8": "int64", "u8": "uint64", "f4": "float", "f8": "double"}
_KINDS = {name: kind for kind, name in _NAMES.items()}  # and as ITK and Slicer call them
_KINDS |= {"signed char": "i1", "unsigned char": "u1", "short": "i2", "unsigned short": "u2", "int": "i4"}
_KINDS |= {"unsigned int": "u4", "long long int": "i8", "unsigned long long int": "u8", "uchar": "u1"}
_KINDS |= {"ushort": "u2", "uint": "u4", "longlong": "i8", "ulonglong": "u8"}
FRAME = "measurement frame"
_IDENTITY = f"{FRAME}: (1,0,0) (0,1,0) (0,0,1)"
TENSOR_KIND = "3D-symmetric-matrix"  # xx xy xz yy yz zz


def read_header(path: Path) -> dict[str, str]:
    """Fields and key/value pairs of an NRRD header (it ends at the first empty line)."""
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        for raw in iter(file.readline, b""):
            line = raw.decode("utf-8", errors="replace").strip()
            if not line:
                break
            name, separator, value = line.partition(":")
            if separator and not line.startswith("#"):
                fields[name.strip()] = value.removeprefix("=").strip()
    return fields


def is_series(header: dict[str, str]) -> bool:
    """Whether the vector of an NRRD counts volumes, rather than the components of a colour or a vector."""
    return header.get("modality") == "DWMRI" or "list" in header.get("kinds", "").split()


def read_gradients(name: str, header: dict[str, str], count: int) -> Gradients | None:
    """The gradients of a DWMRI header in LPS; b of each volume is b_max times its squared length."""
    if header.get("modality") != "DWMRI":
        return None
    lines = [value for key, value in sorted(header.items()) if key.startswith("DWMRI_gradient_")]
    try:
        largest = float(header.get("DWMRI_b-value", "nan"))
        rows = np.array([[float(word) for word in line.split()] for line in lines], dtype=float)
        frame = vectors(header[FRAME]).T if FRAME in header else np.eye(3)
        rows = rows @ frame.T * to_lps(header.get("space", ""))
    except ValueError as error:
        raise _unreadable(name, f"they cannot be read ({error})") from error
    if not np.isfinite(rows).all():
        raise _unreadable(name, "NaN or infinite numbers")
    if rows.shape != (count, 3) or not np.isfinite(largest):
        raise _unreadable(name, f"{count} volumes, {len(lines)} gradients, b-value {header.get('DWMRI_b-value')}")
    length = np.linalg.norm(rows, axis=1)
    return Gradients(largest * length**2, rows / np.where(length > 0, length, 1)[:, None])


def _unreadable(name: str, found: str) -> InputError:
    return InputError(f"{name} says it is diffusion, but its gradients are not whole: {found}. Convert it again.")


def write_series(volume: Volume, path: Path) -> None:
    """Write a series as .nrrd (compressed), with its gradients if any."""
    path.write_bytes(_header(volume, "gzip"))
    with gzip.open(path, "ab", compresslevel=4) as file:
        for part in _slices(volume.voxels):
            file.write(part)


def write_detached(volume: Volume, path: Path) -> None:
    """Write a volume or a series as an .nhdr with its plain voxels in a .raw beside it; a series with its gradients.

    Written slice by slice: a view of a larger array is never copied whole. Raises InputError for a voxel type that
    NRRD does not have.
    """
    for _ in writing_detached(volume, path):
        pass


def writing_detached(volume: Volume, path: Path) -> Iterator[int]:
    """`write_detached` in pieces, for a program that must stay responsive: yields the bytes of each slice written."""
    data = path.with_suffix(".raw")
    path.write_bytes(_header(volume, "raw", data.name))
    with data.open("wb") as file:
        for part in _slices(volume.voxels):
            yield file.write(part)


def open_voxels(path: Path) -> np.memmap:
    """The voxels of an .nhdr with a raw data file, mapped read-only: (z, y, x), or (t, z, y, x) of a series.

    Nothing is read before it is looked at. Raises InputError where the voxels are not plain (raw, in one file, volume
    after volume), or the data file is missing or too short.
    """
    check_exists(path)
    header = read_header(path)
    encoding = header.get("encoding", "of unknown encoding")
    if encoding != "raw" or "data file" not in header:
        where = "in a file of their own" if "data file" in header else "in the header's own file"
        raise _unmappable(path.name, f"its voxels are {encoding}, {where}")
    dtype, shape = _layout(path.name, header)
    data = path.parent / header["data file"]
    check_exists(data)
    needed, found = dtype.itemsize * math.prod(shape), data.stat().st_size
    if found < needed:
        raise cut_short(data.name, f"{found} bytes of {needed}")
    return np.memmap(data, dtype, mode="r", shape=shape)


def storable(dtype: np.dtype) -> np.dtype:
    """The type that voxels are stored in: the same, but for two that few formats know; native byte order."""
    native: np.dtype = dtype.newbyteorder("=")
    kinds: dict[np.dtype, np.dtype] = {
        np.dtype(bool): np.dtype(np.uint8),
        np.dtype(np.float16): np.dtype(np.float32),
    }
    return kinds.get(native, native)


def _header(volume: Volume, encoding: str, data_file: str = "") -> bytes:
    voxels, series = volume.voxels, volume.voxels.ndim == 4
    kind = storable(voxels.dtype).str[1:]
    if kind not in _NAMES:
        raise InputError(f"Voxels of type {voxels.dtype} cannot be written as NRRD; cast them to float32 first.")
    axes = (volume.direction * volume.spacing).T
    tensors = volume.quantity == TENSOR
    fourth = TENSOR_KIND if tensors else "list" if series else ""
    lines = [
        "NRRD0005",
        f"type: {_NAMES[kind]}",
        f"dimension: {voxels.ndim}",
        "space: left-posterior-superior",
        "sizes: " + " ".join(str(n) for n in voxels.shape[::-1]),
        "space directions: " + " ".join(vector(axis) for axis in axes) + " none" * series,
        f"kinds: domain domain domain {fourth}".rstrip(),
        "endian: little",
        f"encoding: {encoding}",
        f"space origin: {vector(np.asarray(volume.origin))}",
    ]
    lines += [_IDENTITY] if tensors else _gradient_lines(volume.gradients) if series else []
    lines += [f"data file: {data_file}"] if data_file else []
    return ("\n".join(lines) + "\n\n").encode()


def _slices(voxels: np.ndarray) -> Iterator[memoryview]:
    """The bytes of one slice after another, little-endian."""
    little = storable(voxels.dtype).newbyteorder("<")
    for index in np.ndindex(voxels.shape[:-2]):
        yield np.ascontiguousarray(voxels[index], little).data


def voxel_type(name: str, header: dict[str, str]) -> np.dtype:
    """The type of the stored voxels, with its byte order. Raises InputError for one that is not a number's."""
    kind, order = header.get("type", "missing"), ">" if header.get("endian") == "big" else "<"
    if kind not in _KINDS:
        raise InputError(f"{name} cannot be read: its voxel type is {kind}. Write it again as float or an integer.")
    return np.dtype(order + _KINDS[kind])


def _layout(name: str, header: dict[str, str]) -> tuple[np.dtype, tuple[int, ...]]:
    """Voxel type and array shape of a raw file, (z, y, x) or (t, z, y, x)."""
    sizes = header.get("sizes", "").split()
    if len(sizes) not in (3, 4) or not all(size.isdecimal() and int(size) for size in sizes):
        raise _unmappable(name, f"its sizes are {' '.join(sizes) or 'missing'}")
    axes = header.get("space directions", "")
    if "none" in (axes.removesuffix("none") if len(sizes) == 4 else axes):
        raise _unmappable(name, "its volumes do not lie one after another")
    if skipped := [key for key in ("byte skip", "line skip") if header.get(key, "0") != "0"]:
        raise _unmappable(name, f"it has a {skipped[0]}")
    return voxel_type(name, header), tuple(int(size) for size in reversed(sizes))


def _unmappable(name: str, found: str) -> InputError:
    return InputError(f"{name} cannot be mapped: {found}. Write it again as .nhdr with a raw data file.")


def _gradient_lines(gradients: Gradients | None) -> list[str]:
    if gradients is None:
        return []
    largest = float(max(gradients.bvals.max(), 0))
    scale = np.sqrt(np.clip(gradients.bvals, 0, None) / largest) if largest else np.zeros(len(gradients.bvals))
    scaled = gradients.bvecs * scale[:, None]
    keys = [f"DWMRI_gradient_{k:04d}:=" + " ".join(f"{n:.17g}" for n in row) for k, row in enumerate(scaled)]
    return [_IDENTITY, "modality:=DWMRI", f"DWMRI_b-value:={largest:.17g}", *keys]


def vector(numbers: np.ndarray) -> str:
    """A vector as a header has it: (x,y,z)."""
    return "(" + ",".join(f"{n:.17g}" for n in numbers) + ")"


def vectors(text: str) -> np.ndarray:
    """The three vectors "(a,b,c) (d,e,f) (g,h,i)" of a header field as rows. Raises ValueError for anything else."""
    found = re.findall(r"\(([^)]*)\)", text)
    return np.array([[float(word) for word in item.split(",")] for item in found], dtype=float).reshape(3, 3)


def to_lps(space: str) -> np.ndarray:
    """The signs (3,) that take coordinates of an NRRD's space to LPS."""
    name = space.lower()
    right = name in ("ras", "rast") or name.startswith("right-anterior")
    anterior = right or name in ("las", "last") or name.startswith("left-anterior")
    return np.array([-1.0 if right else 1.0, -1.0 if anterior else 1.0, 1.0])
