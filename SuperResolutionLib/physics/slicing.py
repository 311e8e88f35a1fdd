"""Thick slices as a forward model: a stack of them from a volume of finer ones."""

from dataclasses import dataclass, replace

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.physics import kernels
from SuperResolutionLib.physics.forward_models import Degradation, KSpace, Level, operator, rician_noise
from SuperResolutionLib.physics.slice_profile import Slices

MOST_OVERLAP = 2.0  # times the spacing: no scanner excites slices thicker than that


@dataclass(frozen=True)
class Slicing(Degradation):
    """Thick slices along the slice axis; where the plane is made coarser as well, that by truncated k-space.

    spacing: mm between the centres of slices. thickness: mm, full width of the profile at half of its height; 0 for as
    thick as they are apart. profile: "gaussian", "box" or "sinc" (`Slices`). snr: of the Rician noise that comes after
    slicing, mean of the head over the deviation in each channel; 0 for none.
    """

    spacing: float = 4.0
    thickness: float = 0.0
    profile: str = "gaussian"
    snr: float = 0.0

    def __post_init__(self) -> None:
        Slices(self.spacing, self.thickness or self.spacing, self.profile)

    def wish(self, sampling: Sampling) -> Sampling:
        """The grid that is meant: what is asked for, or this model's slice spacing."""
        return sampling if sampling.asked else replace(sampling, slice_spacing=self.spacing)

    def on(self, grids: Grids) -> "Slicing":
        """The same model with the grid's spacing. Raises InputError for a grid or a thickness that cannot be."""
        spacing = grids.wanted.spacing[grids.axis]
        if grids.factors[grids.axis] == 1:
            raise InputError("The grid that is asked for leaves the slices as they are; ask for a larger spacing.")
        thickness = self.thickness or spacing
        check_thickness(thickness, spacing)
        return replace(self, spacing=spacing, thickness=thickness)

    def stack(
        self, fine: np.ndarray, outputs: tuple[int, int, int], level: Level, rng: np.random.Generator
    ) -> np.ndarray:
        """Thick slices of a fine stack.

        fine: (n, h, w). outputs: voxels along each axis. level: what noise is measured against. rng: what is drawn
        from.
        """
        voxel = self.spacing * outputs[0] / len(fine)
        through = Slices(self.spacing, self.thickness, self.profile).matrix(len(fine), voxel, outputs[0])
        rows, columns = (
            None if few == many else operator(KSpace(), many, few)
            for many, few in zip(fine.shape[1:], outputs[1:], strict=True)
        )
        thick = kernels.apply_through(through.astype(np.float32), fine)
        return self._measured(kernels.apply(rows, columns, thick), level, rng)

    def noise_after(self, slices: np.ndarray, level: Level, rng: np.random.Generator) -> np.ndarray:
        return rician_noise(slices, level.head / self.snr, rng) if self.snr else slices


def check_thickness(thickness: float, spacing: float) -> None:
    """Raise InputError for slices that overlap more than scanners make them do."""
    if not 0 < thickness <= MOST_OVERLAP * spacing * (1 + 1e-6):
        raise InputError(
            f"Slices {thickness:.4g} mm thick that are {spacing:.4g} mm apart cannot be; give a thickness above 0 mm, "
            "up to twice the spacing."
        )
