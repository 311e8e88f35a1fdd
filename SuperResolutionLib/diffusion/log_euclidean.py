"""Tensors in log-Euclidean space: whatever is done to their logarithms, each result is positive definite.

V. Arsigny, P. Fillard, X. Pennec, N. Ayache, Log-Euclidean metrics for fast and simple calculus on diffusion tensors,
Magn Reson Med 56:411 (2006): log T = R' diag(log of the eigenvalues) R is a vector space. A weighted mean taken there
has the geometric mean of the determinants, so that it does not swell between differing tensors; and where the weights
are the same for all six components, turning all tensors turns the result.
"""

# mypy: allow-untyped-calls

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from SuperResolutionLib.diffusion.components import components, matrices
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.sampling import Grids
from SuperResolutionLib.volume import SIGNAL, TENSOR, Volume

# The least eigenvalue, as a share of the volume's median diffusivity: about 1e-5 mm2/s in a brain. Water in living
# tissue diffuses ten times faster in every direction; what a fit puts lower, or below 0, is noise without a logarithm.
# A smaller floor would change no tissue, but make noise stand out further from it.
FLOOR = 0.01
LARGEST = 1e6  # times the typical diffusivity: no tensor is, and its eigenvalues could not be computed


@dataclass(frozen=True, eq=False)
class Logarithms:
    """The logarithms of a tensor volume, and what is needed to undo them.

    series: six signals, float32, the components of log(T / unit); a voxel without a tensor has the nearest one's.
    unit: the median diffusivity, so that typical isotropic tissue lies at 0 whatever the unit of the tensors is.
    tensors: the volume itself.
    """

    series: Volume
    unit: float
    tensors: Volume

    def undone(self, fine: Volume, grids: Grids) -> Volume:
        """The tensors of logarithms on the wanted grid, or of its one slice; 0 where the nearest voxel had none.

        Where interpolation undershoots, eigenvalues stay at the floor. The voxel type is that of the tensors.
        """
        there: np.ndarray = present(self.tensors)
        for axis, index in enumerate(grids.nearest()):
            there = there.take(index, 2 - axis)
        result = np.zeros(fine.voxels.shape, self.tensors.voxels.dtype)
        for k in range(len(there)):
            here = there[k]
            wanted = fine.voxels[:, k][:, here]
            result[:, k][:, here] = self.unit * of_eigenvalues(wanted, lambda values: np.maximum(np.exp(values), FLOOR))
        return replace(fine, voxels=result, quantity=TENSOR)


def logarithms(volume: Volume) -> Logarithms:
    """The logarithms of a tensor volume. Raises InputError where none has a positive diffusivity, or one is huge."""
    unit = typical(volume)
    largest = max(float(volume.voxels.max()), -float(volume.voxels.min()))
    if largest / unit > LARGEST:
        raise InputError(
            f"The tensor volume is damaged: its largest component, {largest:.3g}, is more than {LARGEST:g} times the "
            f"typical diffusivity, {unit:.3g}; export it again, or fit the tensors again."
        )
    result = np.empty(volume.voxels.shape, np.float32)
    for k in range(volume.voxels.shape[1]):  # in pieces: the double precision of the eigenvectors is large
        result[:, k] = logarithm(volume.voxels[:, k] / unit)
    series = replace(volume, voxels=_continued(result, present(volume)), quantity=SIGNAL)
    return Logarithms(series, unit, volume)


def logarithm(tensors: np.ndarray) -> np.ndarray:
    """log T of tensors (6, ...) in units of the typical diffusivity; eigenvalues below the floor are raised to it."""
    return of_eigenvalues(tensors, lambda values: np.log(np.maximum(values, FLOOR)))


def exponential(logs: np.ndarray) -> np.ndarray:
    """exp of logarithms (6, ...): the tensors."""
    return of_eigenvalues(logs, np.exp)


def of_eigenvalues(tensors: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Tensors with the same axes and a function of their eigenvalues: (6, ...) -> (6, ...) in double precision."""
    values, axes = np.linalg.eigh(matrices(tensors.astype(np.float64)))
    return components((axes * function(values)[..., None, :]) @ np.swapaxes(axes, -1, -2))


def present(volume: Volume) -> np.ndarray:
    """Where there is a tensor: not all six components are exactly 0. (z, y, x) bool."""
    return np.asarray(np.any(volume.voxels, axis=0))


def typical(volume: Volume) -> float:
    """The median of the positive mean diffusivities, in the unit of the tensors. Raises InputError without any."""
    tensors = volume.voxels
    diffusivity = (tensors[0] + tensors[3] + tensors[5]) / 3
    positive = diffusivity[diffusivity > 0]
    if not positive.size:
        raise InputError("The tensor volume has no tensor of positive diffusivity; choose another, or fit it again.")
    return float(np.median(positive))


def indefinite(volume: Volume) -> int:
    """How many tensors have an eigenvalue that is not above 0: noise that a fit without constraints leaves."""
    count = 0
    for k, here in enumerate(present(volume)):
        count += int((np.linalg.eigvalsh(matrices(volume.voxels[:, k][:, here])).min(axis=-1) <= 0).sum())
    return count


def _continued(voxels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Voxels (6, z, y, x) with those outside a mask replaced by the nearest inside: a step there would ring."""
    import SimpleITK as sitk

    if inside.all():
        return voxels
    numbers = np.arange(1, inside.size + 1, dtype=np.uint32).reshape(inside.shape)
    nearest = sitk.DanielssonDistanceMapImageFilter()
    nearest.SetInputIsBinary(False)
    nearest.Execute(sitk.GetImageFromArray(np.where(inside, numbers, 0).astype(np.uint32)))
    index = sitk.GetArrayFromImage(nearest.GetVoronoiMap()).ravel() - 1
    return np.stack([part.ravel()[index].reshape(part.shape) for part in voxels])
