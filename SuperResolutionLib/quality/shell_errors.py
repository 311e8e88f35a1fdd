"""How far a restored diffusion series of several shells is from the true one, where a tensor does not see it.

Mask, white matter and range are those of `tensor_errors.Reference`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from SuperResolutionLib.diffusion.harmonics import COEFFICIENTS, harmonic_fit
from SuperResolutionLib.diffusion.kurtosis import LARGEST_B, mean_signal_kurtosis
from SuperResolutionLib.diffusion.shells import Shell, distinct, mean_signals, shells
from SuperResolutionLib.diffusion.tensors import LEAST_SIGNAL, NOMINAL
from SuperResolutionLib.quality.tensor_errors import Reference, check_restored
from SuperResolutionLib.volume import UNWEIGHTED, Volume


@dataclass(frozen=True)
class ShellErrors:
    """What is lost over the shells of a restored series, in the truth's mask.

    harmonics: by the b-value of each shell (s/mm2): the root mean square difference between the spherical harmonics
    of order 4 that are fitted to the signals, over directions and voxels, as a share of the mean b0 signal; None of
    fewer than 15 directions. msk, msk_white: mean absolute error of the mean signal kurtosis, in the mask and in white
    matter; None without two shells up to b = 3000. not_falling: share of the voxels in which the mean signal does not
    fall from b0 to the first shell, or from one shell to the next. not_falling_truth: the same of the truth; noise
    makes it more than 0.
    """

    harmonics: dict[str, float | None]
    msk: float | None
    msk_white: float | None
    not_falling: float
    not_falling_truth: float


@dataclass(frozen=True, eq=False)
class ShellReference:
    """The truth over its shells. groups: the b0 images and each shell. means: (voxels of the mask, groups)."""

    given: Reference
    shells: list[Shell]
    groups: list[np.ndarray]
    means: np.ndarray

    @property
    def s0(self) -> float:
        """The mean b0 signal in the mask."""
        return float(self.means[:, 0].mean())

    @cached_property
    def kurtosis(self) -> np.ndarray | None:
        """The truth's mean signal kurtosis in the voxels of the mask."""
        return self.kurtosis_of(self.means)

    def kurtosis_of(self, means: np.ndarray) -> np.ndarray | None:
        """Mean signal kurtosis of means like the truth's; None without two shells of moderate b-values."""
        assert self.given.truth.gradients is not None
        low = [k for k, shell in enumerate(self.shells) if shell.b <= NOMINAL * LARGEST_B]
        if len(low) < 2:
            return None
        groups = [0, *(k + 1 for k in low)]
        b0 = self.given.truth.gradients.bvals[self.groups[0]].mean()
        bvals = np.array([b0, *(self.shells[k].b for k in low)])
        counts = np.array([len(self.groups[k]) for k in groups])
        return mean_signal_kurtosis(means[:, groups], bvals, counts, LEAST_SIGNAL * self.given.r)

    def directions(self, shell: Shell) -> np.ndarray:
        """Of the shell's volumes: (n, 3)."""
        assert self.given.truth.gradients is not None
        return self.given.truth.gradients.bvecs[shell.volumes]


def shell_reference(given: Reference) -> tuple[ShellReference | None, str]:
    """What the shells of a series are measured against, and a sentence on it; None of a series without two shells."""
    gradients = given.truth.gradients
    assert gradients is not None
    found = shells(gradients)
    if not found:
        return None, "The b-values of the series lie on no shells, so errors over shells are not measured."
    if len(found) == 1:
        return None, ""
    groups = [np.flatnonzero(gradients.bvals <= UNWEIGHTED), *(shell.volumes for shell in found)]
    over = ShellReference(given, found, groups, mean_signals(given.truth, groups, given.tensors.mask))
    return over, _note(over)


def shell_errors(over: ShellReference, restored: Volume) -> ShellErrors:
    """The errors of a restored series on the truth's grid; its gradients are the truth's.

    Raises InputError where it has another size, or voxels that are not finite.
    """
    check_restored(over.given, restored)
    means = mean_signals(restored, over.groups, over.given.tensors.mask)
    found, true = over.kurtosis_of(means), over.kurtosis
    errors = None if found is None or true is None else np.abs(found - true)
    white = over.given.white[over.given.tensors.mask]
    return ShellErrors(
        harmonics={shell.label: _harmonic_error(over, restored, shell) for shell in over.shells},
        msk=None if errors is None else float(errors.mean()),
        msk_white=None if errors is None or not white.any() else float(errors[white].mean()),
        not_falling=_not_falling(means),
        not_falling_truth=_not_falling(over.means),
    )


def _harmonic_error(over: ShellReference, restored: Volume, shell: Shell) -> float | None:
    directions = over.directions(shell)
    if distinct(directions) < COEFFICIENTS:
        return None
    truth, mask = over.given.truth, over.given.tensors.mask
    products = np.zeros((len(directions),) * 2)  # of the differences in each two directions, summed over voxels
    for k, inside in enumerate(mask):
        pair = (volume.voxels[shell.volumes, k][:, inside].astype(np.float64) for volume in (restored, truth))
        difference = np.subtract(*pair)
        products += difference @ difference.T
    fit = harmonic_fit(directions)
    squares = np.trace(fit @ products @ fit.T) / (len(directions) * mask.sum())
    return float(np.sqrt(max(squares, 0.0))) / over.s0


def _not_falling(means: np.ndarray) -> float:
    return float((np.diff(means, axis=1) >= 0).any(axis=1).mean())


def _note(over: ShellReference) -> str:
    """Where the shells lie, and what could not be measured of them, or only in part."""
    said = [f"Shells lie at b = {', '.join(shell.label for shell in over.shells)} s/mm2"]
    if few := [shell.label for shell in over.shells if distinct(over.directions(shell)) < COEFFICIENTS]:
        said.append(f"harmonics take {COEFFICIENTS} directions, and there are fewer at b = {', '.join(few)}")
    if over.kurtosis is None:
        said.append(f"kurtosis takes two shells up to b = {LARGEST_B:.0f} s/mm2")
    return "; ".join(said) + "."
