"""Deconvolution of thick slices: the classical method for making them thin, the inverse of their profile."""

import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.diffusion import log_euclidean
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.intensity import background_level, relative_noise
from SuperResolutionLib.methods.classical import resample
from SuperResolutionLib.methods.method import Record, Restoration, Runtime
from SuperResolutionLib.methods.thickness import believed
from SuperResolutionLib.physics.slice_profile import SMOOTHNESS, Slices, deconvolution
from SuperResolutionLib.progress import Progress
from SuperResolutionLib.volume import TENSOR, Volume

NAME = "deconvolution"
NOISY = 39.0  # how fast the weight grows with the noise: 3e-3 without any, 3e-2 at an SNR of 40, 1e-1 at 20
BESIDE = "bspline"  # what refines the plane, where that is asked for as well


@dataclass(frozen=True)
class Deconvolution:
    """min |A x - y|^2 + w |D2 x|^2 along the slice axis (Tikhonov 1963), A the profile, a Gaussian of the thickness.

    w grows with the noise of the scan.
    """

    name = NAME
    classical = True

    def steps(self, _volume: Volume, _sampling: Sampling) -> int:
        """How many steps of progress a restoration has."""
        return 1

    def restore(self, volume: Volume, sampling: Sampling, _runtime: Runtime) -> Generator[Progress, None, Restoration]:
        """The volume on the wanted grid, in its own voxel type; tensors through their logarithms.

        Raises InputError for a grid that leaves the slices as they are, and for a thickness that cannot be.
        """
        began = time.monotonic()
        grids = sampling.finer(volume)
        if grids.factors[grids.axis] <= 1:
            raise InputError(
                "Deconvolution makes thin slices of thick ones, and the grid that is asked for leaves them as they "
                "are; ask for a smaller spacing along the slices, or take another method."
            )
        slices, note = believed(volume, grids)
        yield Progress(0, 1, 0.0)
        logs = log_euclidean.logarithms(volume) if volume.quantity == TENSOR else None
        signals = volume if logs is None else logs.series
        result = resample(signals, grids, BESIDE, through=_inverse(signals, grids, slices))
        result = result if logs is None else logs.undone(result, grids)
        seconds = time.monotonic() - began
        yield Progress(1, 1, seconds)
        record = Record(method=NAME, sampling=grids.record(), seconds=seconds, notes=(note,))
        return Restoration(result, None, record)


def _inverse(signals: Volume, grids: Grids, slices: Slices) -> np.ndarray:
    few, many = grids.given.size[grids.axis], grids.wanted.size[grids.axis]
    stack = stacks(signals, grids.axis)[0]
    weight = SMOOTHNESS + NOISY * relative_noise(stack - background_level(stack)) ** 2
    inverse = deconvolution(slices, many, grids.wanted.spacing[grids.axis], weight, few)
    return inverse.astype(np.float32)
