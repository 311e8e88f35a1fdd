"""All putting back of what was measured: by which policy, with which constants, into which voxels.

A network restores a scan; the scan itself is known. Where the forward model is known too, the result is moved the least
distance to where the model gives the scan back (`projection`), and only what the scan never saw comes from the network.

The policies: "none" leaves the network alone. "recognised" looks for the forward model of each 3-D volume
(`recognition`); where none is found and the scan seems to come from a scanner, it is put back by what it shows of each
frequency, as far as noise allows (`transfer`); else nothing is touched. "k_space" takes the scan for truncated k-space,
and keeps its centre exactly. "series" restores a diffusion series jointly: the volumes of one slice position have one
forward model, by name or by what the scan shows of each frequency, and in its null space each keeps `OWN` of what sets
it apart from the mean of its shell: on the validation series that part carries more noise than signal, and FA and
directions are read from just these differences.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from SuperResolutionLib.diffusion.guides import background_levels, is_diffusion, mean_alike
from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry.grid import stacking_axis, stacks
from SuperResolutionLib.geometry.sampling import Grids
from SuperResolutionLib.intensity import Normalisation, background_level, relative_noise, shows_background
from SuperResolutionLib.physics.degradation import by_name
from SuperResolutionLib.physics.forward_models import Degradation
from SuperResolutionLib.physics.kernels import apply_through
from SuperResolutionLib.physics.projection import Projection, null_space, projected
from SuperResolutionLib.physics.recognition import model_of_series, name_of
from SuperResolutionLib.physics.slice_profile import Slices
from SuperResolutionLib.physics.transfer import TRUNCATION, Transfer
from SuperResolutionLib.volume import Volume, cast_voxels, signal_only

POLICIES = ("auto", "none", "recognised", "k_space", "series")  # auto: what suits the scan and the model
CONSTANTS = {
    "recognised": Projection(iterations=3, small=0.05),  # 72 dB of agreement, more is not seen in the result
    "k_space": Projection(iterations=12, small=0.0),  # the unpaired Nyquist sample halves its error each time
    "series": Projection(iterations=6, small=0.05),
}
# Of a scan that may only seem to be made so: a taper's small singular values would raise noise.
DAMPED = {("recognised", "k_space_tukey"): Projection(iterations=3, small=0.2)}
SOFT, NOISY = 0.1, 1600.0  # weights of thick slices without noise, and how fast they grow with the noise's square
OWN = 0.5  # how much of its own fine detail a volume of a series keeps


def check_policy(name: str) -> None:
    """Raise InputError for a policy that does not exist."""
    if name not in POLICIES:
        raise unknown("way to put back what was measured", str(name), POLICIES)


def constants(policy: str, model: str) -> Projection:
    """How a policy puts back the scan of a forward model."""
    return DAMPED.get((policy, model), CONSTANTS[policy])


def put_back(
    low: Volume,
    restored: Volume,
    axis: int,
    models: Sequence[str | Transfer | None],
    policy: str,
    only: int | None = None,
) -> None:
    """Put what was measured back into each 3-D volume, in place.

    low: the scan. restored: on the refined grid, or slice `only` of it; keeps its voxel type. axis: slices are stacked
    along. models: the name of each volume's forward model, or what it shows of each frequency; None to leave it alone.
    policy: whose constants are taken.
    """
    levels = measured_from(low)
    for source, target, model, level in zip(stacks(low, axis), stacks(restored, axis), models, levels, strict=True):
        if model is None:
            continue
        # k_space keeps the centre exactly: without the rounding of a unit
        scan = Normalisation(level) if policy == "k_space" else Normalisation.of(source, level)
        coarse = source if only is None else source[only : only + 1]
        for fine, measured in zip(target, coarse, strict=True):
            fine[...] = cast_voxels(
                scan.undone(_agreeing(scan.shown(fine), scan.shown(measured), model, policy)), fine.dtype
            )


def _agreeing(fine: np.ndarray, measured: np.ndarray, model: str | Transfer, policy: str) -> np.ndarray:
    """One fine slice (H, W) with what was measured of it (h, w) put back, both as networks see them."""
    if isinstance(model, Transfer):
        return model.put_back(fine[None], measured[None])[0]
    return projected(fine, measured, by_name(model), constants(policy, model))


def measured_from(low: Volume) -> list[float]:
    """The values from which the magnitudes of each 3-D volume are taken: those of its background.

    Where no background is in view, its value is not known; then it is one so low that nothing has much of a phase.
    """
    levels = background_levels(low)
    if is_diffusion(low):
        return levels
    volumes = low.voxels if low.voxels.ndim == 4 else low.voxels[None]
    return [
        level if shows_background(voxels, level) else level - Normalisation.of(voxels, level).unit
        for voxels, level in zip(volumes, levels, strict=True)
    ]


def putting_back_series(low: Volume, restored: Volume, axis: int, only: int | None = None) -> Iterator[str | None]:
    """Bring a diffusion series, in place, into agreement with its scan and with itself, slice position by position.

    Each is decided on its own, by all volumes together. Yields the forward model found at each.
    low: the scan. restored: on the refined grid, or slice `only` of it. axis: slices are stacked along.
    """
    assert low.gradients is not None
    scans = [Normalisation.of(*pair) for pair in zip(low.voxels, background_levels(low), strict=True)]
    shares = mean_alike(low.gradients).astype(np.float32)
    sources, targets = stacks(low, axis), stacks(restored, axis)
    for place, k in enumerate(range(len(sources[0])) if only is None else (only,)):
        coarse = np.stack([scan.shown(source[k]) for scan, source in zip(scans, sources, strict=True)])
        fine = np.stack([scan.shown(target[place]) for scan, target in zip(scans, targets, strict=True)])
        model = model_of_series(fine, coarse)
        if model is not None:
            for target, scan, slice_ in zip(targets, scans, together(fine, coarse, model, shares), strict=True):
                target[place] = cast_voxels(scan.undone(slice_), target.dtype)
        yield name_of(model)


def together(fine: np.ndarray, coarse: np.ndarray, model: str | Transfer, shares: np.ndarray) -> np.ndarray:
    """One slice position of all volumes, by a known model: fine (t, H, W), coarse (t, h, w) -> (t, H, W).

    model: its name, or what the scan shows of each frequency. shares: (t, t), of each volume in the mean of its like.
    """
    apart = fine - np.tensordot(shares, fine, 1)
    if isinstance(model, Transfer):
        return model.put_back(fine - _unshared(apart, TRUNCATION, coarse.shape, CONSTANTS["series"]), coarse)
    named, how = by_name(model), constants("series", model)
    return projected(fine - _unshared(apart, named, coarse.shape, how), coarse, named, how)


def _unshared(apart: np.ndarray, model: Degradation, shape: tuple[int, ...], how: Projection) -> np.ndarray:
    """What a volume does not keep of the fine detail that sets it apart: `apart` (t, H, W), of a scan of `shape`."""
    return np.float32(1 - OWN) * null_space(apart, model, shape, how.small)


def put_back_slices(low: Volume, restored: Volume, grids: Grids, slices: Slices) -> None:
    """Move what a stack of thick slices became, softly and in place, to where slices like these give the scan back.

    The least change, weighted against the noise of the scan: fully trusted, it would bring the noise back, and what is
    wrong in the thickness. slices: as the header has them, their profile a Gaussian.
    low: the scan. restored: on the wanted grid. grids: both.
    """
    rows, axis = grids.wanted.size[grids.axis], grids.axis
    if grids.only is not None:
        raise InputError("Of one slice alone nothing can be put back: what was measured lies in several; restore all.")
    forward = slices.matrix(rows, grids.wanted.spacing[axis], grids.given.size[axis])
    for source, target in zip(stacks(low, axis), stacks(restored, axis), strict=True):
        weight = SOFT + NOISY * relative_noise(source - background_level(source)) ** 2
        back = soft_inverse(forward, weight).astype(np.float32)
        missed = source.astype(np.float32) - apply_through(forward.astype(np.float32), target)
        target[...] = cast_voxels(target + apply_through(back, missed), target.dtype)


def soft_inverse(forward: np.ndarray, weight: float) -> np.ndarray:
    """What brings slices back into rows: A' (A A' + w s I)^-1, s the mean of the diagonal of A A'; (rows, slices)."""
    gram = forward @ forward.T
    inverse: np.ndarray = np.linalg.solve(gram + weight * np.trace(gram) / len(gram) * np.eye(len(gram)), forward).T
    return inverse


def consistent(low: Volume, enhanced: Volume, plane: str = "native") -> Volume:
    """The enhanced volume with the scan's own k-space centre put back: truncated again, it gives the scan.

    low: the scan. enhanced: on a grid refined in plane; its voxel type is kept. plane: the slices of the scan.
    Raises InputError for tensors, which have no k-space.
    """
    signal_only(low, "made consistent with its k-space")
    result = enhanced.with_voxels(enhanced.voxels.copy())
    put_back(low, result, stacking_axis(low, plane), ["k_space"] * low.count, "k_space")
    return result
