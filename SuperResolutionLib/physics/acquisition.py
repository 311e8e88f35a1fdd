"""What a scanner does between its coil and the image that it stores: a part of k-space, its noise, windows, filling.

The measured samples are a rectangle, or an ellipse, in the middle of k-space; of partial Fourier one side is cut short.
They decay, have noise, are weighted by a window, filled up with zeros to the matrix of the image, and transformed back;
the image is the magnitude, or the root of the sum of squares over several coils (Bernstein, King and Zhou 2004).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.physics import windows
from SuperResolutionLib.physics.forward_models import Degradation, Level
from SuperResolutionLib.physics.shrinking import coarse_size, frequencies, k_space_transforms

SHAPES = ("rectangle", "ellipse")
WINDOWS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "none": lambda u, width: windows.none(u),
    "hamming": windows.hamming,
    "tukey": windows.tukey,
    "fermi": windows.fermi,
}


@dataclass(frozen=True)
class Acquisition(Degradation):
    """One scanner's way to a coarse slice.

    rows, columns: the measured share of the coarse matrix along each axis, at most 1; the rest is filled with zeros.
    partial: the share of the lines along the rows' axis that is measured, above 0.5; 1 for all of them.
    shape: of what is measured, "rectangle" or "ellipse". window: "none", "hamming", "tukey" or "fermi", along the
    radius of an ellipse and along each axis of a rectangle; width: what it takes away at the edge (Hamming), the outer
    share that it tapers (Tukey), or over which it falls (Fermi, whose half height is at the edge).
    decay: echo time over T2* from the centre to the edge of the columns' axis. snr: the mean of the head over the
    deviation of each channel's noise before the window; inf for none. coils: whose squares are summed.
    """

    rows: float = 1.0
    columns: float = 1.0
    partial: float = 1.0
    shape: str = "rectangle"
    window: str = "none"
    width: float = 0.3
    decay: float = 0.0
    snr: float = float("inf")
    coils: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.rows <= 1 or not 0 < self.columns <= 1 or not 0.5 < self.partial <= 1:
            raise InputError(
                f"An acquisition measures a share of the matrix; rows = {self.rows:g}, columns = {self.columns:g} and "
                f"partial = {self.partial:g} do not fit: give rows and columns up to 1, partial above 0.5 up to 1."
            )
        if self.shape not in SHAPES or self.window not in WINDOWS:
            raise InputError(
                f"There is no k-space of shape '{self.shape}' with the window '{self.window}'; "
                f"choose from {', '.join(SHAPES)} and from {', '.join(WINDOWS)}."
            )

    def matrix(self, size: int, outputs: int) -> np.ndarray:
        """The product of a matrix for each axis is not what every acquisition is. Raises InputError."""
        raise InputError("An acquisition works on whole slices, and has no matrix for one axis.")

    def slices(
        self,
        fine: np.ndarray,
        scale: float,
        level: Level,
        rng: np.random.Generator,
        patch: tuple[slice, slice] = (slice(None), slice(None)),
    ) -> np.ndarray:
        """Slices as the scanner shows them, `scale` times coarser: (..., h, w) float32.

        fine: (..., H, W). level: what the SNR is measured against. rng: of the noise. patch: coarse rows and columns,
        all by default.
        """
        height, width = (coarse_size(n, scale) for n in fine.shape[-2:])
        return self._image(fine, (height, width), level, rng, patch)

    def stack(
        self, fine: np.ndarray, outputs: tuple[int, int, int], level: Level, rng: np.random.Generator
    ) -> np.ndarray:
        """A stack as the scanner shows it.

        fine: (n, H, W). outputs: voxels along each axis. level, rng: as of `slices`.
        Raises InputError for fewer slices than there are.
        """
        if outputs[0] != len(fine):
            raise InputError("An acquisition coarsens slices in plane; for fewer slices take the degradation 'slices'.")
        whole = (slice(None), slice(None))
        return np.stack([self._image(one, outputs[1:], level, rng, whole) for one in fine])

    def weights(self, rows: int, columns: int) -> np.ndarray:
        """What every measured sample counts, 0 where none is measured: (rows, columns) float32, k = 0 in the middle."""
        u, v = (np.abs(frequencies(n))[:, None] / (n / 2) for n in (rows, columns))
        v, window = v.T, WINDOWS[self.window]
        if self.shape == "ellipse":
            radius = np.hypot(u, v)
            found = window(radius, self.width) * ((radius <= 1) | (self.window == "fermi"))
        else:
            found = window(u, self.width) * window(v, self.width)
        missed = frequencies(rows) < -(2 * self.partial - 1) * rows / 2
        found = np.where(missed[:, None] & (self.partial < 1), 0, found) * np.exp(-self.decay * v)
        return found.astype(np.float32)

    def _image(
        self,
        fine: np.ndarray,
        sizes: tuple[int, int],
        level: Level,
        rng: np.random.Generator,
        patch: tuple[slice, slice],
    ) -> np.ndarray:
        """Coarse slices (..., h, w) float32 of fine ones, rows and columns of `patch` alone."""
        kept = (max(1, round(self.rows * sizes[0])), max(1, round(self.columns * sizes[1])))
        (there, back), (across, along) = (
            _transforms(n, m, k) for n, m, k in zip(fine.shape[-2:], sizes, kept, strict=True)
        )
        weights = self.weights(*kept)
        samples = (there @ fine.astype(np.float32, copy=False)) @ across.T
        back, along = back[patch[0]], along[patch[1]]

        def shown(samples: np.ndarray) -> np.ndarray:
            return back @ (samples * weights) @ along.T

        if not np.isfinite(self.snr):
            return np.abs(shown(samples))
        sigma = np.float32(level.head / self.snr / np.sqrt(np.prod(kept)))
        squares = np.zeros((*fine.shape[:-2], len(back), len(along)), np.float32)
        for _ in range(self.coils):
            real, imaginary = sigma * rng.standard_normal((2, *samples.shape), dtype=np.float32)
            coil = shown(samples / np.float32(np.sqrt(self.coils)) + real + 1j * imaginary)
            squares += np.square(coil.real) + np.square(coil.imag)
        return np.sqrt(squares)


@lru_cache(maxsize=512)
def _transforms(size: int, outputs: int, kept: int) -> tuple[np.ndarray, np.ndarray]:
    """`k_space_transforms`, kept, in single precision, the size divided out: complex64."""
    there, back = k_space_transforms(size, outputs, kept)
    return (there / size).astype(np.complex64), back.astype(np.complex64)
