"""Forward models: how a coarse scan comes from a fine one.

Each model is one small class: a matrix per axis for the linear part (blur, truncation, shrinking) and, where
the physics has it, noise before or after. Every model keeps the field of view: coarsened by s, voxel (0, 0) of a
slice is centred (s - 1) / 2 fine voxels from voxel (0, 0) of the fine one.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.intensity import data_range, head
from SuperResolutionLib.physics import kernels, windows
from SuperResolutionLib.physics.kernels import kernel_matrix, sample_positions
from SuperResolutionLib.physics.shrinking import (
    area_matrix,
    bicubic_matrix,
    coarse_size,
    convolution,
    gaussian_matrix,
    k_space_matrix,
)


@dataclass(frozen=True)
class Level:
    """What noise is measured against: `range` is R of the volume, `head` the mean of its head."""

    range: float
    head: float

    @classmethod
    def of(cls, voxels: np.ndarray) -> "Level":
        """The levels of a 3-D volume."""
        inside = voxels[head(voxels)]
        return cls(data_range(voxels), float(inside.mean()) if inside.size else 1.0)


@dataclass(frozen=True)
class Degradation:
    """A forward model: noise_before, then a matrix per axis, then the magnitude if complex, then noise_after."""

    keeps_matrix: ClassVar[bool] = False  # whether the coarse slice has as many voxels as the fine one

    def matrix(self, size: int, outputs: int) -> np.ndarray:
        """The linear part along one axis, from `size` fine voxels to `outputs` coarse ones: (outputs, size)."""
        raise NotImplementedError

    def noise_before(self, slices: np.ndarray, level: Level, rng: np.random.Generator) -> np.ndarray:
        """The fine slices with whatever noise the model adds before shrinking."""
        return slices

    def noise_after(self, slices: np.ndarray, level: Level, rng: np.random.Generator) -> np.ndarray:
        """The coarse slices with whatever noise the model adds after shrinking."""
        return slices

    def wish(self, sampling: Sampling) -> Sampling:
        """The grid that is meant: what is asked for, or twice as coarse in plane."""
        return sampling.usually(2)

    def on(self, grids: Grids) -> "Degradation":
        """The model that leads to these grids: itself, unless its numbers are lengths."""
        return self

    def draw(self, rng: np.random.Generator) -> "Degradation":
        """The model that one scan goes through: itself, unless the model is a mixture."""
        return self

    def slices(
        self,
        fine: np.ndarray,
        scale: float,
        level: Level,
        rng: np.random.Generator,
        patch: tuple[slice, slice] = (slice(None), slice(None)),
    ) -> np.ndarray:
        """Degrade whole slices (..., h, w); of the result only the coarse rows and columns of `patch` are made.

        fine: the slices. scale: how many times coarser. level: what noise is measured against. rng: what is drawn from.
        """
        rows, columns = (
            operator(self, n, coarse_size(n, scale))[part] for n, part in zip(fine.shape[-2:], patch, strict=True)
        )
        return self._measured(kernels.apply(rows, columns, self.noise_before(fine, level, rng)), level, rng)

    def stack(
        self, fine: np.ndarray, outputs: tuple[int, int, int], level: Level, rng: np.random.Generator
    ) -> np.ndarray:
        """Degrade a stack (n, h, w) to `outputs` voxels along each axis; an axis that keeps its number stays.

        fine: the stack. level: what noise is measured against. rng: what is drawn from.
        """
        through, rows, columns = (
            None if few == many else operator(self, many, few) for many, few in zip(fine.shape, outputs, strict=True)
        )
        coarse = self.noise_before(fine, level, rng)
        if through is not None:
            coarse = kernels.apply_through(through, coarse)
        return self._measured(kernels.apply(rows, columns, coarse), level, rng)

    def _measured(self, coarse: np.ndarray, level: Level, rng: np.random.Generator) -> np.ndarray:
        """The magnitude, if complex, with the noise of the measurement."""
        return self.noise_after(np.abs(coarse) if np.iscomplexobj(coarse) else coarse, level, rng)


@lru_cache(maxsize=4096)
def operator(model: Degradation, size: int, outputs: int) -> np.ndarray:
    """A model's matrix in single precision, kept: float32 or complex64, (outputs, size)."""
    matrix = model.matrix(size, outputs)
    return matrix.astype(np.complex64 if np.iscomplexobj(matrix) else np.float32)


@dataclass(frozen=True)
class Bicubic(Degradation):
    """Antialiased bicubic shrinking (a = -0.5), the custom of the super-resolution literature; work C."""

    def matrix(self, size: int, outputs: int) -> np.ndarray:
        return bicubic_matrix(size, outputs)


