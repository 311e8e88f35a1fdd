"""What every reader and writer shares: names, sentences, and checks that no bad volume gets past."""

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.header import Header
from SuperResolutionLib.volume import Volume, check_finite, orthonormal

EXTENSIONS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")  # what is read and written
READ_ONLY = [".mgz", ".mgh"]
LPS_FROM_RAS = np.array([-1.0, -1.0, 1.0])
_MAGIC = {b"\x1f\x8b": "gzip", b"NRRD": "NRRD", b"\x89PNG": "PNG", b"\xff\xd8": "JPEG", b"PK": "zip", b"%PDF": "PDF"}
DETACHED = {".nhdr": ".raw", ".mhd": ".raw"}  # headers whose voxels lie in a second file


class ScanWarning(UserWarning):
    """The scan could be read, but something about it is not as it should be."""


def extension(path: Path) -> str:
    """The known image extension of a file name (.nii.gz is one), or '' for any other."""
    return next((e for e in (*EXTENSIONS, *READ_ONLY) if path.name.lower().endswith(e)), "")


def stem(path: Path) -> str:
    """The file name without its image extension."""
    return path.name[: len(path.name) - len(extension(path))] if extension(path) else path.stem


def check_exists(path: Path) -> None:
    """Raise InputError unless there is something at `path`, naming the nearest name in its folder."""
    if path.exists():
        return
    names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "check the path."
    if not path.parent.is_dir():
        hint = f"its folder {path.parent} does not exist either; check the path."
    raise InputError(f"There is no file or folder {path}; {hint}")


def looks_like(path: Path) -> str:
    """What a file holds by its first bytes, for an error sentence."""
    with path.open("rb") as file:
        head = file.read(132)
    if not head:
        return "it is empty (0 bytes)"
    if head[128:] == b"DICM":
        return "it looks like DICOM"
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return f"it looks like {kind}"
    text = head[:16].decode("ascii", errors="replace")
    return f"it looks like text starting with '{text.strip()}'" if text.isprintable() else "its content is unknown"


def is_dicom(path: Path) -> bool:
    """Whether a file starts as DICOM files do."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def not_scalar(name: str, components: int) -> InputError:
    """The error for colour and vector images."""
    kind = {3: "RGB or vector", 4: "RGBA or vector"}.get(components, "vector")
    return InputError(
        f"{name} has {components} components per voxel ({kind}); super-resolution works on scalar volumes. "
        "Convert it to grey first."
    )


def complex_voxels(name: str) -> InputError:
    """The error for complex images."""
    return InputError(f"{name} has complex voxels; super-resolution works on scalar volumes. Save its magnitude first.")


def cut_short(name: str, found: str) -> InputError:
    """The error for a file that ends before its voxels do, or whose compressed stream is broken."""
    return InputError(f"{name} is cut short or damaged ({found}). Copy, download or export it again.")


def sheared(name: str) -> InputError:
    """The error for a grid whose axes are not at right angles."""
    return InputError(f"{name} has axes that are not at right angles (a sheared grid); resample it first.")


def too_many_axes(name: str, count: int) -> InputError:
    """The error for images of 5 axes and more."""
    return InputError(f"{name} has {count} axes; a volume has 3 and a series 4. Split it into volumes or series first.")


def storable(dtype: np.dtype) -> np.dtype:
    """The type that voxels are stored in: the same in native byte order, but float32 for float16, which few know."""
    native: np.dtype = dtype.newbyteorder("=")
    return np.dtype(np.float32) if native == np.float16 else native


def data_beside(header: Path, named: str) -> Path:
    """The file of voxels that a header names, which lies beside it or in a folder below.

    Raises InputError for any other place, for lists and patterns of files, and for what is no file.
    """
    parts = Path(named).parts
    if not parts or len(named) > 1000 or max(map(len, parts)) > 255 or "\0" in named:
        raise InputError(f"{header.name} names no file that holds its voxels ({named[:60]!r}); export it again.")
    if named.upper().startswith("LIST") or "%" in named or len(named.split()) > 3:
        raise InputError(
            f"{header.name} keeps its voxels in several files ({named[:60]}); save it as one file with the program "
            "that wrote it."
        )
    data = header.parent / named
    if (
        Path(named).is_absolute()
        or ".." in parts
        or "\\" in named
        or ":" in named
        or (data.exists() and not data.is_file())
    ):
        raise InputError(
            f"{header.name} keeps its voxels outside its own folder ({named[:200]}), and such a file is not followed; "
            "put both into one folder and correct the name in the header."
        )
    if not data.exists():
        raise InputError(
            f"{header.name} keeps its voxels in {named}, but there is no file or folder {data}; "
            "copy it beside the header."
        )
    return data


def nibabel_for(name: str) -> Any:
    """The library nibabel, which is imported only here: Slicer's engine works without it. Raises InputError."""
    try:
        import nibabel
    except ImportError as error:
        raise InputError(
            f"{name} needs nibabel, which reads and writes NIfTI and MGH and is not installed here; install it with "
            "'pip install nibabel', or use a .nrrd file."
        ) from error
    return nibabel


def make_volume(
    name: str,
    voxels: np.ndarray,
    spacing: np.ndarray,
    origin: np.ndarray,
    axes: np.ndarray,
    header: Header | None = None,
) -> Volume:
    """A Volume that has been checked: finite voxels, positive spacing, axes at right angles.

    voxels: (z, y, x) or (t, z, y, x); a series of one volume becomes that volume. axes: (3, 3), columns; what they
    lack to right angles, as headers round, is mended.
    name: of the file, for the error. spacing: mm along x, y, z. origin: mm, LPS. header: what else the file says.
    Raises InputError naming the file.
    """
    if voxels.ndim == 4 and voxels.shape[0] == 1:
        voxels = voxels[0]
    check_finite(voxels, name)
    numbers = np.concatenate([spacing, origin, axes.ravel()])
    if not np.isfinite(numbers).all() or np.min(spacing) <= 0:
        raise InputError(
            f"{name} has an impossible grid: spacing {tuple(spacing)} mm, origin {tuple(origin)} mm. "
            "Export it again, or correct its header."
        )
    slant = np.abs(axes.T @ axes - np.eye(3)).max()
    if slant > 1e-3:
        raise sheared(name)
    x, y, z = (float(v) for v in spacing)
    p, q, r = (float(v) for v in origin)
    return Volume(voxels, (x, y, z), (p, q, r), orthonormal(axes) if slant > 1e-6 else axes, header=header)


@contextmanager
def quiet() -> Iterator[None]:
    """ITK writes its own complaints to the process's stderr; ours are sentences, so its are dropped."""
    try:
        kept = os.dup(2)
    except OSError:  # no stderr at all: nothing to silence
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(null)
        os.close(kept)
