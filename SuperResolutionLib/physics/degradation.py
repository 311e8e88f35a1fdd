"""Forward models: how a coarse scan comes from a fine one, in plane, slice by slice.

Each model is one small class: a matrix per axis for the linear part (blur, truncation, shrinking) and, where
the physics has it, noise before or after. Every model keeps the field of view: voxel (0, 0) of the coarse
slice is centred (s - 1) / 2 fine voxels from voxel (0, 0) of the fine one.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry.grid import crop_to_multiple, map_slices, stacking_axis
from SuperResolutionLib.intensity import data_range, head
from SuperResolutionLib.physics import kernels
from SuperResolutionLib.physics.kernels import cubic, kernel_matrix, sample_positions
from SuperResolutionLib.volume import Volume, signal_only

# ---------------------------------------------------------------- the linear parts, one matrix an axis


def bicubic_matrix(size: int, scale: int) -> np.ndarray:
    """Antialiased bicubic shrinking, a = -0.5: the kernel widened by `scale` (as PIL and MATLAB do)."""
    position = sample_positions(size // scale, scale)
    taps = np.floor(position).astype(int)[:, None] + np.arange(1 - 2 * scale, 1 + 2 * scale)
    return kernel_matrix(cubic((position[:, None] - taps) / scale, -0.5), taps, size, "drop")


def area_matrix(size: int, scale: int) -> np.ndarray:
    """The mean of each block of `scale` voxels."""
    return np.repeat(np.eye(size // scale), scale, axis=1) / scale


def gaussian_matrix(size: int, sigma: float) -> np.ndarray:
    """Convolution with a centred Gaussian, edge voxels repeated. sigma in voxels; cut at 4 sigma."""
    radius = max(1, int(4 * sigma + 0.5))
    return _convolution(size, np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2))


def _convolution(size: int, kernel: np.ndarray) -> np.ndarray:
    radius = len(kernel) // 2
    taps = np.arange(size)[:, None] + np.arange(-radius, radius + 1)
    return kernel_matrix(np.broadcast_to(kernel / kernel.sum(), taps.shape), taps, size, "nearest")


def k_space_matrix(size: int, outputs: int, kept: int, window: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Keep the central `kept` samples of k-space, weight them, and transform back onto `outputs` voxels.

    window: weight as a function of |k| / (kept / 2), from 0 at the centre to 1 at the edge. The inverse
    transform is taken at the centres of the output voxels (the half-voxel phase ramp). Complex: the unpaired
    Nyquist sample of an even truncation leaves a phase, which the magnitude removes as on a scanner.
    """
    k = np.arange(-(kept // 2), kept - kept // 2)
    weights = window(np.abs(k) / (kept / 2))
    centres = sample_positions(outputs, size / outputs)
    forward = np.exp(-2j * np.pi * np.outer(k, np.arange(size)) / size)
    back = np.exp(2j * np.pi * np.outer(centres, k) / size)
    return (back * weights) @ forward / size


def _no_window(u: np.ndarray) -> np.ndarray:
    return np.ones_like(u)


# ---------------------------------------------------------------- the models


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

    def outputs(self, size: int, scale: int) -> int:
        """Voxels of the coarse slice along an axis of `size`."""
        return size // scale

    def matrix(self, size: int, scale: int) -> np.ndarray:
        """The linear part along one axis: (outputs, size)."""
        raise NotImplementedError

    def noise_before(self, slices: np.ndarray, level: Level, rng: np.random.Generator) -> np.ndarray:
        """The fine slices with whatever noise the model adds before shrinking."""
        return slices

    def noise_after(self, slices: np.ndarray, level: Level, rng: np.random.Generator) -> np.ndarray:
        """The coarse slices with whatever noise the model adds after shrinking."""
        return slices

    def draw(self, rng: np.random.Generator) -> "Degradation":
        """The model that one scan goes through: itself, unless the model is a mixture."""
        return self

    def slices(
        self,
        fine: np.ndarray,
        scale: int,
        level: Level,
        rng: np.random.Generator,
        patch: tuple[slice, slice] = (slice(None), slice(None)),
    ) -> np.ndarray:
        """Degrade whole slices (..., h, w); of the result only the coarse rows and columns of `patch` are made."""
        rows, columns = (operator(self, n, scale)[part] for n, part in zip(fine.shape[-2:], patch, strict=True))
        coarse = kernels.apply(rows, columns, self.noise_before(fine, level, rng))
        if np.iscomplexobj(coarse):
            coarse = np.abs(coarse)
        return self.noise_after(coarse, level, rng)


@lru_cache(maxsize=4096)
def operator(model: Degradation, size: int, scale: int) -> np.ndarray:
    """A model's matrix in single precision, kept: float32 or complex64."""
    matrix = model.matrix(size, scale)
    return matrix.astype(np.complex64 if np.iscomplexobj(matrix) else np.float32)


@dataclass(frozen=True)
class Bicubic(Degradation):
    """Antialiased bicubic shrinking (a = -0.5), the custom of the super-resolution literature; work C."""

    def matrix(self, size: int, scale: int) -> np.ndarray:
        return bicubic_matrix(size, scale)


@dataclass(frozen=True)
class Area(Degradation):
    """The mean over each coarse voxel: a scanner whose voxel is a perfect box; work C."""

    def matrix(self, size: int, scale: int) -> np.ndarray:
        return area_matrix(size, scale)


@dataclass(frozen=True)
class KSpace(Degradation):
    """Truncation: only the central 1/s of each k-space axis is acquired; magnitude image. Work D on its own grid."""

    def matrix(self, size: int, scale: int) -> np.ndarray:
        return k_space_matrix(size, size // scale, size // scale, self.window)

    def window(self, u: np.ndarray) -> np.ndarray:
        """Weight of a k-space sample; u = 0 at the centre, 1 at the edge of what is kept."""
        return _no_window(u)


@dataclass(frozen=True)
class KSpaceHamming(KSpace):
    """Truncation and a Hamming window (0.54 + 0.46 cos), as scanners apply it against Gibbs ringing."""

    def window(self, u: np.ndarray) -> np.ndarray:
        return 0.54 + 0.46 * np.cos(np.pi * u)


@dataclass(frozen=True)
class KSpaceTukey(KSpace):
    """Truncation and a Tukey window: flat but for a cosine taper over the outer fraction `alpha`."""

    alpha: float = 0.3

    def window(self, u: np.ndarray) -> np.ndarray:
        taper = np.clip((u - (1 - self.alpha)) / self.alpha, 0, 1)
        return 0.5 * (1 + np.cos(np.pi * taper))


@dataclass(frozen=True)
class KSpaceZeroFilled(KSpace):
    """Work D's form of truncation: the outer samples are set to zero and the matrix size stays."""

    def outputs(self, size: int, scale: int) -> int:
        return size

    def matrix(self, size: int, scale: int) -> np.ndarray:
        return k_space_matrix(size, size, size // scale, self.window)


@dataclass(frozen=True)
class BicubicBlur3(Degradation):
    """Antialiased bicubic shrinking, then a 3x3 Gaussian of `sigma` coarse voxels; work E."""

    sigma: float = 1.0

    def matrix(self, size: int, scale: int) -> np.ndarray:
        kernel = np.exp(-0.5 * (np.arange(-1, 2) / self.sigma) ** 2)
        return _convolution(size // scale, kernel) @ bicubic_matrix(size, scale)


@dataclass(frozen=True)
class GaussBicubic(Degradation):
    """A centred Gaussian of `sigma` fine voxels, then antialiased bicubic shrinking; work B.

    0.5 is the variance of work B's two-tap kernel, which itself would shift the image by half a voxel.
    """

    sigma: float = 0.5

    def matrix(self, size: int, scale: int) -> np.ndarray:
        return bicubic_matrix(size, scale) @ gaussian_matrix(size, self.sigma)


@dataclass(frozen=True)
class NoiseDown(Degradation):
    """Gaussian noise of `level` x R added to the fine image, then antialiased bicubic shrinking; work A."""

    level: float = 0.02

    def matrix(self, size: int, scale: int) -> np.ndarray:
        return bicubic_matrix(size, scale)

    def noise_before(self, slices: np.ndarray, level: Level, rng: np.random.Generator) -> np.ndarray:
        noise = rng.standard_normal(slices.shape, dtype=np.float32)
        return slices + np.float32(self.level * level.range) * noise


@dataclass(frozen=True)
class Rician(Degradation):
    """Another model (k-space truncation), then complex Gaussian noise and the magnitude (Gudbjartsson 1995).

    snr: mean of the head over the noise's standard deviation in each channel.
    """

    snr: float = 20.0
    base: Degradation = KSpace()

    def matrix(self, size: int, scale: int) -> np.ndarray:
        return self.base.matrix(size, scale)

    def noise_after(self, slices: np.ndarray, level: Level, rng: np.random.Generator) -> np.ndarray:
        sigma = np.float32(level.head / self.snr)
        real, imaginary = sigma * rng.standard_normal((2, *slices.shape), dtype=np.float32)
        return np.hypot(slices + real, imaginary)


@dataclass(frozen=True)
class Thick(Degradation):
    """A Gaussian point spread of `fwhm` coarse voxels sampled at the coarse centres: a soft slice profile."""

    fwhm: float = 1.0

    def matrix(self, size: int, scale: int) -> np.ndarray:
        position = sample_positions(size // scale, scale)
        sigma = self.fwhm * scale / 2.3548
        reach = int(np.ceil(3 * sigma)) + 1
        taps = np.floor(position).astype(int)[:, None] + np.arange(1 - reach, 1 + reach)
        weights = np.exp(-0.5 * ((position[:, None] - taps) / sigma) ** 2)
        return kernel_matrix(weights, taps, size, "drop")


@dataclass(frozen=True)
class Mixture(Degradation):
    """One model drawn per scan, as nobody knows what a given scan went through: for training, never to be scored."""

    def matrix(self, size: int, scale: int) -> np.ndarray:
        raise InputError("A mixture of degradations has no matrix of its own; draw a model from it.")


@dataclass(frozen=True)
class Clinical(Mixture):
    """The mixture for structural scans.

    Eight in ten draws are the models that papers and scanners use, unchanged, the harder ones more often; the others
    vary the filter, the blur and the noise around them. With more of those a network is less sure of what it sees:
    at six in ten it restored truncated k-space less well. Parameters come in steps, so that their matrices can be kept.
    """

    def draw(self, rng: np.random.Generator) -> Degradation:
        chance = rng.random()
        if chance < 0.80:
            return (Bicubic(), Area(), KSpace(), BicubicBlur3())[rng.choice(4, p=(0.32, 0.26, 0.30, 0.12))]
        if chance < 0.86:
            return (KSpaceHamming(), KSpaceTukey(), KSpaceTukey(_step(rng, 0.1, 1.0)))[rng.integers(3)]
        if chance < 0.90:
            blurs = (
                GaussBicubic(_step(rng, 0.3, 1.2)),
                BicubicBlur3(_step(rng, 0.4, 1.2)),
                Thick(_step(rng, 0.6, 1.2)),
            )
            return blurs[rng.integers(3)]
        if chance < 0.94:
            return NoiseDown(_step(rng, 0.01, 0.06, 0.01))
        noisy = (Bicubic(), Area(), BicubicBlur3(), KSpace(), KSpace(), KSpace(), KSpaceHamming(), KSpaceTukey())
        return Rician(snr=float(np.exp(rng.uniform(np.log(12), np.log(60)))), base=noisy[rng.integers(len(noisy))])


@dataclass(frozen=True)
class Diffusion(Mixture):
    """The mixture for diffusion series: echo-planar k-space, truncated or windowed, and resizing.

    Half of the draws without noise are plain truncation, as echo-planar images are acquired. noise: the share of draws
    with noise, added before shrinking (work A) or Rician; small by default, for diffusion scans have their own, and a
    network that is shown much more learns to smooth them.
    """

    noise: float = 0.12

    def draw(self, rng: np.random.Generator) -> Degradation:
        if rng.random() < self.noise:
            if rng.random() < 0.6:
                return NoiseDown(_step(rng, 0.01, 0.03, 0.01))
            base = (KSpace(), KSpace(), KSpaceTukey(), Bicubic())[rng.integers(4)]
            return Rician(snr=float(np.exp(rng.uniform(np.log(12), np.log(60)))), base=base)
        chance = rng.random()
        if chance < 0.50:
            return KSpace()
        if chance < 0.80:
            return Bicubic()
        if chance < 0.89:
            return Area()
        return (KSpaceHamming(), KSpaceTukey(), KSpaceTukey(_step(rng, 0.1, 1.0)))[rng.integers(3)]


def _step(rng: np.random.Generator, low: float, high: float, step: float = 0.1) -> float:
    return round(low + step * int(rng.integers(round((high - low) / step) + 1)), 4)


# ---------------------------------------------------------------- by name, on volumes

MODELS: dict[str, Degradation] = {
    "bicubic": Bicubic(),
    "area": Area(),
    "k_space": KSpace(),
    "k_space_hamming": KSpaceHamming(),
    "k_space_tukey": KSpaceTukey(),
    "k_space_zero_filled": KSpaceZeroFilled(),
    "bicubic_blur3": BicubicBlur3(),
    "gauss_bicubic": GaussBicubic(),
    "noise_down": NoiseDown(),
    "rician": Rician(),
    "thick": Thick(),
    "clinical": Clinical(),
    "diffusion": Diffusion(),
}


def by_name(text: str) -> Degradation:
    """The model called `text`, its numbers overridden by what follows a colon: "rician:snr=15".

    Raises InputError for an unknown model or parameter, or a value that is not a positive number.
    """
    name, _, overrides = text.partition(":")
    if name not in MODELS:
        raise unknown("degradation", name, MODELS)
    model = MODELS[name]
    known = [f.name for f in fields(model) if isinstance(getattr(model, f.name), float)]
    values: dict[str, float] = {}
    for item in filter(None, overrides.split(",")):
        key, _, value = item.partition("=")
        if key not in known:
            raise unknown(f"parameter of degradation '{name}'", key, known or ["(none)"])
        values[key] = _positive(value, item)
    return replace(model, **values)


def _positive(value: str, item: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 < number < float("inf"):
        raise InputError(f"'{item}' is not a setting like snr=15; give a number above 0 after the equals sign.")
    return number


def degrade(
    volume: Volume, degradation: str | Degradation, scale: int = 2, plane: str = "native", seed: int = 0
) -> Volume:
    """The volume as a coarser scan of the same head would show it, shrunk in plane by `scale`.

    A size that `scale` does not divide is cropped at the far end first. The same seed gives the same voxels.
    In a series, noise is measured against the first volume without diffusion weighting. Keeps the voxel type.
    Raises InputError for tensors: a scanner measures signals.
    """
    signal_only(volume, "degraded")
    rng = np.random.default_rng(seed)
    model = (by_name(degradation) if isinstance(degradation, str) else degradation).draw(rng)
    axis = stacking_axis(volume, plane)
    fine = crop_to_multiple(volume, axis, scale)
    level = Level.of(reference_volume(fine))
    factor = 1.0 if model.outputs(scale, scale) == scale else 1 / scale
    return map_slices(fine, axis, factor, lambda slices: model.slices(slices, scale, level, rng))


def reference_volume(volume: Volume) -> np.ndarray:
    """The 3-D voxels that a series' intensities are measured on: its first b = 0 volume, or its first."""
    return volume.voxels if volume.voxels.ndim == 3 else np.asarray(volume.voxels[reference_index(volume)])


def reference_index(volume: Volume) -> int:
    """Which of a series' volumes its intensities are measured on."""
    return 0 if volume.gradients is None else int(np.argmin(volume.gradients.bvals))