@dataclass(frozen=True)
class Area(Degradation):
    """The mean over each coarse voxel: a scanner whose voxel is a perfect box; work C."""

    def matrix(self, size: int, outputs: int) -> np.ndarray:
        return area_matrix(size, outputs)


@dataclass(frozen=True)
class KSpace(Degradation):
    """Truncation: only the central 1/s of each k-space axis is acquired; magnitude image. Work D on its own grid."""

    def matrix(self, size: int, outputs: int) -> np.ndarray:
        return k_space_matrix(size, outputs, outputs, self.window)

    def window(self, u: np.ndarray) -> np.ndarray:
        """Weight of a k-space sample; u = 0 at the centre, 1 at the edge of what is kept."""
        return windows.none(u)


@dataclass(frozen=True)
class KSpaceHamming(KSpace):
    """Truncation and a Hamming window (0.54 + 0.46 cos), as scanners apply it against Gibbs ringing."""

    def window(self, u: np.ndarray) -> np.ndarray:
        return windows.hamming(u)


@dataclass(frozen=True)
class KSpaceTukey(KSpace):
    """Truncation and a Tukey window: flat but for a cosine taper over the outer fraction `alpha`."""

    alpha: float = 0.3

    def window(self, u: np.ndarray) -> np.ndarray:
        return windows.tukey(u, self.alpha)


@dataclass(frozen=True)
class KSpaceZeroFilled(KSpace):
    """Work D's form of truncation: the outer samples are set to zero and the matrix size stays."""

    keeps_matrix: ClassVar[bool] = True

    def matrix(self, size: int, outputs: int) -> np.ndarray:
        return k_space_matrix(size, size, outputs, self.window)


@dataclass(frozen=True)
class BicubicBlur3(Degradation):
    """Antialiased bicubic shrinking, then a 3x3 Gaussian of `sigma` coarse voxels; work E."""

    sigma: float = 1.0

    def matrix(self, size: int, outputs: int) -> np.ndarray:
        kernel = np.exp(-0.5 * (np.arange(-1, 2) / self.sigma) ** 2)
        return convolution(outputs, kernel) @ bicubic_matrix(size, outputs)


@dataclass(frozen=True)
class GaussBicubic(Degradation):
    """A centred Gaussian of `sigma` fine voxels, then antialiased bicubic shrinking; work B.

    0.5 is the variance of work B's two-tap kernel, which itself would shift the image by half a voxel.
    """

    sigma: float = 0.5

    def matrix(self, size: int, outputs: int) -> np.ndarray:
        return bicubic_matrix(size, outputs) @ gaussian_matrix(size, self.sigma)


@dataclass(frozen=True)
class NoiseDown(Degradation):
    """Gaussian noise of `level` x R added to the fine image, then antialiased bicubic shrinking; work A."""

    level: float = 0.02

    def matrix(self, size: int, outputs: int) -> np.ndarray:
        return bicubic_matrix(size, outputs)

    def noise_before(self, slices: np.ndarray, level: Level, rng: np.random.Generator) -> np.ndarray:
        noise = rng.standard_normal(slices.shape, dtype=np.float32)
        return slices + np.float32(self.level * level.range) * noise


def rician_noise(slices: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """The magnitude of slices with complex Gaussian noise of deviation sigma in each channel (Gudbjartsson 1995)."""
    real, imaginary = np.float32(sigma) * rng.standard_normal((2, *slices.shape), dtype=np.float32)
    return np.hypot(slices + real, imaginary)


@dataclass(frozen=True)
class Rician(Degradation):
    """Another model (k-space truncation), then complex Gaussian noise and the magnitude (Gudbjartsson 1995).

    snr: mean of the head over the noise's standard deviation in each channel.
    """

    snr: float = 20.0
    base: Degradation = KSpace()

    def matrix(self, size: int, outputs: int) -> np.ndarray:
        return self.base.matrix(size, outputs)

    def noise_after(self, slices: np.ndarray, level: Level, rng: np.random.Generator) -> np.ndarray:
        return rician_noise(slices, level.head / self.snr, rng)


@dataclass(frozen=True)
class Thick(Degradation):
    """A Gaussian point spread of `fwhm` coarse voxels sampled at the coarse centres: a soft slice profile."""

    fwhm: float = 1.0

    def matrix(self, size: int, outputs: int) -> np.ndarray:
        scale = size / outputs
        position = sample_positions(outputs, scale)
        sigma = self.fwhm * scale / 2.3548
        reach = int(np.ceil(3 * sigma)) + 1
        taps = np.floor(position).astype(int)[:, None] + np.arange(1 - reach, 1 + reach)
        weights = np.exp(-0.5 * ((position[:, None] - taps) / sigma) ** 2)
        return kernel_matrix(weights, taps, size, "drop")
