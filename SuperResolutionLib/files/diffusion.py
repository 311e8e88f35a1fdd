"""The diffusion weighting of a series on disk: FSL's .bval and .bvec files."""

import warnings
from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import ScanWarning, stem
from SuperResolutionLib.volume import Gradients, Volume

SUFFIXES = (".bval", ".bvec", ".bvals", ".bvecs")


def fsl_paths(image: Path) -> tuple[Path, Path]:
    """Where the .bval and .bvec of an image are written."""
    return image.with_name(stem(image) + ".bval"), image.with_name(stem(image) + ".bvec")


def read_fsl(image: Path, count: int, direction: np.ndarray) -> Gradients | None:
    """The .bval/.bvec beside an image as Gradients in LPS, or None where there are none.

    count: volumes in the image. direction: (3, 3) of the image.
    Raises InputError when they do not fit a series; a single volume that they do not fit is left without.
    """
    bval, bvec = (_either(path) for path in fsl_paths(image))
    if bval is None and bvec is None:
        return None
    if bval is None or bvec is None:
        found, lost = ("b-values", ".bvec") if bvec is None else ("b-vectors", ".bval")
        warnings.warn(ScanWarning(f"{image.name} has {found} but no {lost} beside it; both are ignored."), stacklevel=2)
        return None
    bvals, bvecs = _numbers(bval).ravel(), _numbers(bvec)
    if bvecs.shape[0] != 3 and bvecs.shape[1] == 3:
        bvecs = bvecs.T
    if bvals.shape != (count,) or bvecs.shape != (3, count):
        if count == 1:
            return None
        raise InputError(
            f"{image.name} has {count} volumes, but {bval.name} has {bvals.size} b-values and {bvec.name} "
            f"{bvecs.shape[0]} x {bvecs.shape[1]}; they must agree. Find the right files or move them away."
        )
    return Gradients(bvals, bvecs.T @ _fsl_axes(direction).T)


def write_fsl(volume: Volume, image: Path) -> None:
    """Write the gradients of a series beside its image, as FSL reads them."""
    if volume.gradients is None:
        return
    bval, bvec = fsl_paths(image)
    vectors = np.linalg.solve(_fsl_axes(volume.direction), volume.gradients.bvecs.T)
    bval.write_text(_line(volume.gradients.bvals))
    bvec.write_text("".join(_line(row) for row in vectors))


def _fsl_axes(direction: np.ndarray) -> np.ndarray:
    """FSL vectors to LPS: the voxel axes, the first one reversed unless the grid is left-handed."""
    flip = -1.0 if np.linalg.det(direction) > 0 else 1.0
    axes: np.ndarray = direction * np.array([flip, 1.0, 1.0])
    return axes


def _either(path: Path) -> Path | None:
    return next((p for p in (path, path.with_name(path.name + "s")) if p.is_file()), None)


def _numbers(path: Path) -> np.ndarray:
    try:
        rows = [[float(word) for word in line.replace(",", " ").split()] for line in path.read_text().splitlines()]
        numbers = np.array([row for row in rows if row], dtype=float, ndmin=2)
    except ValueError as error:
        raise InputError(f"{path.name} is not a table of numbers ({error}); correct it, or move it away.") from error
    if not np.isfinite(numbers).all():
        raise InputError(f"{path.name} has NaN or infinite numbers; correct it, or move it away.")
    return numbers


def _line(numbers: np.ndarray) -> str:
    return " ".join(f"{n + 0.0:.10g}" for n in np.where(np.abs(numbers) < 1e-12, 0, numbers)) + "\n"
