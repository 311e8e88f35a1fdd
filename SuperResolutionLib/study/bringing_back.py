"""How a sharper volume is brought back to its scan's grid, to be compared with it: in plane, or as thick slices."""

from dataclasses import dataclass, replace

import numpy as np

from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.geometry.sampling import Grids, Sampling
from SuperResolutionLib.methods.catalogue import classical
from SuperResolutionLib.methods.deconvolution import NAME as DECONVOLUTION
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.methods.thickness import believed
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.slice_profile import PROFILES, Slices
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.metrics import score
from SuperResolutionLib.quality.recoarsening import agreement, as_slices
from SuperResolutionLib.study.figure import across
from SuperResolutionLib.volume import Volume

TRUNCATED = "k_space"  # all of the scan's band, nothing above it
MODELS_OF_SCANNERS = ("k_space", "k_space_hamming", "area", "bicubic", "bicubic_blur3")


@dataclass(frozen=True, eq=False)
class InPlane:
    """The plane made coarser again: by truncated k-space, and by each of several forward models.

    low: the scan. sampling: the grid of the sharper volumes. classical: the method to compare with. words: what comes
    after "brought back to". note: what is taken for granted of the scan. spares_noise: whether patches that lack the
    scan's noise still agree with it.
    """

    low: Volume
    sampling: Sampling
    classical: str = "bicubic"
    words: str = "the scan's grid by truncated k-space"
    note: str = ""
    spares_noise: bool = False

    @property
    def axis(self) -> int:
        """That slices are stacked along: of x, y, z = 0, 1, 2."""
        return stacking_axis(self.low, self.sampling.plane)

    @property
    def shown(self) -> int:
        """The same of the slices that pictures show: the acquired ones."""
        return self.axis

    def again(self, restored: Volume) -> Volume:
        """All of the scan's band, nothing above it."""
        return degrade(restored.cast(np.float32), TRUNCATED, sampling=self.sampling)

    def consistency(self, restored: Volume) -> dict[str, float]:
        """By forward model."""
        return {name: agreement(self.low, restored, name) for name in MODELS_OF_SCANNERS}


@dataclass(frozen=True, eq=False)
class AsSlices:
    """Thin slices made as thick again as the scan's are taken to be, by each slice profile; the usual one is Gaussian.

    low: the scan. sampling: the grid of the thin slices. classical: the method to compare with. spares_noise: whether
    patches that lack the scan's noise still agree with it; averaged over their slices, thin ones have little noise.
    Raises InputError where the grid cannot be had, or slices cannot be so thick.
    """

    low: Volume
    sampling: Sampling
    classical: str = DECONVOLUTION
    spares_noise: bool = True

    def __post_init__(self) -> None:
        believed(self.low, self._grids)

    @property
    def _grids(self) -> Grids:
        return self.sampling.finer(self.low)

    @property
    def slices(self) -> Slices:
        """The scan's slices."""
        return believed(self.low, self._grids)[0]

    @property
    def axis(self) -> int:
        """That slices are stacked along: of x, y, z = 0, 1, 2."""
        return self._grids.axis

    @property
    def shown(self) -> int:
        """The same of the slices that pictures show, which cut across the thick ones."""
        return across(self.low, self.axis)

    @property
    def words(self) -> str:
        """How thick the slices are."""
        return f"slices {self.slices.thickness:.3g} mm thick and {self.slices.spacing:.3g} mm apart"

    @property
    def note(self) -> str:
        """Where their thickness comes from."""
        return believed(self.low, self._grids)[1]

    def again(self, restored: Volume) -> Volume:
        """The thick slices that a Gaussian profile of their thickness makes."""
        return as_slices(restored, self.low, self._grids, self.slices)

    def consistency(self, restored: Volume) -> dict[str, float]:
        """By slice profile."""
        found = {}
        for name in PROFILES:
            again = as_slices(restored, self.low, self._grids, replace(self.slices, profile=name))
            found[f"{name} slices"] = score(self.low, again, self.axis, with_ssim=False).psnr
        return found


Back = InPlane | AsSlices


def smooth(back: Back) -> Volume:
    """What the classical method makes of the scan."""
    return finish(classical(back.classical).restore(back.low, back.sampling, Runtime())).volume
