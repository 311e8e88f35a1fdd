"""NRRD series: ITK reads them as vectors and writes them without their patient space, so that is done here.

Form (also of Slicer's DWMRI): a 4-D file whose one axis without a space direction counts the volumes.
http://teem.sourceforge.net/nrrd/format.html, https://www.na-mic.org/wiki/NAMIC_Wiki:DTI:Nrrd_format
"""

import gzip
import re
from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.volume import Gradients, Volume

_NAMES = {"i1": "int8", "u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32"}
_NAMES |= {"i8": "int64", "u8": "uint64", "f4": "float", "f8": "double"}
_FRAME = "measurement frame"


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
        vectors = np.array([[float(word) for word in line.split()] for line in lines], dtype=float)
        frame = _vectors(header[_FRAME]).T if _FRAME in header else np.eye(3)
        vectors = vectors @ frame.T * _to_lps(header.get("space", ""))
    except ValueError as error:
        raise _unreadable(name, f"they cannot be read ({error})") from error
    if vectors.shape != (count, 3) or not np.isfinite(largest):
        raise _unreadable(name, f"{count} volumes, {len(lines)} gradients, b-value {header.get('DWMRI_b-value')}")
    length = np.linalg.norm(vectors, axis=1)
    return Gradients(largest * length**2, vectors / np.where(length > 0, length, 1)[:, None])


def _unreadable(name: str, found: str) -> InputError:
    return InputError(f"{name} says it is diffusion, but its gradients are not whole: {found}. Convert it again.")


def write_series(volume: Volume, path: Path) -> None:
    """Write a series as .nrrd (compressed) or .nhdr with a .raw beside it, with its gradients if any."""
    attached = path.suffix.lower() == ".nrrd"
    data = path if attached else path.with_suffix(".raw")
    dtype = volume.voxels.dtype
    axes = (volume.direction * volume.spacing).T
    lines = [
        "NRRD0005",
        f"type: {_NAMES[dtype.str[1:]]}",
        "dimension: 4",
        "space: left-posterior-superior",
        "sizes: " + " ".join(str(n) for n in volume.voxels.shape[::-1]),
        "space directions: " + " ".join(_vector(axis) for axis in axes) + " none",
        "kinds: domain domain domain list",
        "endian: little",
        f"encoding: {'gzip' if attached else 'raw'}",
        f"space origin: {_vector(np.asarray(volume.origin))}",
    ]
    lines += _gradient_lines(volume.gradients) + ([] if attached else [f"data file: {data.name}"])
    path.write_bytes(("\n".join(lines) + "\n\n").encode())
    little = dtype.newbyteorder("<")
    with gzip.open(data, "ab", compresslevel=4) if attached else data.open("wb") as file:
        for part in volume.voxels:
            file.write(np.ascontiguousarray(part, little).tobytes())


def _gradient_lines(gradients: Gradients | None) -> list[str]:
    if gradients is None:
        return []
    largest = float(max(gradients.bvals.max(), 0))
    scale = np.sqrt(np.clip(gradients.bvals, 0, None) / largest) if largest else np.zeros(len(gradients.bvals))
    scaled = gradients.bvecs * scale[:, None]
    keys = [f"DWMRI_gradient_{k:04d}:=" + " ".join(f"{n:.17g}" for n in row) for k, row in enumerate(scaled)]
    return [f"{_FRAME}: (1,0,0) (0,1,0) (0,0,1)", "modality:=DWMRI", f"DWMRI_b-value:={largest:.17g}", *keys]


def _vector(numbers: np.ndarray) -> str:
    return "(" + ",".join(f"{n:.17g}" for n in numbers) + ")"


def _vectors(text: str) -> np.ndarray:
    found = re.findall(r"\(([^)]*)\)", text)
    return np.array([[float(word) for word in item.split(",")] for item in found], dtype=float).reshape(3, 3)


def _to_lps(space: str) -> np.ndarray:
    name = space.lower()
    right = name in ("ras", "rast") or name.startswith("right-anterior")
    anterior = right or name in ("las", "last") or name.startswith("left-anterior")
    return np.array([-1.0 if right else 1.0, -1.0 if anterior else 1.0, 1.0])
