"""The diffusion weighting of a series on disk: FSL's .bval and .bvec files."""

import warnings
from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import ScanWarning, stem
from SuperResolutionLib.volume import UNWEIGHTED, Gradients, Volume

SUFFIXES = (".bval", ".bvec", ".bvals", ".bvecs")
_BARE = (("bvals", "bval"), ("bvecs", "bvec"))  # as the HCP's and FSL's folders name them beside data.nii.gz
_ROUNDED = 0.02  # how far from 1 the length of a direction may lie that was written with two digits


def fsl_paths(image: Path) -> tuple[Path, Path]:
    """Where the .bval and .bvec of an image are written."""
    return image.with_name(stem(image) + ".bval"), image.with_name(stem(image) + ".bvec")


def read_fsl(image: Path, count: int, direction: np.ndarray) -> Gradients | None:
    """The .bval/.bvec beside an image as Gradients in LPS, or None where there are none.

    count: volumes in the image. direction: (3, 3) of the image.
    Files that are called bvals and bvecs alone, beside the image, count where they fit the series.
    Directions are read transposed, and scaled to unit length, where they have to be: with a ScanWarning.
    Raises InputError when they do not fit a series; a single volume that they do not fit is left without.
    """
    bval, bvec = (_either(path) for path in fsl_paths(image))
    if bval is None and bvec is None:
        return _read_bare(image, count, direction)
    if bval is None:
        _warn(f"{image.name} has b-vectors but no .bval beside it; they are ignored.")
        return None
    if bvec is None:
        return _read_values(image.name, bval, count)
    return read_pair(image.name, (bval, bvec), count, direction)


def _read_bare(image: Path, count: int, direction: np.ndarray) -> Gradients | None:
    """What bvals and bvecs without an image's name say of a series that has as many volumes."""
    bval, bvec = (next((p for name in names if (p := image.with_name(name)).is_file()), None) for names in _BARE)
    if bval is None or bvec is None or count == 1:
        return None
    listed = _numbers(bval).size
    if listed != count:
        _warn(
            f"{image.name} has {count} volumes, and {bval.name} beside it {listed} b-values; it was read without "
            "gradients. If they belong to it, find the right files."
        )
        return None
    return read_pair(image.name, (bval, bvec), count, direction)


def _read_values(name: str, bval: Path, count: int) -> Gradients | None:
    """b-values without directions: of a series, for one volume alone they say nothing."""
    if count == 1:
        return None
    bvals = _bvals(bval)
    if bvals.shape != (count,):
        raise InputError(
            f"{name} has {count} volumes, but {bval.name} has {bvals.size} b-values; they must agree. Find the right "
            "file or move it away."
        )
    _warn(f"{name} has b-values but no .bvec beside it; its weighted volumes are read without directions.")
    return Gradients(bvals, np.zeros((count, 3)))


def _bvals(bval: Path) -> np.ndarray:
    bvals = _finite(bval, _numbers(bval).ravel())
    if bvals.min(initial=0) < 0:
        raise InputError(f"{bval.name} has a b-value below 0 ({bvals.min():g} s/mm2); correct it, or move it away.")
    return bvals


def read_pair(name: str, pair: tuple[Path, Path], count: int, direction: np.ndarray) -> Gradients | None:
    """The gradients that a .bval and a .bvec give an image; None for one volume that they do not fit.

    name, count, direction: of the image, its volumes and its axes. pair: .bval, .bvec.
    Raises InputError where they do not fit a series.
    """
    bval, bvec = pair
    bvals, bvecs = _bvals(bval), _numbers(bvec)
    transposed = bvecs.shape[0] != 3 and bvecs.shape[1] == 3
    bvecs = bvecs.T if transposed else bvecs
    if bvals.shape != (count,) or bvecs.shape != (3, count):
        if count == 1:
            return None
        raise InputError(
            f"{name} has {count} volumes, but {bval.name} has {bvals.size} b-values and {bvec.name} "
            f"{bvecs.shape[0]} x {bvecs.shape[1]}; they must agree. Find the right files or move them away."
        )
    if transposed:
        _warn(f"{bvec.name} has a direction per line, where FSL has three lines; it was read transposed.")
    vectors = _finite(bvec, _unweighted_to_zero(bvec.name, bvals, bvecs.T))
    return Gradients(bvals, _unit(bvec.name, bvals, vectors) @ _fsl_axes(direction).T)


def warn_of_weighting(name: str, gradients: Gradients) -> None:
    """Give a ScanWarning for gradients that no tensor can be fitted to: all unweighted, or some without direction."""
    weighted = gradients.bvals > UNWEIGHTED
    if not weighted.any():
        _warn(
            f"{name} has no diffusion weighting: none of its {len(weighted)} b-values is above {UNWEIGHTED:.0f} s/mm2."
        )
    lost = np.flatnonzero(weighted & ~gradients.bvecs.any(axis=1))
    if len(lost):
        volumes = ", ".join(str(k + 1) for k in lost[:5]) + (" ..." if len(lost) > 5 else "")
        _warn(
            f"{name} has weighted volumes without a direction ({len(lost)} of {len(weighted)}: {volumes}); they may be "
            "trace images. Leave them out before tensors are fitted."
        )


def write_fsl(volume: Volume, image: Path) -> None:
    """Write the gradients of a series, if it has any, beside its image, as FSL reads them."""
    if volume.gradients is None:
        return
    bval, bvec = fsl_paths(image)
    vectors = np.linalg.solve(_fsl_axes(volume.direction), volume.gradients.bvecs.T)
    bval.write_text(_line(volume.gradients.bvals))
    bvec.write_text("".join(_line(row) for row in vectors))


def _unit(name: str, bvals: np.ndarray, bvecs: np.ndarray) -> np.ndarray:
    """(t, 3) unit directions, zero where b is 0: in FSL's files the length of a vector says nothing about b."""
    length = np.linalg.norm(bvecs, axis=1)
    odd = (bvals > 0) & (length > 0) & (np.abs(length - 1) > _ROUNDED)
    if odd.any():
        _warn(
            f"{name} has {int(odd.sum())} directions that are not of unit length ({length[odd].min():.3g} to "
            f"{length[odd].max():.3g}); they were scaled to it, and the b-values taken as they are."
        )
    unit: np.ndarray = np.where((bvals > 0)[:, None], bvecs / np.where(length > 0, length, 1)[:, None], 0)
    return unit


def _warn(sentence: str) -> None:
    warnings.warn(ScanWarning(sentence), stacklevel=3)


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
        raise InputError(
            f"{path.name} is not a table of numbers ({str(error)[:100]}); correct it, or move it away."
        ) from error
    return numbers


def _finite(path: Path, numbers: np.ndarray) -> np.ndarray:
    if not np.isfinite(numbers).all():
        raise InputError(f"{path.name} has NaN or infinite numbers; correct it, or move it away.")
    return numbers


def _unweighted_to_zero(name: str, bvals: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(t, 3) with zeros for the NaN that some converters write where b is 0 and a direction means nothing."""
    empty = ~np.isfinite(vectors).all(axis=1) & (bvals <= UNWEIGHTED)
    if not empty.any():
        return vectors
    _warn(f"{name} has NaN for {int(empty.sum())} volumes of b = 0; their directions were taken as 0 0 0.")
    return np.where(empty[:, None], 0, vectors)


def _line(numbers: np.ndarray) -> str:
    return " ".join(f"{n + 0.0:.10g}" for n in np.where(np.abs(numbers) < 1e-12, 0, numbers)) + "\n"
