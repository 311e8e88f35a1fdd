"""What every reader and writer shares: names, sentences, and checks that no bad volume gets past."""

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.volume import Volume

EXTENSIONS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
_MAGIC = {b"\x1f\x8b": "gzip", b"NRRD": "NRRD", b"\x89PNG": "PNG", b"\xff\xd8": "JPEG", b"PK": "zip", b"%PDF": "PDF"}
DETACHED = {".nhdr": ".raw", ".mhd": ".raw"}  # headers whose voxels lie in a second file


class ScanWarning(UserWarning):
    """The scan could be read, but something about it is not as it should be."""


def extension(path: Path) -> str:
    """The known image extension of a file name (.nii.gz is one), or '' for any other."""
    return next((e for e in EXTENSIONS if path.name.lower().endswith(e)), "")


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


def make_volume(name: str, voxels: np.ndarray, spacing: np.ndarray, origin: np.ndarray, axes: np.ndarray) -> Volume:
    """A Volume that has been checked: finite voxels, positive spacing, axes at right angles.

    voxels: (z, y, x) or (t, z, y, x); a series of one volume becomes that volume. axes: (3, 3), columns.
    Raises InputError naming the file.
    """
    if voxels.ndim == 4 and voxels.shape[0] == 1:
        voxels = voxels[0]
    check_finite(name, voxels)
    numbers = np.concatenate([spacing, origin, axes.ravel()])
    if not np.isfinite(numbers).all() or np.min(spacing) <= 0:
        raise InputError(
            f"{name} has an impossible grid: spacing {tuple(spacing)} mm, origin {tuple(origin)} mm. "
            "Export it again, or correct its header."
        )
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3:
        raise InputError(f"{name} has axes that are not at right angles (a sheared grid); resample it first.")
    x, y, z = (float(v) for v in spacing)
    p, q, r = (float(v) for v in origin)
    return Volume(voxels, (x, y, z), (p, q, r), axes)


def check_finite(name: str, voxels: np.ndarray) -> None:
    """Raise InputError if any voxel is NaN or infinite, saying how many."""
    if np.issubdtype(voxels.dtype, np.integer):
        return
    bad = sum(int(np.count_nonzero(~np.isfinite(part))) for part in voxels)
    if bad:
        raise InputError(
            f"{name} has {bad} NaN or infinite voxels of {voxels.size}; replace them (by 0, or by their "
            "neighbours) and save it again."
        )


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
