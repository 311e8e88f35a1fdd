"""Forward models by name, and what they make of a volume."""

from dataclasses import fields, replace

import numpy as np

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import Normalisation, signed_level
from SuperResolutionLib.physics.acquisition import Acquisition
from SuperResolutionLib.physics.forward_models import (
    Area,
    Bicubic,
    BicubicBlur3,
    Degradation,
    GaussBicubic,
    KSpace,
    KSpaceHamming,
    KSpaceTukey,
    KSpaceZeroFilled,
    Level,
    NoiseDown,
    Rician,
    Thick,
)
from SuperResolutionLib.physics.mixtures import Clinical, Diffusion, Scanners
from SuperResolutionLib.physics.slicing import Slicing
from SuperResolutionLib.volume import Volume, cast_voxels, signal_only

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
    "slices": Slicing(),
    "acquisition": Acquisition(),
    "partial_fourier": Acquisition(partial=0.75, window="tukey", width=0.2),
    "elliptic": Acquisition(shape="ellipse", window="fermi", width=0.05),
    "t2_star": Acquisition(decay=0.7),
    "interpolated": Acquisition(rows=0.5, columns=0.5),
    "clinical": Clinical(),
    "diffusion": Diffusion(),
    "scanners": Scanners(),
}


def by_name(text: str) -> Degradation:
    """The model called `text`, its numbers overridden by what follows a colon: "rician:snr=15".

    Raises InputError for an unknown model or parameter, or a value that is not a positive number.
    """
    name, _, overrides = text.partition(":")
    if name not in MODELS:
        raise unknown("degradation", name, MODELS)
    model = MODELS[name]
    known = [f.name for f in fields(model) if isinstance(getattr(model, f.name), (float, str))]
    values: dict[str, float | str] = {}
    for item in filter(None, overrides.split(",")):
        key, _, value = item.partition("=")
        if key not in known:
            raise unknown(f"parameter of degradation '{name}'", key, known or ["(none)"])
        values[key] = value if isinstance(getattr(model, key), str) else _positive(value, item)
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
    volume: Volume,
    degradation: str | Degradation,
    scale: float | None = None,
    *,
    sampling: Sampling | None = None,
    seed: int = 0,
) -> Volume:
    """The volume as a coarser scan of the same head would show it.

    volume: signals, any voxel type, which is kept.
    degradation: a forward model, or its name with its numbers: "rician:snr=15".
    scale: how many times coarser in plane, 1 to 16; where neither it nor `sampling` is given, the model's own grid: 2,
        or of "slices" its spacing.
    sampling: any other coarser grid.
    seed: of noise; the same seed gives the same voxels. In a series, noise is measured against the first volume
        without diffusion weighting.
    Of signed intensities the lowest counts as no signal, for a magnitude would fold what is below 0.
    A size that a whole factor does not divide is cropped at the far end first. Raises InputError for tensors (a scanner
    measures signals), for an unknown model, and for a grid that cannot be had.
    """
    signal_only(volume, "degraded")
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"A seed of {seed!r} cannot be used; give a whole number from 0 on.")
    rng = np.random.default_rng(seed)
    model = model_of(degradation).draw(rng)
    wish = model.wish(Sampling.of(scale, sampling))
    fine = wish.cropped(volume)
    grids = wish.coarser(fine)
    if grids.only is not None:
        raise InputError("A scan is made coarser as a whole; leave the slice out.")
    model = model.on(grids)
    scan = Normalisation(signed_level(fine.voxels))
    level = Level.of(scan.above(reference_volume(fine)))
    result = replace(fine, voxels=np.empty_like(fine.voxels)) if model.keeps_matrix else grids.empty(fine)
    outputs = _stacked(grids.wanted.size, grids.axis)
    for source, target in zip(stacks(fine, grids.axis), stacks(result, grids.axis), strict=True):
        target[...] = cast_voxels(scan.undone(model.stack(scan.above(source), outputs, level, rng)), target.dtype)
    if result.header is not None:  # what was done to the truth before was not done to this scan
        result = replace(result, header=replace(result.header, raw="", denoised=""))
    return result.with_thickness(model.thickness) if isinstance(model, Slicing) else result


def model_of(degradation: str | Degradation) -> Degradation:
    """The forward model that is meant. Raises InputError for a name that is none."""
    if isinstance(degradation, Degradation):
        return degradation
    if not isinstance(degradation, str):
        raise InputError(f"The degradation {degradation!r} is no forward model and no name of one, such as 'k_space'.")
    return by_name(degradation)


def _stacked(size: tuple[int, int, int], axis: int) -> tuple[int, int, int]:
    """Sizes along x, y, z as those of a stack along `axis`: slices, rows, columns."""
    rows, columns = (size[k] for k in (2, 1, 0) if k != axis)
    return size[axis], rows, columns


def reference_volume(volume: Volume) -> np.ndarray:
    """The 3-D voxels that a series' intensities are measured on: its first b = 0 volume, or its first."""
    return volume.voxels if volume.voxels.ndim == 3 else np.asarray(volume.voxels[reference_index(volume)])


def reference_index(volume: Volume) -> int:
    """Which of a series' volumes its intensities are measured on."""
    return 0 if volume.gradients is None else int(np.argmin(volume.gradients.bvals))
